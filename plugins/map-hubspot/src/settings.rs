//! What a region sets for this plugin: `settings` of the binding, as JSON.
//!
//! Every key has a default; README.md shows them all. An unknown key is refused.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;
use serde::Deserialize;

use crate::offset::UtcOffset;

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// The stages in which a deal is won, by their internal ids: those of custom
    /// pipelines look like UUIDs. A deal that says `hs_is_closed_won` is won in
    /// any stage.
    pub(crate) won_stages: Vec<String>,
    /// The stage that a deal is put into when its status is written; a status
    /// without one leaves the deal's stage alone.
    pub(crate) stage: StageOfStatus,
    /// The portal's currency, for portals with one: there HubSpot leaves
    /// `deal_currency_code` empty.
    pub(crate) currency: Option<String>,
    /// How far the region is from UTC, such as `+05:30`: on which of its days a
    /// deal was closed.
    pub(crate) utc_offset: UtcOffset,
    /// How a contract is billed whose deal does not say.
    pub(crate) billing: BillingMethod,
    /// The milestones of a project.
    pub(crate) milestones: Vec<MilestoneTemplate>,
    /// Which of the portal's own properties mean what.
    pub(crate) properties: Properties,
    /// Other spellings of countries, to ISO 3166-1 codes.
    pub(crate) countries: BTreeMap<String, String>,
    /// Other spellings of states, to ISO 3166-2 codes.
    pub(crate) subdivisions: BTreeMap<String, String>,
}

/// The stage for each status of an opportunity.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct StageOfStatus {
    pub(crate) open: Option<String>,
    pub(crate) won: Option<String>,
    pub(crate) lost: Option<String>,
}

/// One milestone of every project, counted from the day the deal was closed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct MilestoneTemplate {
    /// Names the milestone within its project for good.
    pub(crate) id: String,
    /// What will be there.
    pub(crate) name: String,
    /// Its share of the contract's amount, in percent, as decimal text.
    #[serde(default)]
    pub(crate) share_percent: Option<Decimal>,
    /// How many days after the close date it is due.
    pub(crate) after_days: i64,
}

/// Names of properties that HubSpot does not have by itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Properties {
    // of a company
    pub(crate) tax_id: String,
    pub(crate) tax_id_confirmed: String,
    pub(crate) legal_name: String,
    pub(crate) payment_terms: String,
    pub(crate) invoice_email: String,
    // of a deal
    pub(crate) terms: String,
    pub(crate) delivery_owner: String,
    pub(crate) customer_reference: String,
    pub(crate) billing: String,
    pub(crate) start: String,
    pub(crate) end: String,
    // of a deal, written only, and only where they are set
    pub(crate) invoice_status: Option<String>,
    pub(crate) invoice_numbers: Option<String>,
    pub(crate) invoiced: Option<String>,
    pub(crate) paid: Option<String>,
    pub(crate) outstanding: Option<String>,
    pub(crate) project_status: Option<String>,
    // of a line item
    pub(crate) unit: String,
    pub(crate) tax_class: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            won_stages: vec!["closedwon".to_owned()],
            stage: StageOfStatus::default(),
            currency: None,
            utc_offset: UtcOffset::default(),
            billing: BillingMethod::FixedPrice,
            milestones: Vec::new(),
            properties: Properties::default(),
            countries: BTreeMap::new(),
            subdivisions: BTreeMap::new(),
        }
    }
}

impl Default for Properties {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            tax_id: name("vat_id"),
            tax_id_confirmed: name("vat_id_confirmed_on"),
            legal_name: name("legal_name"),
            payment_terms: name("payment_terms"),
            invoice_email: name("invoice_email"),
            terms: name("contract_terms"),
            delivery_owner: name("delivery_owner_email"),
            customer_reference: name("purchase_order_number"),
            billing: name("billing_method"),
            start: name("delivery_start"),
            end: name("delivery_end"),
            invoice_status: None,
            invoice_numbers: None,
            invoiced: None,
            paid: None,
            outstanding: None,
            project_status: None,
            unit: name("unit_of_measure"),
            tax_class: name("tax_class"),
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
