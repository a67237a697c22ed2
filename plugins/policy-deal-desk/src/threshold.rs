//! Who must agree to an amount.
//!
//! The highest threshold that the amount passes decides, because who may commit
//! more may commit less; where several roles stand at that threshold, each must
//! agree, in the order of the settings.

use cambist_sdk::prelude::*;

use crate::{RULES, deal::Deal, settings::Settings};

/// What became of one check.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    /// Who must agree; none when nobody has to.
    pub role: Option<&'a str>,
    /// Why.
    pub reason: Reason,
}

/// The checks of a deal's amount, in order; at least one, unless the deal names
/// no currency, which is a missing prerequisite.
///
/// # Errors
///
/// A line's amount cannot be computed.
pub fn checks<'a>(deal: &Deal<'_>, settings: &'a Settings) -> Result<Vec<Check<'a>>> {
    let Some(currency) = deal.contract.currency.as_deref() else {
        return Ok(Vec::new());
    };
    let amount = net(deal.contract, currency)?;
    let of_currency = || {
        settings
            .currency_thresholds
            .iter()
            .filter(|threshold| threshold.currency == currency)
    };

    if of_currency().next().is_none() {
        let text = format!(
            "there is no threshold for {currency}; agree to the amount, or have one added to the settings"
        );
        return Ok(vec![Check {
            role: Some(&settings.role),
            reason: reason("currency-without-threshold", text).by(RULES),
        }]);
    }
    let passed = of_currency().filter(|threshold| amount > threshold.above.value());
    let Some(highest) = passed.clone().map(|threshold| threshold.above.value()).max() else {
        let text = format!("the net amount of {amount} {currency} is within what sales may commit");
        return Ok(vec![Check {
            role: None,
            reason: reason("amount-within-limit", text).by(RULES),
        }]);
    };
    Ok(passed
        .filter(|threshold| threshold.above.value() == highest)
        .map(|threshold| Check {
            role: Some(&threshold.role),
            reason: reason(
                "amount-above-threshold",
                format!(
                    "the net amount of {amount} {currency} is above {}",
                    highest.normalize()
                ),
            )
            .by(RULES),
        })
        .collect())
}

/// The contract's net amount: the sum of its lines, each rounded to the currency.
fn net(contract: &Contract, currency: &str) -> Result<Amount> {
    let mut sum = round_to_currency(Amount::ZERO, currency, Rounding::HalfUp);
    for (index, line) in contract.lines.iter().flatten().enumerate() {
        let path = format!("contract.lines[{index}]");
        let discount = line.discount_percent.map(|percent| percent.value());
        let amount = line_amount(line.quantity.value(), line.unit_price.value(), discount, &path)?;
        sum = sum
            .checked_add(round_to_currency(amount, currency, Rounding::HalfUp))
            .required(path)?;
    }
    Ok(sum)
}
