//! One entity as it is to become, with who changed it and when. Mirrors `canonical.wit`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Account, Contact, Contract, EntityRef, Expense, Invoice, Opportunity, Payment, Project, Resource,
    Timesheet,
};

/// One object of any of the ten kinds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entity {
    /// A customer or prospect.
    Account(Account),
    /// A person at an account.
    Contact(Contact),
    /// A deal.
    Opportunity(Opportunity),
    /// What was agreed.
    Contract(Contract),
    /// The work.
    Project(Project),
    /// Somebody who works.
    Resource(Resource),
    /// Time spent.
    Timesheet(Timesheet),
    /// Money spent.
    Expense(Expense),
    /// A bill.
    Invoice(Invoice),
    /// Money paid.
    Payment(Payment),
}

/// Whether the object is there after the change.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is to be as the entity says.
    Upsert,
    /// It is gone; of the entity only `ref` is looked at.
    Remove,
    /// It is gone because it was merged into this other one; of the entity only `ref`
    /// is looked at.
    Merged(EntityRef),
}

/// One entity as it is to become, with who changed it and when.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Change {
    /// The object.
    pub entity: Entity,
    /// Whether it is there afterwards.
    pub kind: ChangeKind,
    /// Fields to be emptied, by their names in the entity's record. Such a
    /// field is `none` in `entity`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleared: Vec<String>,
    /// Who changed it, by the id the source has for its users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When it was changed, by the source's clock.
    pub changed_at: Timestamp,
}

impl Entity {
    /// The entity's name for good.
    pub fn name(&self) -> &EntityRef {
        match self {
            Self::Account(it) => &it.entity,
            Self::Contact(it) => &it.entity,
            Self::Opportunity(it) => &it.entity,
            Self::Contract(it) => &it.entity,
            Self::Project(it) => &it.entity,
            Self::Resource(it) => &it.entity,
            Self::Timesheet(it) => &it.entity,
            Self::Expense(it) => &it.entity,
            Self::Invoice(it) => &it.entity,
            Self::Payment(it) => &it.entity,
        }
    }
}
