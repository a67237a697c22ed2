//! Names of entities, and the fields a region adds to them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// Which canonical object is spoken of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntityKind {
    /// A customer or prospect.
    Account,
    /// A person at an account.
    Contact,
    /// A deal.
    Opportunity,
    /// What was agreed.
    Contract,
    /// The work.
    Project,
    /// Somebody who works.
    Resource,
    /// Time spent.
    Timesheet,
    /// Money spent.
    Expense,
    /// A bill.
    Invoice,
    /// Money paid.
    Payment,
}

impl EntityKind {
    /// All kinds, in the order of the contract.
    pub const ALL: [Self; 10] = [
        Self::Account,
        Self::Contact,
        Self::Opportunity,
        Self::Contract,
        Self::Project,
        Self::Resource,
        Self::Timesheet,
        Self::Expense,
        Self::Invoice,
        Self::Payment,
    ];

    /// The kind's name in config, API and logs.
    pub fn name(self) -> &'static str {
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

/// Names one entity for good: the same values always mean the same thing.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntityRef {
    /// What it is.
    pub kind: EntityKind,
    /// The system that gave the id.
    pub system: String,
    /// The id in that system.
    pub id: String,
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.system, self.kind.name(), self.id)
    }
}

/// A field that the contract has no name for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Extension {
    /// The field's name, unique within its entity.
    pub name: String,
    /// The field's value.
    pub value: Json,
}
