//! Which time and which expenses are billed. Everything that is not has a reason, and
//! what cannot be told is a fault.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use crate::{
    billed::{Billed, Key, key},
    place::Place,
    price,
    rules::BillExpenses,
    terms::Terms,
    time,
};

/// Time that is billed.
#[derive(Clone, Copy, Debug)]
pub struct Time<'a> {
    /// The time.
    pub sheet: &'a Timesheet,
    /// The day that was worked.
    pub day: &'a str,
    /// The hours that were approved.
    pub hours: Amount,
    /// The contract's line that prices it, and its place.
    pub line: (usize, &'a ContractLine),
    /// Who worked, where the message holds them.
    pub worker: Option<&'a Resource>,
    /// The line of a bill that it stands on, in the order of lines.
    pub stands_on: usize,
}

/// An expense that is billed.
#[derive(Clone, Copy, Debug)]
pub struct Spent<'a> {
    /// The expense.
    pub expense: &'a Expense,
    /// The day it was spent.
    pub day: &'a str,
    /// What is billed for it, with its markup, rounded.
    pub amount: Amount,
    /// What was put on it, in percent.
    pub markup: Amount,
    /// The contract's line that it names, or else one that all lines are like in what
    /// tax law sees.
    pub like: Option<&'a ContractLine>,
}

/// One thing that is billed.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// Time.
    Time(Time<'a>),
    /// An expense.
    Spent(Spent<'a>),
}

impl<'a> Item<'a> {
    /// The project that it names.
    pub fn project(&self) -> Option<&'a EntityRef> {
        match self {
            Self::Time(time) => time.sheet.project.as_ref(),
            Self::Spent(spent) => spent.expense.project.as_ref(),
        }
    }

    /// Its name in a reason, such as `timesheet odoo/12`.
    pub fn told(&self) -> String {
        match self {
            Self::Time(time) => told("timesheet", &time.sheet.ref_),
            Self::Spent(spent) => told("expense", &spent.expense.ref_),
        }
    }

    /// What stands in the order of billing: the day, time before expenses, the name.
    fn order(&self) -> (&'a str, bool, Key<'a>) {
        match self {
            Self::Time(time) => (time.day, false, key(&time.sheet.ref_)),
            Self::Spent(spent) => (spent.day, true, key(&spent.expense.ref_)),
        }
    }
}

/// A thing's name in a reason.
pub fn told(kind: &str, name: &EntityRef) -> String {
    format!("{kind} {}/{}", name.system, name.id)
}

/// What is billed, by day, whatever its order in the message; `reasons` is told what is
/// not. Of what the message holds twice under one name, the later one counts.
///
/// # Errors
///
/// Something that is to be billed lacks what it needs for that.
pub fn all<'a>(
    billable: &'a Billable,
    terms: &Terms<'a>,
    billed: &Billed<'a>,
    reasons: &mut Vec<Reason>,
) -> Result<Vec<Item<'a>>> {
    let projects: BTreeMap<Key<'a>, &Project> = billable
        .projects
        .iter()
        .map(|project| (key(&project.ref_), project))
        .collect();
    let workers: BTreeMap<Key<'a>, &Resource> = billable
        .resources
        .iter()
        .map(|worker| (key(&worker.ref_), worker))
        .collect();
    let by_role = price::by_role(terms);
    let among = Among {
        terms,
        projects,
        period: (&billable.from, &billable.until),
    };
    let mut items = Vec::with_capacity(billable.timesheets.len() + billable.expenses.len());

    let sheets = billable
        .timesheets
        .iter()
        .enumerate()
        .map(|(index, sheet)| (key(&sheet.ref_), (index, sheet)));
    for (index, sheet) in sheets.collect::<BTreeMap<_, _>>().into_values() {
        let at = Place::of("timesheets", index);
        let approved = matches!(sheet.status, None | Some(TimesheetStatus::Approved));
        let facts = Facts {
            billed: billed.has_timesheet(&sheet.ref_),
            approved,
            billable: sheet.billable,
            project: sheet.project.as_ref(),
            day: sheet.day.as_deref(),
        };
        let included = (terms.billing == BillingMethod::FixedPrice).then_some((
            "in-the-fixed-price",
            "the contract has a fixed price, which its milestones bill",
        ));
        match among.day(&facts, included, at)? {
            Ok(day) => {
                let worker = price::worker(sheet, &workers, (by_role, terms.rules.asks_for_workers()))?;
                items.push(Item::Time(Time {
                    sheet,
                    day,
                    hours: at.required(sheet.hours, "hours")?.value(),
                    line: price::line(sheet, worker, by_role, terms, at)?,
                    worker,
                    stands_on: 0,
                }));
            }
            Err((code, why)) => reasons.push(out(code, &told("timesheet", &sheet.ref_), why)),
        }
    }

    let spent = billable
        .expenses
        .iter()
        .enumerate()
        .map(|(index, spent)| (key(&spent.ref_), (index, spent)));
    for (index, expense) in spent.collect::<BTreeMap<_, _>>().into_values() {
        let at = Place::of("expenses", index);
        let approved = matches!(expense.status, None | Some(ExpenseStatus::Approved));
        let facts = Facts {
            billed: billed.has_expense(&expense.ref_),
            approved,
            billable: expense.billable,
            project: expense.project.as_ref(),
            day: expense.day.as_deref(),
        };
        let included = (terms.rules.expenses.bill == BillExpenses::Included)
            .then_some(("in-the-prices", "the contract's prices include expenses"));
        match among.day(&facts, included, at)? {
            Ok(day) => items.push(Item::Spent(price::spent(expense, day, terms, at)?)),
            Err((code, why)) => reasons.push(out(code, &told("expense", &expense.ref_), why)),
        }
    }
    items.sort_by(|one, other| one.order().cmp(&other.order()));
    time::onto_lines(&mut items, terms);
    Ok(items)
}

/// Why something is not billed: a code and the words behind its name.
type Out = (&'static str, &'static str);

fn out(code: &str, what: &str, why: &str) -> Reason {
    reason(code, format!("{what} is not billed: {why}"))
}

/// What decides whether a thing is billed.
struct Facts<'a> {
    billed: bool,
    approved: bool,
    billable: Option<bool>,
    project: Option<&'a EntityRef>,
    day: Option<&'a str>,
}

/// What the things are looked for among.
struct Among<'a, 'b> {
    terms: &'b Terms<'a>,
    projects: BTreeMap<Key<'a>, &'a Project>,
    period: (&'a str, &'a str),
}

impl<'a> Among<'a, '_> {
    /// The day of a thing that is billed, or why it is not. `included` is why no such
    /// thing is.
    fn day(
        &self,
        facts: &Facts<'a>,
        included: Option<Out>,
        at: Place,
    ) -> Result<std::result::Result<&'a str, Out>> {
        if facts.billed {
            return Ok(Err((
                "already-billed",
                "an earlier invoice names it, and no credit note since",
            )));
        }
        if !facts.approved {
            return Ok(Err(("not-approved", "nobody has approved it")));
        }
        // who does not say is taken by the approval
        if facts.billable == Some(false) {
            return Ok(Err(("not-billable", "it is marked as not billable")));
        }
        if let Some(name) = facts.project {
            let project = self
                .projects
                .get(&key(name))
                .ok_or_else(|| waiting(name.clone()))?;
            if project
                .contract
                .as_ref()
                .is_some_and(|of| *of != self.terms.contract.ref_)
            {
                return Ok(Err(("other-contract", "its project delivers another contract")));
            }
        }
        let day = at.required(facts.day, "day")?;
        let (from, until) = self.period;
        if day < from || day > until {
            return Ok(Err((
                "outside-the-period",
                "it is not of the period that is billed",
            )));
        }
        Ok(included.map_or(Ok(day), Err))
    }
}
