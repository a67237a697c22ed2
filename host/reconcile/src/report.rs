//! What a comparison comes to, for people, programs and the journal.

use cambist_contract::message::MessageId;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::period::Period;

/// One region in one month.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// The flow.
    pub flow: String,
    /// The region.
    pub region: String,
    /// The month.
    pub period: Period,
    /// When it was begun.
    pub at: Timestamp,
    /// The CRMs that were asked.
    pub crms: Vec<String>,
    /// The ERP that was asked.
    pub erp: String,
    /// Both sides, by what and by currency.
    pub sums: Vec<Sums>,
    /// What differs and does not change by itself.
    pub differing: Vec<Difference>,
    /// What differs and is on its way.
    pub under_way: Vec<Difference>,
    /// Of those that differ, how many are not named here.
    pub not_named: u64,
}

impl Report {
    /// How many differ.
    pub fn differ(&self) -> u64 {
        u64::try_from(self.differing.len())
            .unwrap_or(u64::MAX)
            .saturating_add(self.not_named)
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Won deals with their orders, without tax.
    Orders,
    /// What deals were told of their invoices to date, with the posted ones, with tax; credit notes take away.
    Invoices,
    /// What deals were told is paid, with what is.
    Payments,
}

impl What {
    /// Its name in reports and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Invoices => "invoices",
            Self::Payments => "payments",
        }
    }
}

/// Both sides of one currency.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sums {
    /// Of what.
    pub what: What,
    /// The currency; empty for deals that say none.
    pub currency: String,
    /// What the CRMs have.
    pub crm: Sum,
    /// What the ERP has.
    pub erp: Sum,
}

/// How many, and how much.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sum {
    /// Deals or orders, invoices, and of payments the deals that were paid for.
    pub count: u64,
    /// The sum.
    pub sum: Decimal,
}

/// One that differs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// Of what.
    pub what: What,
    /// In which way.
    pub kind: Kind,
    /// The deal, where there is or was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<Named>,
    /// The record of the ERP, where there is or was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Named>,
    /// What the CRM has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm: Option<Money>,
    /// What the ERP has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erp: Option<Money>,
    /// What the journal knows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// In which way two sides differ.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A won deal has no order, and the journal knows of none.
    NotWritten,
    /// The order that was made of it is not there any more.
    Gone,
    /// Nobody has confirmed its order.
    Draft,
    /// Its order was called off.
    Cancelled,
    /// An order or invoice comes from no deal.
    NoDeal,
    /// The deal that it comes from is not there any more.
    DealGone,
    /// The deal that it comes from is not won any more.
    NotWon,
    /// The amounts differ.
    Amount,
    /// The currencies differ.
    Currency,
    /// The deal was not told of its bills.
    NotTold,
    /// The deal was told of bills that there are not.
    NotThere,
    /// The invoices have other numbers.
    Numbers,
}

/// Names an object or a record.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Named {
    /// The system that has it, by its name in the config.
    pub system: String,
    /// Its kind there, as messages name it, such as `deal` or `sale.order`.
    pub kind: String,
    /// The system's own id.
    pub id: String,
    /// Its number as people read it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

/// An amount.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Money {
    /// How much.
    pub amount: Decimal,
    /// Of what; empty where nobody says.
    pub currency: String,
}

/// What the journal knows of a difference: the message that stands in its way.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Why {
    /// The message.
    pub message: MessageId,
    /// Where it stands.
    pub state: String,
    /// Why, as a person reads it.
    pub reason: String,
}
