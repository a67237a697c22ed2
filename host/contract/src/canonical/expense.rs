//! Money spent by a resource for a project. Mirrors `canonical.wit`.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{EntityRef, Extension};

/// How far an expense has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpenseStatus {
    /// Being written.
    Draft,
    /// Handed in.
    Submitted,
    /// Approved; may be billed.
    Approved,
    /// Sent back.
    Rejected,
    /// On an invoice.
    Billed,
}

/// Money spent by a resource for a project: travel, a licence, a courier.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expense {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// The project that it was spent for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<EntityRef>,
    /// The contract's line that it falls under, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_line: Option<String>,
    /// Who spent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spender: Option<EntityRef>,
    /// The day it was spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// What it was spent on, such as `travel`; a region's own list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What it was, as the customer may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it cost without tax that the firm may deduct, in `currency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The currency of `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Whether the contract lets it be billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<bool>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ExpenseStatus>,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
