//! The cap: a contract is billed in the order in which things were worked and spent, up
//! to its amount less what was billed before. The thing that crosses the cap is billed
//! with a line that takes off what is beyond it; later things stay unbilled, for the day
//! on which the cap is raised or somebody writes them off.

use cambist_sdk::prelude::*;

use crate::{
    bill::{self, Bill, Line, line},
    billed::Billed,
    items::Item,
    terms::Terms,
};

/// The bills of a capped contract. `reasons` is told what is cut off.
///
/// # Errors
///
/// The contract has no amount, or a line none that could be computed.
pub fn within<'a>(
    items: &[Item<'a>],
    until: &str,
    terms: &Terms<'a>,
    billed: &Billed<'a>,
    reasons: &mut Vec<Reason>,
) -> Result<Vec<Bill<'a>>> {
    let with_expenses = terms.rules.expenses.within_cap;
    let cap = terms.amount()?.required("contract.amount")?;
    let before = terms.round(billed.net(with_expenses, terms)?);
    let left = (cap - before).max(Amount::ZERO);
    let (capped, free): (Vec<Item<'a>>, Vec<Item<'a>>) = items
        .iter()
        .partition(|item| with_expenses || matches!(item, Item::Time(_)));
    let charge = |count: usize| -> Result<Amount> {
        let first: Vec<Item<'a>> = capped.iter().take(count).copied().collect();
        bill::charge(&first, until, terms, billed)
    };
    let bills = |count: usize| -> Result<Vec<Bill<'a>>> {
        let kept: Vec<Item<'a>> = capped.iter().take(count).chain(&free).copied().collect();
        bill::all(&kept, until, terms, billed)
    };
    let told = |what: &str| {
        format!(
            "the cap is {cap} {currency}, {before} were billed before and {left} are left: {what}",
            currency = terms.currency
        )
    };
    let all = charge(capped.len())?;
    if all <= left {
        reasons.push(reason("within-cap", told(&format!("all of {all} is billed"))).by("contract.amount"));
        return bills(capped.len());
    }

    // The most things that fit, by halves: `fits` come to `fitting`, which is within the
    // cap, and `beyond` to `passing`, which is not.
    let (mut fits, mut fitting) = (0, Amount::ZERO);
    let (mut beyond, mut passing) = (capped.len(), all);
    while beyond - fits > 1 {
        let half = fits + (beyond - fits) / 2;
        let charged = charge(half)?;
        match charged <= left {
            true => (fits, fitting) = (half, charged),
            false => (beyond, passing) = (half, charged),
        }
    }
    let crossing = capped.get(fits).filter(|_| fitting < left);
    let kept = if crossing.is_some() { beyond } else { fits };
    let mut bills = bills(kept)?;
    let what = match crossing {
        None => "what fits is billed".to_owned(),
        Some(item) => {
            let over = passing - left;
            take_off(&mut bills, item, over, terms)?;
            format!("{} crosses it, and {over} is taken off", item.told())
        }
    };
    reasons.push(reason("cap-reached", told(&what)).by("contract.amount"));
    for item in capped.iter().skip(kept) {
        let text = format!(
            "{} is not billed: the cap of {cap} {} is reached",
            item.told(),
            terms.currency
        );
        reasons.push(reason("beyond-cap", text).by("contract.amount"));
    }
    Ok(bills)
}

/// Takes an amount off the bill that an item stands on, in the item's own tax class.
fn take_off<'a>(bills: &mut [Bill<'a>], item: &Item<'a>, over: Amount, terms: &Terms<'a>) -> Result<()> {
    let of_item = |line: &InvoiceLine| match item {
        Item::Time(time) => line.timesheets.contains(&time.sheet.ref_),
        Item::Spent(spent) => line.expenses.contains(&spent.expense.ref_),
    };
    for bill in bills {
        let Some(found) = bill.lines.iter().find(|line| of_item(&line.line)) else {
            continue;
        };
        let of = &found.line;
        let line = InvoiceLine {
            tax_class: of.tax_class.clone(),
            performed_at: of.performed_at.clone(),
            contract_line: of.contract_line.clone(),
            project: of.project.clone(),
            ..line(
                "cap".to_owned(),
                terms.settings.texts.beyond_cap.clone(),
                (-1).into(),
                over.exact()?,
            )
        };
        let text = format!(
            "line `cap` takes off {over} {}, which is beyond the cap",
            terms.currency
        );
        bill.lines.push(Line {
            line,
            reason: reason("beyond-cap", text).by("contract.amount"),
        });
        break;
    }
    Ok(())
}
