//! What a region says in the binding's settings. Deny by default: terms, amounts
//! and currencies that are not listed wait for the deal desk.

use cambist_sdk::prelude::*;
use serde::Deserialize;

/// The settings of a binding.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The role that completes deals, and looks at what no other rule knows.
    #[serde(default = "deal_desk")]
    pub role: String,
    /// From which amount on who must agree. A currency without a threshold waits
    /// for `role`.
    #[serde(default)]
    pub currency_thresholds: Vec<Threshold>,
    /// The terms that may be delivered on, by name.
    #[serde(default)]
    pub approved_terms: Vec<String>,
    /// What a project needs. All of it, unless it is switched off here.
    #[serde(default)]
    pub require: Require,
    /// Countries with whose customers no business is done, by ISO 3166-1 code.
    #[serde(default)]
    pub denied_countries: Vec<String>,
    /// Countries in which businesses have no tax id that could be required.
    #[serde(default)]
    pub no_tax_id_countries: Vec<String>,
}

/// Above an amount a role must agree.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Threshold {
    /// ISO 4217 code.
    pub currency: String,
    /// Net amount of the contract, as text: `"50000"`. The amount itself passes.
    pub above: Decimal,
    /// Who must agree.
    pub role: String,
}

/// What a project needs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Require {
    /// Terms that are approved.
    pub terms: bool,
    /// The customer's legal name, billing country and, for a business, tax id.
    pub customer_identity: bool,
    /// Somebody who answers for delivery.
    pub delivery_owner: bool,
}

impl Default for Require {
    fn default() -> Self {
        Self {
            terms: true,
            customer_identity: true,
            delivery_owner: true,
        }
    }
}

fn deal_desk() -> String {
    "deal-desk".to_owned()
}
