//! What a region says in the binding's settings: what holds for all of its
//! contracts, and the [`Rules`] that contracts choose from by their terms. A word that
//! is not known here is refused, and so is a number that would mean nothing.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;
use serde::Deserialize;

use crate::rules::Rules;

/// The settings of a binding.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Where cents are rounded when lines are summed: for a cap, a minimum, a fixed
    /// price. No default: the tax plugin and the books must do the same.
    pub rounding: RoundingMethod,
    /// How a half cent is rounded.
    #[serde(default = "half_up")]
    pub rounding_mode: Rounding,
    /// Which bills stand apart.
    #[serde(default)]
    pub apart: Apart,
    /// Which day a bill gives as its tax point.
    #[serde(default)]
    pub tax_point: TaxPoint,
    /// How many digits the quantity of a line has behind the point, 0 to 6; a half is
    /// rounded away from zero. Two is what Odoo keeps unless it is told otherwise.
    #[serde(default = "two")]
    pub quantity_digits: u32,
    /// The units of contract lines that time is sold by, with the hours in one.
    #[serde(default = "hours_of")]
    pub hours_of: BTreeMap<String, Decimal>,
    /// The unit of a contract line that names none.
    #[serde(default = "hour")]
    pub usual_unit: String,
    /// The rules of a contract whose terms have none of their own.
    #[serde(default)]
    pub usual: Rules,
    /// The rules of contracts by the name of their terms. They take the place of the
    /// usual ones whole.
    #[serde(default)]
    pub terms: BTreeMap<String, Rules>,
    /// An extension field of the contract whose text, where it is there, names the
    /// terms in the place of `contract.terms`: for a contract that differs from the
    /// others of its terms.
    #[serde(default)]
    pub terms_field: Option<String>,
    /// What lines are called that no contract line names.
    #[serde(default)]
    pub texts: Texts,
}

/// Which bills stand apart.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Apart {
    /// One for the contract.
    #[default]
    Contract,
    /// One for each project of the contract, and one for what names no project.
    Project,
}

/// Which day a bill gives as its tax point.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum TaxPoint {
    /// The last day of its period: services with successive bills are supplied when
    /// the period ends that a bill is for (Directive 2006/112/EC, articles 63 and 64(1)).
    #[default]
    PeriodEnd,
    /// None: the tax stage takes the day of the message, for places where the day of
    /// the bill counts.
    Unsaid,
}

/// What lines are called that no contract line names, in the region's language.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Texts {
    /// What fills a bill up to the minimum.
    pub minimum_charge: String,
    /// What takes off what is beyond the cap.
    pub beyond_cap: String,
    /// An expense that says neither what it was nor its category.
    pub expense: String,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            minimum_charge: "Minimum charge".to_owned(),
            beyond_cap: "Beyond the agreed cap, not charged".to_owned(),
            expense: "Expense".to_owned(),
        }
    }
}

/// More digits than a quantity can need: a second is 0.000278 hours.
const MOST_DIGITS: u32 = 6;

impl Settings {
    /// The settings of a call.
    ///
    /// # Errors
    ///
    /// [`Fault::Broken`] with the setting that cannot be.
    pub fn of(context: &Context) -> Result<Self> {
        let settings: Self = context.settings()?;
        let wrong = |what: String| Err(broken(format!("settings: {what}")));
        if settings.quantity_digits > MOST_DIGITS {
            return wrong(format!("`quantity-digits` must be from 0 to {MOST_DIGITS}"));
        }
        if let Some((unit, _)) = settings
            .hours_of
            .iter()
            .find(|(_, hours)| hours.value() <= Amount::ZERO)
        {
            return wrong(format!("`hours-of.{unit}` must be more than 0"));
        }
        let usual = std::iter::once(("usual".to_owned(), &settings.usual));
        let named = settings
            .terms
            .iter()
            .map(|(name, rules)| (format!("terms.{name}"), rules));
        for (name, rules) in usual.chain(named) {
            if let Some(what) = rules.wrong() {
                return wrong(format!("`{name}.{what}"));
            }
        }
        Ok(settings)
    }
}

fn half_up() -> Rounding {
    Rounding::HalfUp
}

fn two() -> u32 {
    2
}

fn hour() -> String {
    "hour".to_owned()
}

fn hours_of() -> BTreeMap<String, Decimal> {
    BTreeMap::from([(hour(), 1.into()), ("day".to_owned(), 8.into())])
}
