//! Sums of lines, with the cents rounded where the settings say, which is where the tax
//! plugin and the books round them.

use cambist_sdk::prelude::*;

use crate::terms::Terms;

/// The amount of a bill's line before rounding. `path` is how faults call it.
///
/// # Errors
///
/// A discount beyond 0 to 100 percent, or more digits than an amount can have.
pub fn of_line(line: &InvoiceLine, path: &str) -> Result<Amount> {
    let discount = line.discount_percent.map(|percent| percent.value());
    line_amount(line.quantity.value(), line.unit_price.value(), discount, path)
}

/// The amount of the contract's line at `index`, before rounding.
///
/// # Errors
///
/// As [`of_line`].
pub fn of_contract_line(line: &ContractLine, index: usize) -> Result<Amount> {
    at_its_price(line.quantity.value(), line, index)
}

/// What so many of the contract's line at `index` come to, before rounding.
///
/// # Errors
///
/// As [`of_line`].
pub fn at_its_price(quantity: Amount, line: &ContractLine, index: usize) -> Result<Amount> {
    let discount = line.discount_percent.map(|percent| percent.value());
    let amount = |path: &str| line_amount(quantity, line.unit_price.value(), discount, path);
    // the path is for the fault alone, and there may be thousands of amounts
    amount("").or_else(|_| amount(&format!("contract.lines[{index}]")))
}

/// The sum of amounts: each is rounded, or the sum.
///
/// # Errors
///
/// One of them is an error, or the sum has more digits than an amount can have.
pub fn sum(amounts: impl Iterator<Item = Result<Amount>>, terms: &Terms<'_>) -> Result<Amount> {
    let each = terms.settings.rounding == RoundingMethod::PerLine;
    let mut sum = Amount::ZERO;
    for amount in amounts {
        let amount = if each { terms.round(amount?) } else { amount? };
        sum = sum
            .checked_add(amount)
            .ok_or_else(|| invalid("contract", "comes to an amount of more digits than one can have"))?;
    }
    Ok(terms.round(sum))
}
