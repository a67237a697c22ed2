//! The fixed price: each milestone that was reached is billed once, at its amount or its
//! share of the contract's amount (or of its contract line's), and the last share takes
//! what rounding has left, so that all of them come to the amount to the cent.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use crate::{
    amounts,
    bill::{Bill, Line, line_of, tag},
    billed::{Billed, Key, key},
    terms::Terms,
};

/// How far a share may be from what it stands for, in percent: a third is written 33.33.
const HALF_A_HUNDREDTH: Amount = dec!(0.005);

/// A milestone of the contract's projects.
#[derive(Clone, Copy, Debug)]
struct Of<'a> {
    project: &'a Project,
    milestone: &'a Milestone,
    /// Its place in the message.
    at: (usize, usize),
    /// What was billed for it before.
    before: Amount,
    /// Whether it is billed.
    billed: bool,
}

impl Of<'_> {
    fn path(&self, field: &str) -> String {
        format!("projects[{}].milestones[{}].{field}", self.at.0, self.at.1)
    }
}

/// Puts the milestones that are due onto bills, beside what stands on them already.
/// `reasons` is told of those that are not.
///
/// # Errors
///
/// A milestone has neither amount nor share, or what it is a share of is not told; or the
/// contract's amount would be passed.
pub fn bill<'a>(
    billable: &'a Billable,
    terms: &Terms<'a>,
    billed: &Billed<'_>,
    bills: &mut Vec<Bill<'a>>,
    reasons: &mut Vec<Reason>,
) -> Result<()> {
    let mut all = of_contract(billable, terms, billed);
    let mut due: Vec<(&str, Key<'_>, usize)> = Vec::new();
    for (index, it) in all.iter().enumerate() {
        if terms.billing != BillingMethod::FixedPrice && it.milestone.reached.is_none() {
            continue;
        }
        match why_not(it, billable, terms) {
            Some((code, why)) => {
                let text = format!("{} is not billed: {why}", told(it));
                reasons.push(reason(code, text));
            }
            None => due.extend(
                it.milestone
                    .reached
                    .as_deref()
                    .map(|day| (day, key(&it.project.ref_), index)),
            ),
        }
    }
    due.sort_unstable();
    let mut now = Amount::ZERO;
    for (_, _, index) in due {
        let Some(it) = all.get(index).copied() else {
            continue;
        };
        let (amount, why) = amount(&it, &all, terms)?;
        now += amount;
        // counts as billed for those that come after it
        if let Some(it) = all.get_mut(index) {
            (it.billed, it.before) = (true, it.before + amount);
        }
        let line = line(&it, amount, &why, terms)?;
        let project = Some(&it.project.ref_).filter(|_| terms.by_project());
        match bills.iter_mut().find(|bill| bill.project == project) {
            Some(bill) => bill.lines.push(line),
            None => bills.push(Bill {
                project,
                lines: vec![line],
            }),
        }
    }
    within_the_price(now, terms, billed)
}

/// The milestones of the contract's projects. Of a project that the message holds twice,
/// the later one counts.
fn of_contract<'a>(billable: &'a Billable, terms: &Terms<'_>, billed: &Billed<'_>) -> Vec<Of<'a>> {
    let projects = billable.projects.iter().enumerate();
    let projects: BTreeMap<_, _> = projects.map(|(index, it)| (key(&it.ref_), (index, it))).collect();
    let of_it = |project: &Project| {
        let contract = project.contract.as_ref();
        contract.is_none_or(|contract| *contract == terms.contract.ref_)
    };
    let mut all = Vec::new();
    for (index, project) in projects.into_values().filter(|(_, project)| of_it(project)) {
        for (at, milestone) in project.milestones.iter().flatten().enumerate() {
            let before = billed.of_milestone(&project.ref_, &milestone.id);
            all.push(Of {
                project,
                milestone,
                at: (index, at),
                before: before.amount,
                billed: before.billed,
            });
        }
    }
    all
}

fn told(it: &Of<'_>) -> String {
    format!(
        "milestone `{}` of project {}/{}",
        it.milestone.id, it.project.ref_.system, it.project.ref_.id
    )
}

fn why_not(it: &Of<'_>, billable: &Billable, terms: &Terms<'_>) -> Option<(&'static str, &'static str)> {
    if it.billed {
        return Some((
            "already-billed",
            "an earlier invoice names it, and no credit note since",
        ));
    }
    let Some(day) = it.milestone.reached.as_deref() else {
        return Some(("not-reached", "it is not reached"));
    };
    if terms.billing != BillingMethod::FixedPrice {
        return Some(("billed-by-time", "the contract is billed by time"));
    }
    let of_period = (billable.from.as_str()..=billable.until.as_str()).contains(&day);
    (!of_period).then_some((
        "outside-the-period",
        "it was not reached in the period that is billed",
    ))
}

/// What is billed for a milestone, and why.
fn amount(it: &Of<'_>, all: &[Of<'_>], terms: &Terms<'_>) -> Result<(Amount, String)> {
    let not_below_zero = |number: Decimal, field: &str| {
        let number = number.value();
        (number >= Amount::ZERO).then_some(number).ok_or_else(|| {
            invalid(
                it.path(field),
                "must not be less than 0; a credit note gives money back",
            )
        })
    };
    if let Some(amount) = it.milestone.amount {
        let amount = terms.round(not_below_zero(amount, "amount")?);
        return Ok((amount, "its own amount".to_owned()));
    }
    let share = it.milestone.share_percent.ok_or_else(|| {
        invalid(
            it.path("amount"),
            "is required, or `share-percent`, to know what the milestone bills",
        )
    })?;
    let share = not_below_zero(share, "share-percent")?;
    let (whole, what) = whole(it, terms)?;
    let plain = terms.round(amounts::of(
        whole,
        share / dec!(100),
        None,
        &it.path("share-percent"),
    )?);
    let rest = rest(it, all, whole, terms)?;
    let Some(rest) = rest.filter(|rest| *rest != plain) else {
        return Ok((plain, format!("{} % of {whole}, {what}", share.normalize())));
    };
    if rest < Amount::ZERO {
        return Err(invalid(
            it.path("share-percent"),
            "is the last share, and more was billed before than the amount leaves for it; give the milestone an \
             `amount`, or the contract its new one",
        ));
    }
    let why = format!(
        "the rest of {whole}, {what}: {} % would be {plain}, and the last share takes what the others have left",
        share.normalize()
    );
    Ok((rest, why))
}

/// What a milestone is a share of.
fn whole(it: &Of<'_>, terms: &Terms<'_>) -> Result<(Amount, String)> {
    if let Some(id) = it.milestone.contract_line.as_deref() {
        let (index, line) = terms.line(id, || it.path("contract-line"))?;
        let amount = amounts::of_contract_line(line, index)?;
        return Ok((terms.round(amount), format!("the amount of contract line `{id}`")));
    }
    let amount = terms.amount()?.required("contract.amount")?;
    Ok((amount, "the contract's amount".to_owned()))
}

/// What is left of the whole, where the milestone is the last share of it that is not
/// billed and all of them together are meant to be the whole.
fn rest(it: &Of<'_>, all: &[Of<'_>], whole: Amount, terms: &Terms<'_>) -> Result<Option<Amount>> {
    let same = |other: &&Of<'_>| other.milestone.contract_line == it.milestone.contract_line;
    let (mut shares, mut count, mut amounts, mut taken) =
        (Amount::ZERO, Amount::ZERO, Amount::ZERO, Amount::ZERO);
    for other in all.iter().filter(same) {
        taken += other.before;
        match (other.milestone.amount, other.milestone.share_percent) {
            (Some(amount), _) => {
                let amount = terms.round(amount.value());
                amounts += amount;
                if !other.billed {
                    taken += amount;
                }
            }
            (None, Some(share)) => {
                if !other.billed && other.at != it.at {
                    return Ok(None);
                }
                shares += share.value();
                count += Amount::ONE;
            }
            (None, None) => {}
        }
    }
    // in percent of the whole, without dividing by it
    let of_shares = whole.checked_mul(dec!(100) - shares);
    let missing = of_shares.and_then(|left| left.checked_sub(amounts * dec!(100)));
    let missing = missing.ok_or_else(|| {
        invalid(
            it.path("share-percent"),
            "has more digits than can be computed with",
        )
    })?;
    let meant = missing.abs() <= whole.abs() * count * HALF_A_HUNDREDTH;
    Ok(meant.then_some(whole - taken))
}

fn line(it: &Of<'_>, amount: Amount, why: &str, terms: &Terms<'_>) -> Result<Line> {
    let field = || it.path("contract-line");
    let like = match it.milestone.contract_line.as_deref() {
        Some(id) => Some(terms.line(id, field)?.1),
        None => terms.whole(field)?,
    };
    let id = format!("milestone/{}/{}", tag(&it.project.ref_, terms), it.milestone.id);
    let text = format!("line `{id}` bills {amount} {}: {why}", terms.currency);
    Ok(Line {
        line: InvoiceLine {
            tax_class: like.and_then(|line| line.tax_class.clone()),
            performed_at: like.and_then(|line| line.performed_at.clone()),
            sku: like
                .filter(|_| it.milestone.contract_line.is_some())
                .and_then(|line| line.sku.clone()),
            contract_line: it.milestone.contract_line.clone(),
            project: Some(it.project.ref_.clone()),
            milestone: Some(it.milestone.id.clone()),
            ..line_of(id, it.milestone.name.clone(), amount)?
        },
        reason: reason("milestone", text).by("projects.milestones"),
    })
}

/// A fixed price is not passed, whatever the milestones say.
fn within_the_price(now: Amount, terms: &Terms<'_>, billed: &Billed<'_>) -> Result<()> {
    let (true, Some(amount)) = (now > Amount::ZERO, terms.amount()?) else {
        return Ok(());
    };
    if billed.net(false, terms)? + now <= amount {
        return Ok(());
    }
    Err(invalid(
        "contract.amount",
        "is passed by what was billed before and what the milestones bill now; raise it, or mend the milestones",
    ))
}
