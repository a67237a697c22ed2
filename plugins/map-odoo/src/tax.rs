//! `account.tax`: Odoo's name for the tax that an assessment found on a line.
//!
//! The table is the region's, because a chart of accounts has its own taxes. A
//! rate that is not in it is a fault that names the key: a tax is never guessed,
//! and never left to Odoo's defaults once a tax plugin has spoken.

use std::collections::{BTreeMap, BTreeSet};

use cambist_sdk::prelude::*;

use crate::settings::Settings;

/// The taxes of one contract.
pub(crate) struct Taxes<'a> {
    settings: &'a Settings,
    assessment: Option<&'a Assessment>,
    /// By line: an assessment may name the lines in any order.
    lines: BTreeMap<&'a str, &'a [AppliedRate]>,
}

impl<'a> Taxes<'a> {
    /// The taxes of `contract`: none where the flow has no tax stage.
    pub(crate) fn of(settings: &'a Settings, contract: &EntityRef, assessments: &'a [Assessment]) -> Self {
        let assessment = assessments.iter().find(|assessment| assessment.ref_ == *contract);
        let lines = assessment.map_or(&[][..], |it| &it.lines);
        let lines = lines
            .iter()
            .map(|tax| (tax.line.as_str(), tax.rates.as_slice()))
            .collect();
        Self {
            settings,
            assessment,
            lines,
        }
    }

    /// The assessment that the taxes are from.
    pub(crate) fn assessment(&self) -> Option<&'a Assessment> {
        self.assessment
    }

    /// Writes a line's taxes: external ids with commas between them, empty where
    /// no tax falls on it, and nothing where nobody has assessed the contract.
    ///
    /// # Errors
    ///
    /// A rate is not in the table, or the assessment leaves the line out.
    pub(crate) fn write(&self, line: &str, values: Values) -> Result<Values> {
        if self.assessment.is_none() {
            return Ok(values);
        }
        let rates = self.lines.get(line);
        let rates = rates.ok_or_else(|| broken(format!("the assessment says nothing of line `{line}`")))?;
        let ids = self.ids(rates)?;
        if ids.is_empty() {
            return Ok(values.empty("tax_ids/id"));
        }
        Ok(values.text("tax_ids/id", ids))
    }

    /// Rates that Odoo keeps as one tax go first, then each rate by itself. What
    /// a customer withholds is no tax on the line.
    fn ids(&self, rates: &[AppliedRate]) -> Result<String> {
        let taxed = rates
            .iter()
            .map(|applied| &applied.rate)
            .filter(|rate| rate.treatment != Treatment::Withholding);
        let keys: BTreeSet<String> = taxed.map(key).collect();
        let together = joined(keys.iter().map(String::as_str), '+');
        if let Some(id) = self.settings.taxes.get(&together) {
            return Ok(id.clone());
        }
        let each = |key: &String| {
            self.settings
                .taxes
                .get(key)
                .ok_or_else(|| missing(key, &together))
        };
        let ids: Vec<&String> = keys.iter().map(each).collect::<Result<_>>()?;
        Ok(joined(ids.into_iter().map(String::as_str), ','))
    }
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>, separator: char) -> String {
    let mut text = String::with_capacity(64);
    for part in parts {
        if !text.is_empty() {
            text.push(separator);
        }
        text.push_str(part);
    }
    text
}

fn missing(key: &str, together: &str) -> Fault {
    let or = if key == together {
        String::new()
    } else {
        format!(" or `{together}`")
    };
    invalid(
        "settings.taxes",
        format!("must have the key `{key}`{or}, with the external id of Odoo's tax"),
    )
}

/// `VAT/standard/19`, or `fixed` in the place of a percentage; who levies it behind that,
/// where the rate says so: `SALES/standard/6.25/US-TX`.
fn key(rate: &Rate) -> String {
    let treatment = match rate.treatment {
        Treatment::Standard => "standard",
        Treatment::Reduced => "reduced",
        Treatment::Zero => "zero",
        Treatment::Exempt => "exempt",
        Treatment::ReverseCharge => "reverse-charge",
        Treatment::IntraCommunity => "intra-community",
        Treatment::OutsideScope => "outside-scope",
        Treatment::Exported => "exported",
        Treatment::Withholding => "withholding",
    };
    let mut key = String::with_capacity(32);
    let percent = rate.percent.map(|percent| percent.text(0));
    let percent = percent.as_deref().unwrap_or("fixed");
    for part in [&rate.code, "/", treatment, "/", percent] {
        key.push_str(part);
    }
    if let Some(jurisdiction) = &rate.jurisdiction {
        key.push('/');
        key.push_str(jurisdiction);
    }
    key
}
