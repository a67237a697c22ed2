//! Sums of lines, with the cents rounded where the settings say, which is where the tax
//! plugin and the books round them.

use cambist_sdk::prelude::*;

use crate::terms::Terms;

/// No amount is larger: a number of the contract has some 9 × 10^15 units, so a larger one
/// could not be told, and sums of all that a message can hold have digits enough.
const MOST: Amount = dec!(10_000_000_000_000_000);

/// What so many cost at a price, less a discount, before rounding. `path` is how faults
/// call it.
///
/// # Errors
///
/// A discount beyond 0 to 100 percent, or an amount that is too large to be told.
pub fn of(quantity: Amount, price: Amount, discount: Option<&Decimal>, path: &str) -> Result<Amount> {
    let amount = line_amount(quantity, price, discount.map(Decimal::value), path)?;
    match amount.abs() <= MOST {
        true => Ok(amount),
        false => Err(invalid(path, "comes to an amount that is too large to be told")),
    }
}

/// The amount of a bill's line before rounding.
///
/// # Errors
///
/// As [`of`].
pub fn of_line(line: &InvoiceLine, path: &str) -> Result<Amount> {
    let (quantity, price) = (line.quantity.value(), line.unit_price.value());
    of(quantity, price, line.discount_percent.as_ref(), path)
}

/// The amount of the contract's line at `index`, before rounding.
///
/// # Errors
///
/// As [`of`].
pub fn of_contract_line(line: &ContractLine, index: usize) -> Result<Amount> {
    at_its_price(line.quantity.value(), line, index)
}

/// What so many of the contract's line at `index` come to, before rounding.
///
/// # Errors
///
/// As [`of`].
pub fn at_its_price(quantity: Amount, line: &ContractLine, index: usize) -> Result<Amount> {
    let amount = |path: &str| {
        of(
            quantity,
            line.unit_price.value(),
            line.discount_percent.as_ref(),
            path,
        )
    };
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
