//! What a region says in the binding's settings. Deny by default: a word that is
//! not known here, and a tax class that is not listed, are refused.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;
use serde::Deserialize;

/// The class of a line that names none, and the one that every region has.
const PROFESSIONAL_SERVICES: &str = "professional-services";

/// The settings of a binding.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Where cents are rounded. No default: the books must do the same.
    pub rounding: RoundingMethod,
    /// How a half cent is rounded.
    #[serde(default = "half_up")]
    pub rounding_mode: Rounding,
    /// The class of a line that names none.
    #[serde(default = "professional_services")]
    pub usual_class: String,
    /// The rate that each further class of services bears at home.
    #[serde(default)]
    pub tax_classes: BTreeMap<String, RateClass>,
    /// The classes that article 59 lists, and that are therefore supplied where
    /// a consumer outside the Union lives: consultancy, engineering, law,
    /// accounting, data processing (letter c).
    #[serde(default = "listed")]
    pub article_59: Vec<String>,
    /// What becomes of a business in another member state without a VAT id.
    #[serde(default)]
    pub without_vat_id: WithoutVatId,
    /// Whether a VAT id must have been confirmed.
    #[serde(default)]
    pub confirmation: Confirmation,
}

/// Which of a member state's rates a class bears.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum RateClass {
    /// The standard rate.
    Standard,
    /// The higher of two reduced rates, or the only one.
    Reduced,
    /// The lower of two reduced rates.
    SecondReduced,
    /// A rate below 5 percent.
    SuperReduced,
    /// Exempt (articles 132 and 135), at home only.
    Exempt,
}

/// What becomes of a business in another member state that has given no VAT id.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutVatId {
    /// The message waits until somebody enters the id. The default, because tax
    /// that was charged wrongly is owed all the same (article 203).
    #[default]
    Refuse,
    /// It is taxed as a consumer, as Regulation 282/2011 article 18(2) allows.
    AsConsumer,
}

/// Whether somebody must have asked VIES for the id of a business.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmation {
    /// An id without a confirmation passes, and the reason says so.
    #[default]
    Advised,
    /// Without a confirmation the message waits (Regulation 282/2011 article
    /// 18(1)(a)).
    Required,
}

/// The class of one line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Class {
    /// Its rate at home.
    pub rate: RateClass,
    /// Whether article 59 lists it.
    pub listed: bool,
}

impl Settings {
    /// The class of a line.
    ///
    /// # Errors
    ///
    /// The line names a class that the settings do not know.
    pub fn class_of(&self, line: &DocumentLine, index: usize) -> Result<Class> {
        let name = line.tax_class.as_deref().unwrap_or(&self.usual_class);
        let rate = match self.tax_classes.get(name) {
            Some(rate) => *rate,
            None if name == PROFESSIONAL_SERVICES => RateClass::Standard,
            None => {
                return Err(invalid(
                    format!("document.lines[{index}].tax-class"),
                    "must be `professional-services` or a class listed under `tax-classes` in the settings",
                ));
            }
        };
        Ok(Class {
            rate,
            listed: self.article_59.iter().any(|class| class == name),
        })
    }
}

fn half_up() -> Rounding {
    Rounding::HalfUp
}

fn professional_services() -> String {
    PROFESSIONAL_SERVICES.to_owned()
}

fn listed() -> Vec<String> {
    vec![professional_services()]
}
