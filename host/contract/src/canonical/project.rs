//! The work that delivers a contract. Mirrors `canonical.wit`.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{EntityRef, Extension};

/// How far a project has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProjectStatus {
    /// Not begun.
    Planned,
    /// Being delivered.
    Active,
    /// Stopped for a while.
    Paused,
    /// Delivered.
    Done,
    /// Called off.
    Cancelled,
}

/// A result that the customer waits for, and often pays for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Milestone {
    /// Names the milestone within its project for good.
    pub id: String,
    /// What will be there.
    pub name: String,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// Its share of the contract's amount, or of its line's, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_percent: Option<Decimal>,
    /// What is billed for it, net; goes before `share_percent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The contract's line that it is a part of, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_line: Option<String>,
    /// The day it was reached; `none` until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Date>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}

/// The work that delivers a contract.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Project {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// The contract it delivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<EntityRef>,
    /// Who it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<EntityRef>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who answers for delivery, by e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_owner: Option<String>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ProjectStatus>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Date>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
    /// Its results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestones: Option<Vec<Milestone>>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
