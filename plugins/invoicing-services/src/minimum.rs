//! The minimum charge: what fills a bill's time up to it, together with what other bills
//! of the same period have charged.

use cambist_sdk::prelude::*;

use crate::{
    bill::{Bill, Line, line_of},
    billed::Billed,
    terms::Terms,
};

/// What is short of the minimum.
#[derive(Clone, Copy, Debug)]
pub struct Short {
    /// The minimum.
    pub least: Amount,
    /// What other bills of the period have charged.
    pub before: Amount,
    /// What fills up.
    pub short: Amount,
}

/// What a bill's time is short of the minimum: nothing where no time was worked, or as
/// much was taken back. `worked` is what its time comes to.
///
/// # Errors
///
/// The settings have minimum charges, and none in the contract's currency.
pub fn short(
    worked: Amount,
    project: Option<&EntityRef>,
    until: &str,
    terms: &Terms<'_>,
    billed: &Billed<'_>,
) -> Result<Option<Short>> {
    let minimums = &terms.rules.minimum_charge;
    if minimums.is_empty() {
        return Ok(None);
    }
    let least = minimums.get(terms.currency).ok_or_else(|| {
        invalid(
            "contract.currency",
            "has no minimum charge in the settings, which have some; add one, `\"0\"` for none",
        )
    })?;
    let least = terms.round(least.value());
    let before = billed.net_of_period(until, project, terms)?;
    let before = terms.round(before.max(Amount::ZERO));
    let short = least - worked - before;
    let needed = worked > Amount::ZERO && short > Amount::ZERO;
    Ok(needed.then_some(Short { least, before, short }))
}

/// The line that fills a bill of time up, where one is needed.
///
/// # Errors
///
/// As [`short`]; or the bill's lines differ in what tax law sees, so the minimum's tax
/// would be guessed.
pub fn line(bill: &Bill<'_>, until: &str, terms: &Terms<'_>, billed: &Billed<'_>) -> Result<Option<Line>> {
    let worked = bill.total(terms)?;
    let Some(Short { least, before, short }) = short(worked, bill.project, until, terms, billed)? else {
        return Ok(None);
    };
    let Some((first, rest)) = bill.lines.split_first() else {
        return Ok(None);
    };
    let first = &first.line;
    let same =
        |line: &Line| line.line.tax_class == first.tax_class && line.line.performed_at == first.performed_at;
    if !rest.iter().all(same) {
        return Err(invalid(
            "contract.lines",
            "differ in tax class or place of performance, and time below the minimum charge was worked on several; \
             bill it by hand, or have lines of one class",
        ));
    }
    let text = format!(
        "time comes to {worked} {currency}, and {before} {currency} were billed for this period before: {short} fills \
         up to the minimum of {least}",
        currency = terms.currency
    );
    Ok(Some(Line {
        line: InvoiceLine {
            tax_class: first.tax_class.clone(),
            performed_at: first.performed_at.clone(),
            project: bill.project.cloned(),
            ..line_of(
                "minimum".to_owned(),
                terms.settings.texts.minimum_charge.clone(),
                short,
            )?
        },
        reason: reason("minimum-charge", text).by(terms.basis()),
    }))
}
