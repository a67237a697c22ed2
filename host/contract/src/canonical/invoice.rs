//! A bill, or the credit note that corrects one. Mirrors `canonical.wit`.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Address, EntityRef, Extension};

/// What a bill is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvoiceKind {
    /// Asks for money.
    Invoice,
    /// Gives money back; amounts are positive all the same.
    CreditNote,
}

/// How far an invoice has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvoiceStatus {
    /// May still change.
    Draft,
    /// Numbered and sent; may not change.
    Posted,
    /// Paid in part.
    PartlyPaid,
    /// Paid in full.
    Paid,
    /// Taken back.
    Cancelled,
}

/// One item of an invoice.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InvoiceLine {
    /// Names the line within its invoice for good.
    pub id: String,
    /// What was delivered, as the customer reads it.
    pub name: String,
    /// The article's number, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// How many.
    pub quantity: Decimal,
    /// What `quantity` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Net price of one, in the invoice's currency.
    pub unit_price: Decimal,
    /// Taken off the line, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_percent: Option<Decimal>,
    /// The class that tax law sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// Where it was performed, where tax law looks at that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performed_at: Option<Address>,
    /// The contract's line that this bills, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_line: Option<String>,
    /// The project that this bills; `None` is the invoice's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<EntityRef>,
    /// The milestone that this bills, by its id in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestone: Option<String>,
    /// The time that this bills; on a credit note, that may be billed again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timesheets: Vec<EntityRef>,
    /// The expenses that this bills; on a credit note, that may be billed again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expenses: Vec<EntityRef>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}

/// A bill.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Invoice {
    /// Its name for good.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<InvoiceKind>,
    /// The contract it bills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<EntityRef>,
    /// The project it bills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<EntityRef>,
    /// The legal entity that bills, by its name in the ERP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_entity: Option<String>,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<EntityRef>,
    /// The invoice that a credit note corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<EntityRef>,
    /// The number that the ERP gave it; `none` while it is a draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The customer's own order number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_reference: Option<String>,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<InvoiceStatus>,
    /// The currency of its amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The day it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Date>,
    /// The day that tax law looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_point: Option<Date>,
    /// First day of the period that it bills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_from: Option<Date>,
    /// Last day of the period that it bills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_until: Option<Date>,
    /// When it is to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// Its items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<InvoiceLine>>,
    /// Sum without tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Decimal>,
    /// Tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Decimal>,
    /// Sum with tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross: Option<Decimal>,
    /// What is still to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual: Option<Decimal>,
    /// What the region adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}
