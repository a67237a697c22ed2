//! What a region says in the binding's settings. Deny by default: terms, amounts
//! and currencies that are not listed wait for the deal desk.

use cambist_sdk::prelude::*;
use serde::{Deserialize, Deserializer, de::Error as _};

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
    #[serde(default, deserialize_with = "countries")]
    pub denied_countries: Vec<String>,
    /// Countries in which businesses have no tax id that could be required, by ISO
    /// 3166-1 code.
    #[serde(default, deserialize_with = "countries")]
    pub no_tax_id_countries: Vec<String>,
}

/// Above an amount a role must agree.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Threshold {
    /// ISO 4217 code.
    #[serde(deserialize_with = "currency")]
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

/// Countries are compared as the contract writes them: `kp` or `North Korea` would
/// match no customer, and deny nobody.
fn countries<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Vec<String>, D::Error> {
    let codes = Vec::<String>::deserialize(from)?;
    match codes.iter().find(|code| !is_capitals(code, 2)) {
        None => Ok(codes),
        Some(wrong) => Err(D::Error::custom(format!(
            "`{wrong}` is no country: write its ISO 3166-1 code in capitals, such as KP"
        ))),
    }
}

fn currency<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<String, D::Error> {
    let code = String::deserialize(from)?;
    match is_capitals(&code, 3) {
        true => Ok(code),
        false => Err(D::Error::custom(format!(
            "`{code}` is no currency: write its ISO 4217 code in capitals, such as EUR"
        ))),
    }
}

fn is_capitals(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn deal_desk() -> String {
    "deal-desk".to_owned()
}
