//! Time spent by a resource on a project. Mirrors `canonical.wit`.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{EntityRef, Extension};

/// How far a timesheet has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimesheetStatus {
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

/// Time spent by a resource on a project.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Timesheet {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// The project that was worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<EntityRef>,
    /// The milestone that was worked towards, by its id in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestone: Option<String>,
    /// The contract's line that the work falls under, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_line: Option<String>,
    /// Who worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<EntityRef>,
    /// The day that was worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// Hours; `7.5` is seven and a half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Decimal>,
    /// What was done, as the customer may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the contract lets it be billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable: Option<bool>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TimesheetStatus>,
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
