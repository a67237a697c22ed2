//! Which side owns which field: the system of record.
//!
//! The CRM owns what sales knows (accounts, contacts, opportunities, what was agreed), Odoo
//! owns the books (what is billed and paid, and how an account pays) and the work's progress.
//! A firm that sees it differently says so in its config; what it does not name stays so.

use std::collections::BTreeMap;

use cambist_contract::canonical::{Entity, EntityKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A side of the integration.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The CRMs.
    Crm,
    /// Odoo.
    Erp,
    /// Whoever changed it last. What both have changed waits for a person.
    Both,
}

impl Owner {
    /// The owner's name in the evidence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Erp => "erp",
            Self::Both => "both",
        }
    }

    /// Whether a system on that side may change what this one owns.
    pub(crate) fn lets(self, side: Self) -> bool {
        self == Self::Both || self == side
    }
}

/// Who owns what, by `KIND` or `KIND.FIELD` in the contract's words. A field that is not named
/// belongs to who owns its entity; an entity that is not named is owned as the
/// [module](self) says.
///
/// ```toml
/// [ownership]
/// "account.email" = "both"
/// resource = "crm"
/// ```
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(transparent)]
pub struct Ownership(BTreeMap<String, Owner>);

/// Fields with another owner than their entity has.
const FIELDS: [(EntityKind, &str, Owner); 3] = [
    (EntityKind::Account, "payment-terms", Owner::Erp),
    (EntityKind::Account, "currency", Owner::Erp),
    (EntityKind::Project, "status", Owner::Erp),
];

/// Who owns an entity where the config does not say.
fn usual(kind: EntityKind) -> Owner {
    match kind {
        EntityKind::Account
        | EntityKind::Contact
        | EntityKind::Opportunity
        | EntityKind::Contract
        | EntityKind::Project => Owner::Crm,
        EntityKind::Resource
        | EntityKind::Timesheet
        | EntityKind::Expense
        | EntityKind::Invoice
        | EntityKind::Payment => Owner::Erp,
    }
}

impl Ownership {
    /// Who owns an entity, but for the fields that say otherwise.
    pub(crate) fn of_entity(&self, kind: EntityKind) -> Owner {
        self.0.get(kind.name()).copied().unwrap_or_else(|| usual(kind))
    }

    /// Who owns a field, by its name in the contract.
    pub(crate) fn of_field(&self, kind: EntityKind, field: &str) -> Owner {
        if let Some(owner) = self.0.get(&format!("{}.{field}", kind.name())) {
            return *owner;
        }
        if let Some(owner) = self.0.get(kind.name()) {
            return *owner;
        }
        let named = FIELDS.iter().find(|(of, name, _)| *of == kind && *name == field);
        named.map_or_else(|| usual(kind), |(.., owner)| *owner)
    }

    /// Whether anything is owned by both sides.
    pub(crate) fn has_both(&self) -> bool {
        self.0.values().any(|owner| *owner == Owner::Both)
    }

    /// What it names that the contract has not: each name, with the reason.
    pub fn problems(&self) -> Vec<(String, String)> {
        let wrong = |name: &String| {
            let (kind, field) = match name.split_once('.') {
                Some((kind, field)) => (kind, Some(field)),
                None => (name.as_str(), None),
            };
            let of_kind = json!({kind: {"ref": {"kind": kind, "system": "", "id": ""}}});
            let Ok(entity) = serde_json::from_value::<Entity>(of_kind) else {
                return Some((
                    name.clone(),
                    format!("`{kind}` is none of the contract's entities"),
                ));
            };
            match field {
                Some(field) if entity.says(field).is_none() && field != "extra" => Some((
                    name.clone(),
                    format!("{kind} has no field `{field}` in the contract"),
                )),
                _ => None,
            }
        };
        self.0.keys().filter_map(wrong).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn table(text: serde_json::Value) -> Ownership {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn what_has_an_owner_of_its_own_is_a_field_of_its_entity() {
        let names = FIELDS.map(|(kind, field, owner)| (format!("{}.{field}", kind.name()), owner));
        assert_eq!(Ownership(names.into()).problems(), []);
    }

    #[test]
    fn the_field_goes_before_its_entity_and_both_before_the_usual() {
        let kind = EntityKind::Account;
        let usual = Ownership::default();
        assert_eq!(usual.of_field(kind, "name"), Owner::Crm);
        assert_eq!(usual.of_field(kind, "payment-terms"), Owner::Erp);
        let firm = table(json!({"account": "erp", "account.email": "both"}));
        assert_eq!(firm.of_entity(kind), Owner::Erp);
        assert_eq!(firm.of_field(kind, "payment-terms"), Owner::Erp);
        assert_eq!(firm.of_field(kind, "email"), Owner::Both);
        assert_eq!(firm.of_field(EntityKind::Contact, "email"), Owner::Crm);
    }

    #[test]
    fn what_the_contract_has_not_is_told() {
        let wrong = table(
            json!({"acount": "crm", "account.mail": "crm", "contact.email": "both", "account.extra": "erp"}),
        );
        let named: Vec<_> = wrong.problems().into_iter().map(|(name, _)| name).collect();
        assert_eq!(named, ["account.mail", "acount"]);
    }
}
