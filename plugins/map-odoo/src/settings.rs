//! What a region sets for this plugin: `settings` of the binding, as JSON.
//!
//! Every key has a default; README.md shows them all. An unknown key is refused.
//! Values that name an Odoo record are its external id, such as
//! `account.2_tax_ust_19_skr03`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// The tax of each rate that an assessment may name, by
    /// `CODE/treatment/percent`, such as `VAT/standard/19`, with `/jurisdiction` behind it
    /// where the rate has one. Rates that Odoo keeps
    /// as one tax are joined by `+`: `CGST/standard/9+SGST/standard/9`.
    pub(crate) taxes: BTreeMap<String, String>,
    /// The price list of each currency, which is what decides the currency of an
    /// order.
    pub(crate) pricelists: BTreeMap<String, String>,
    /// The product of each article number; one that is not here is made.
    pub(crate) products: BTreeMap<String, String>,
    /// The product of lines without an article number; one is made if not set.
    pub(crate) default_product: Option<String>,
    /// The unit of each word that a line may count by; `unit` is also what a line
    /// counts that does not say.
    pub(crate) units: BTreeMap<String, String>,
    /// The payment term of each name that an account may bear.
    pub(crate) payment_terms: BTreeMap<String, String>,
    /// Whether a project's manager is the Odoo user whose login is the delivery
    /// owner's e-mail. Odoo refuses the project when there is no such user.
    pub(crate) delivery_owner_is_login: bool,
    /// Whether an approved contract's order is confirmed.
    pub(crate) confirm: bool,
    /// Where an order and its time say what its bills need to know.
    pub(crate) billing: Billing,
}

/// Fields of the firm's own, by their names in Odoo: Odoo 19 Community has none of these.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Billing {
    /// How time is told to be approved; without it none is.
    pub(crate) approved: Option<Approved>,
    /// Of an order: `time-and-material`, `capped` or `fixed-price`.
    pub(crate) method: Option<String>,
    /// Of an order: the name of its terms, by which the invoicing plugin finds its rules.
    pub(crate) terms: Option<String>,
    /// Of an order: the cap, net; without it that is the sum of its lines.
    pub(crate) cap: Option<String>,
}

/// A field of time that says that it is approved.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Approved {
    /// Its name: `validated` in Odoo Enterprise, `sheet_state` with OCA's timesheet sheets, or one of the firm's own.
    pub(crate) field: String,
    /// What it says then; left out, the field is a tick.
    pub(crate) is: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let units = [
            ("unit", "product_uom_unit"),
            ("hour", "product_uom_hour"),
            ("day", "product_uom_day"),
        ];
        Self {
            taxes: BTreeMap::new(),
            pricelists: BTreeMap::new(),
            products: BTreeMap::new(),
            default_product: None,
            units: units
                .map(|(unit, name)| (unit.to_owned(), format!("uom.{name}")))
                .into(),
            payment_terms: BTreeMap::new(),
            delivery_owner_is_login: false,
            confirm: true,
            billing: Billing::default(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_example_of_the_readme_is_taken() {
        let readme = include_str!("../README.md");
        let examples: Vec<_> = readme.split("```json\n").skip(1).collect();
        assert!(!examples.is_empty());
        for example in examples {
            let text = example.split("```").next().unwrap();
            serde_json::from_str::<Settings>(text).unwrap();
        }
    }
}
