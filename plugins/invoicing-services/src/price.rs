//! What an hour and an expense cost: the line of the contract that prices time, and the
//! markup on what was spent.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use crate::{
    amounts,
    billed::{Key, key},
    items::Spent,
    place::Place,
    terms::Terms,
};

/// Whether the contract prices time by roles.
pub fn by_role(terms: &Terms<'_>) -> bool {
    terms.lines.iter().any(|line| line.role.is_some())
}

/// Who worked, as far as the message says. `needed`: their role or name is asked for,
/// unless time names its line and nothing else asks.
///
/// # Errors
///
/// The worker is needed and not in the message.
pub fn worker<'a>(
    sheet: &'a Timesheet,
    workers: &BTreeMap<Key<'a>, &'a Resource>,
    (by_role, named): (bool, bool),
) -> Result<Option<&'a Resource>> {
    let Some(name) = sheet.worker.as_ref() else {
        return Ok(None);
    };
    let worker = workers.get(&key(name)).copied();
    let needed = named || (by_role && sheet.contract_line.is_none());
    match worker {
        None if needed => Err(waiting(name.clone())),
        worker => Ok(worker),
    }
}

/// The contract's line that prices time: the one it names; else the one of its worker's
/// role; else, in a contract that knows no roles, its only line that is sold by time.
///
/// # Errors
///
/// There is no such line, or several, or it is not sold by time.
pub fn line<'a>(
    sheet: &'a Timesheet,
    worker: Option<&'a Resource>,
    by_role: bool,
    terms: &Terms<'a>,
    at: Place,
) -> Result<(usize, &'a ContractLine)> {
    if let Some(id) = sheet.contract_line.as_deref() {
        let (index, line) = terms.line(id, || at.field("contract-line"))?;
        hours_of(line, terms).ok_or_else(|| {
            invalid(
                format!("contract.lines[{index}].unit"),
                "is no unit of time, and time is booked on the line; add it to `hours-of` in the settings, or name \
                 another line on the timesheet",
            )
        })?;
        return Ok((index, line));
    }
    let role = match by_role {
        false => None,
        true => Some(worker.and_then(|worker| worker.role.as_deref()).ok_or_else(|| {
            invalid(
                at.field("worker"),
                "has no role, and the contract's prices go by roles; give the worker one, or name the contract line \
                 on the timesheet",
            )
        })?),
    };
    let lines = terms.lines.iter().enumerate();
    let mut fit = lines.filter(|(_, line)| line.role.as_deref() == role && hours_of(line, terms).is_some());
    match (fit.next(), fit.next()) {
        (Some(line), None) => Ok(line),
        (found, _) => Err(invalid(
            at.field("contract-line"),
            match (found, role) {
                (None, Some(_)) => "is needed: no line of the contract prices the worker's role by time",
                (None, None) => "is needed: no line of the contract is sold by time",
                (Some(_), Some(_)) => "is needed: several lines of the contract price the worker's role",
                (Some(_), None) => {
                    "is needed: several lines of the contract are sold by time, and none names a role"
                }
            },
        )),
    }
}

/// The unit of a contract line.
pub fn unit<'a>(line: &'a ContractLine, terms: &Terms<'a>) -> &'a str {
    line.unit.as_deref().unwrap_or(&terms.settings.usual_unit)
}

/// The hours in one of a contract line's unit; none when it is not sold by time.
pub fn hours_of(line: &ContractLine, terms: &Terms<'_>) -> Option<Amount> {
    let hours = terms.settings.hours_of.get(unit(line, terms));
    hours.map(Decimal::value)
}

/// An expense with what is billed for it.
///
/// # Errors
///
/// It lacks an amount, or is in another currency than the contract.
pub fn spent<'a>(expense: &'a Expense, day: &'a str, terms: &Terms<'a>, at: Place) -> Result<Spent<'a>> {
    let currency = at.required(expense.currency.as_deref(), "currency")?;
    if currency != terms.currency {
        return Err(invalid(
            at.field("currency"),
            format!(
                "is not {}, the contract's currency; this plugin knows no rates: enter what it is billed at in {}",
                terms.currency, terms.currency
            ),
        ));
    }
    let rules = &terms.rules.expenses;
    let field = || at.field("contract-line");
    let like = match expense.contract_line.as_deref() {
        Some(id) => Some(terms.line(id, field)?.1),
        None if rules.tax_class.is_some() => None,
        None => terms.whole(field)?,
    };
    let of_category = expense
        .category
        .as_ref()
        .and_then(|category| rules.markup_by_category.get(category));
    let markup = of_category.unwrap_or(&rules.markup_percent).value();
    let cost = at.required(expense.amount, "amount")?.value();
    let amount = amounts::of(cost, Amount::ONE + markup / dec!(100), None, "expenses")?;
    Ok(Spent {
        expense,
        day,
        amount: terms.round(amount),
        markup,
        like,
    })
}
