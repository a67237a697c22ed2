//! Entities by their name alone, so that a mapping lists only what it knows:
//!
//! ```
//! use cambist_sdk::prelude::*;
//!
//! let name = EntityRef::new(EntityKind::Account, "hubspot-eu", "901");
//! let account = Account { name: Some("Acme".into()), ..Account::named(name) };
//! assert_eq!(account.tax_id, None);
//! ```

use crate::prelude::*;

macro_rules! named {
    ($($entity:ident { $($option:ident)* })*) => {$(
        impl $entity {
            /// The entity of this name, of which nothing else is said.
            pub fn named(name: EntityRef) -> Self {
                Self { ref_: name, $($option: None,)* extra: Vec::new() }
            }
        }
    )*};
}

named! {
    Account {
        name legal_name business tax_id tax_id_confirmed billing established parent currency payment_terms email phone website
    }
    Contact { account given_name family_name job_title email phone }
    Opportunity { name account contact status amount currency close_date owner }
    Contract {
        opportunity account contact name status billing terms customer_reference legal_entity currency amount signed start end
        lines
    }
    Project { contract account name delivery_owner status start end milestones }
    Resource { name email role employer active }
    Timesheet { project milestone contract_line worker day hours description billable status approved_by approved_at }
    Expense { project contract_line spender day category description amount currency billable status approved_by approved_at }
    Invoice {
        kind contract project legal_entity account corrects number customer_reference status currency issued tax_point
        period_from period_until due lines net tax gross residual
    }
    Payment { direction allocations account amount currency day method status }
}

impl EntityKind {
    /// The kind as the contract writes it: `account`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Opportunity => "opportunity",
            Self::Contract => "contract",
            Self::Project => "project",
            Self::Resource => "resource",
            Self::Timesheet => "timesheet",
            Self::Expense => "expense",
            Self::Invoice => "invoice",
            Self::Payment => "payment",
        }
    }
}

impl ContractLine {
    /// A line with its id, name, quantity and unit price, and nothing else.
    pub fn priced(
        id: impl Into<String>,
        name: impl Into<String>,
        quantity: Decimal,
        unit_price: Decimal,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            sku: None,
            quantity,
            unit: None,
            unit_price,
            discount_percent: None,
            tax_class: None,
            role: None,
            performed_at: None,
            extra: Vec::new(),
        }
    }
}

impl Milestone {
    /// A milestone with its id and name, and nothing else.
    pub fn called(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            due: None,
            share_percent: None,
            amount: None,
            contract_line: None,
            reached: None,
            extra: Vec::new(),
        }
    }
}

impl Address {
    /// Whether nothing is said of it.
    pub fn is_empty(&self) -> bool {
        let texts = [&self.street, &self.street2, &self.city, &self.postcode];
        texts.iter().all(|text| text.is_none()) && self.subdivision.is_none() && self.country.is_none()
    }
}

macro_rules! entity {
    ($($entity:ident)*) => {$(
        impl From<$entity> for Entity {
            fn from(it: $entity) -> Self {
                Self::$entity(it)
            }
        }
    )*};
}

entity! { Account Contact Opportunity Contract Project Resource Timesheet Expense Invoice Payment }

impl Change {
    /// The entity is to be as it says. `at` is when it was changed, by the
    /// source's clock.
    pub fn upsert(entity: impl Into<Entity>, at: impl Into<String>) -> Self {
        Self {
            entity: entity.into(),
            kind: ChangeKind::Upsert,
            cleared: Vec::new(),
            changed_by: None,
            changed_at: at.into(),
        }
    }

    /// The same change, made by a user of the source.
    #[must_use]
    pub fn by(mut self, user: Option<String>) -> Self {
        self.changed_by = user;
        self
    }
}
