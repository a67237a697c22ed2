//! A deal that sales works on. Mirrors `canonical.wit`.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{EntityRef, Extension};

/// How far a deal has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpportunityStatus {
    /// Being worked on.
    Open,
    /// The customer has agreed.
    Won,
    /// It will not come to a contract.
    Lost,
}

/// A deal that sales works on.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Opportunity {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// What sales calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who buys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<EntityRef>,
    /// Whom to talk to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<EntityRef>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OpportunityStatus>,
    /// What it is worth, net, in `currency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The currency of `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The day it was or should be closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_date: Option<Date>,
    /// Who sells, by the id the source has for its users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
