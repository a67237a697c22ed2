//! What a tax plugin is asked, and what it answers: `wit/*/tax.wit`.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    canonical::{Address, EntityRef, Extension},
    fault::Reason,
};

/// What kind of document is taxed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// An order.
    Order,
    /// An invoice.
    Invoice,
    /// A credit note.
    CreditNote,
}

/// One side of the document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Party {
    /// Registered name.
    pub name: String,
    /// Where it is established.
    pub address: Address,
    /// True for a taxable person acting as such.
    pub business: bool,
    /// VAT number, GSTIN or their like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// The day on which an authority confirmed `tax_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id_confirmed: Option<Date>,
    /// What the region adds to the account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}

/// One item that is taxed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DocumentLine {
    /// Names the line within the document.
    pub id: String,
    /// What is delivered.
    pub name: String,
    /// How many.
    pub quantity: Decimal,
    /// Net price of one.
    pub unit_price: Decimal,
    /// Taken off the line, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_percent: Option<Decimal>,
    /// The class that tax law sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// Where it is performed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performed_at: Option<Address>,
    /// What the region adds to the line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}

/// What is to be taxed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Document {
    /// The entity it is about.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// What it is.
    pub kind: DocumentKind,
    /// The day whose law and rates apply.
    pub tax_point: Date,
    /// ISO 4217 code of all its amounts.
    pub currency: String,
    /// Who sells.
    pub supplier: Party,
    /// Who buys.
    pub customer: Party,
    /// The items.
    pub lines: Vec<DocumentLine>,
    /// The invoice that a credit note corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<EntityRef>,
    /// What the region adds to the order or invoice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extension>,
}

/// How the law sees an item.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Standard rate.
    Standard,
    /// A reduced rate.
    Reduced,
    /// Zero percent.
    Zero,
    /// Not taxed, although within scope.
    Exempt,
    /// The customer owes the tax.
    ReverseCharge,
    /// Goods to a business in another state of a union.
    IntraCommunity,
    /// Outside the tax's territory or scope.
    OutsideScope,
    /// An export, with the right to deduct.
    Exported,
    /// Money the customer keeps back for the authority.
    Withholding,
}

/// One tax at one rate.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rate {
    /// The tax, such as `VAT` or `CGST`.
    pub code: String,
    /// Who levies it, where one code has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
    /// How the law sees it.
    pub treatment: Treatment,
    /// Percent; `None` for a fixed duty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Decimal>,
}

/// One tax on one line.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppliedRate {
    /// The tax and its rate.
    pub rate: Rate,
    /// What it is computed on, where that is not the line's net amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Decimal>,
    /// The tax, where the law rounds it on each line, and for a fixed duty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
}

impl<'de> Deserialize<'de> for AppliedRate {
    /// Journals of before the release have the bare rate in its place.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Now(Now),
            Before(Rate),
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        struct Now {
            rate: Rate,
            #[serde(default)]
            base: Option<Decimal>,
            #[serde(default)]
            amount: Option<Decimal>,
        }
        Ok(match Form::deserialize(from)? {
            Form::Now(Now { rate, base, amount }) => Self { rate, base, amount },
            Form::Before(rate) => Self {
                rate,
                base: None,
                amount: None,
            },
        })
    }
}

/// What falls on one line.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LineTax {
    /// The line, by its id.
    pub line: String,
    /// Net amount of the line.
    pub net: Decimal,
    /// The rates that apply.
    #[serde(default)]
    pub rates: Vec<AppliedRate>,
    /// Why.
    pub reason: Reason,
}

/// The sum of one tax at one rate over the document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TaxTotal {
    /// The tax and its rate.
    pub rate: Rate,
    /// What it was computed on.
    pub base: Decimal,
    /// The tax.
    pub amount: Decimal,
}

/// The tax on a document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Assessment {
    /// The document.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// ISO 4217 code.
    pub currency: String,
    /// Each line exactly once.
    pub lines: Vec<LineTax>,
    /// One total for each tax and rate.
    #[serde(default)]
    pub totals: Vec<TaxTotal>,
    /// Sum without tax.
    pub net: Decimal,
    /// Sum of the totals that are not withholdings.
    pub tax: Decimal,
    /// Sum with tax.
    pub gross: Decimal,
    /// What the customer pays.
    pub payable: Decimal,
    /// What the law wants printed on the document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_that_was_kept_with_bare_rates_is_read() {
        let rate = json!({"code": "VAT", "treatment": "standard", "percent": "19"});
        let kept: AppliedRate = serde_json::from_value(rate.clone()).unwrap();
        let now: AppliedRate = serde_json::from_value(json!({ "rate": rate })).unwrap();
        assert_eq!(kept, now);
        assert_eq!(serde_json::to_value(&kept).unwrap(), json!({ "rate": rate }));
    }
}
