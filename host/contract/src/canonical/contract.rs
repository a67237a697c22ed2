//! What was agreed with a customer: terms and lines. Mirrors `canonical.wit`.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Address, EntityRef, Extension};

/// How far a contract has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContractStatus {
    /// Being written; nothing may be delivered.
    Draft,
    /// Agreed on by both sides; delivery may begin.
    Approved,
    /// Delivered and billed to the end.
    Closed,
    /// Called off.
    Cancelled,
}

/// How a contract is billed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BillingMethod {
    /// By hours and rates.
    TimeAndMaterial,
    /// By hours and rates, up to the contract's amount.
    Capped,
    /// A fixed price, by milestones.
    FixedPrice,
}

/// One thing that was agreed on, with its price.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContractLine {
    /// Names the line within its contract for good.
    pub id: String,
    /// What is delivered, as the customer reads it.
    pub name: String,
    /// The article's number, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// How many.
    pub quantity: Decimal,
    /// What `quantity` counts, such as `hour`, `day` or `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Net price of one, in the contract's currency.
    pub unit_price: Decimal,
    /// Taken off the line, in percent: `12.5` is an eighth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_percent: Option<Decimal>,
    /// The class of goods or services that tax law sees, such as
    /// `professional-services`; a region's own list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// The skill or grade whose time is sold at this price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Where it is performed, where tax law looks at that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performed_at: Option<Address>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}

/// What was agreed with a customer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Contract {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// The deal it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opportunity: Option<EntityRef>,
    /// Who buys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<EntityRef>,
    /// Whom to talk to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<EntityRef>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ContractStatus>,
    /// How it is billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<BillingMethod>,
    /// The terms that were agreed on, by name, such as `msa-2026`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// The customer's own order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// The legal entity that sells, by its name in the ERP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_entity: Option<String>,
    /// The currency of its prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The fixed price or the cap, net; `None` is the sum of the lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
    /// The day it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Date>,
    /// First day of delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Date>,
    /// Last day of delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
    /// What is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<ContractLine>>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
