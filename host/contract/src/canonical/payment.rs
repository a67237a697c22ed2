//! Money that was paid for invoices, or paid back. Mirrors `canonical.wit`.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};

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

/// Which way money goes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentDirection {
    /// From the customer.
    Incoming,
    /// To the customer.
    Outgoing,
}

/// What of a payment is for one invoice or credit note.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Allocation {
    /// The invoice or credit note.
    pub invoice: EntityRef,
    /// How much of the payment; `None` is what the other allocations leave of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
}

/// Money that was paid for invoices, or paid back.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Payment {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// Which way it goes; `None` is incoming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<PaymentDirection>,
    /// What it is for.
    #[serde(
        default,
        alias = "invoice",
        deserialize_with = "allocations",
        skip_serializing_if = "Option::is_none"
    )]
    pub allocations: Option<Vec<Allocation>>,
    /// The customer who paid, or was paid.
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

/// The allocations, or in their place the one invoice that journals of before the release
/// have in the field `invoice`.
fn allocations<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Allocation>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Now(Vec<Allocation>),
        Before(EntityRef),
    }
    Ok(Some(match Form::deserialize(from)? {
        Form::Now(allocations) => allocations,
        Form::Before(invoice) => vec![Allocation {
            invoice,
            amount: None,
        }],
    }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payment_that_was_kept_with_its_one_invoice_is_read() {
        let name = |kind: &str| json!({"kind": kind, "system": "odoo", "id": "1"});
        let kept = json!({"ref": name("payment"), "invoice": name("invoice"), "amount": "5"});
        let told: Payment = serde_json::from_value(kept).unwrap();
        let now =
            json!({"ref": name("payment"), "allocations": [{"invoice": name("invoice")}], "amount": "5"});
        assert_eq!(told, serde_json::from_value(now.clone()).unwrap());
        assert_eq!(serde_json::to_value(&told).unwrap(), now);
    }
}
