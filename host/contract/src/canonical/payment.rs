//! Money received for an invoice. Mirrors `canonical.wit`.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{EntityRef, Extension};

/// How far a payment has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentStatus {
    /// Announced.
    Pending,
    /// On the account.
    Received,
    /// Taken back by the bank.
    Returned,
}

/// Money received for an invoice.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Payment {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// The invoice it pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<EntityRef>,
    /// Who paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<EntityRef>,
    /// How much, in `currency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The currency of `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The day it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// How it was paid, such as `bank-transfer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PaymentStatus>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
