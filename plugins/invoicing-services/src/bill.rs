//! Bills while they are made: which lines stand on which, what each is for and why it is
//! there, and what a bill comes to.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use crate::{
    amounts,
    billed::{Billed, key},
    expenses,
    items::{Item, Spent, Time},
    minimum,
    terms::Terms,
    time,
};

/// A bill that is being made.
#[derive(Clone, Debug)]
pub struct Bill<'a> {
    /// The project that it is for, where bills stand apart by projects.
    pub project: Option<&'a EntityRef>,
    /// Its lines, in their order.
    pub lines: Vec<Line>,
}

/// A line and why it is there.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line, with its own project.
    pub line: InvoiceLine,
    /// Why it is there.
    pub reason: Reason,
}

impl Bill<'_> {
    /// What it comes to.
    ///
    /// # Errors
    ///
    /// A line has no amount that could be computed.
    pub fn total(&self, terms: &Terms<'_>) -> Result<Amount> {
        let lines = self.lines.iter().map(|line| &line.line);
        amounts::sum(lines.map(|line| amounts::of_line(line, &line.id)), terms)
    }
}

/// A line of one thing at a price, with all else unsaid.
pub fn line(id: String, name: String, quantity: Decimal, unit_price: Decimal) -> InvoiceLine {
    InvoiceLine {
        id,
        name,
        sku: None,
        quantity,
        unit: None,
        unit_price,
        discount_percent: None,
        tax_class: None,
        performed_at: None,
        contract_line: None,
        project: None,
        milestone: None,
        timesheets: Vec::new(),
        expenses: Vec::new(),
        extra: Vec::new(),
    }
}

/// A line of one amount; one that is taken back has a quantity of minus one, because a
/// price is never negative.
///
/// # Errors
///
/// The amount has more digits than the contract carries.
pub fn line_of(id: String, name: String, amount: Amount) -> Result<InvoiceLine> {
    let quantity = if amount < Amount::ZERO { -1 } else { 1 };
    Ok(line(id, name, quantity.into(), amount.abs().exact()?))
}

/// How ids of lines and names of bills call an entity: by its id alone where its system
/// is the contract's.
pub fn tag(name: &EntityRef, terms: &Terms<'_>) -> String {
    match name.system == terms.contract.ref_.system {
        true => name.id.clone(),
        false => format!("{}:{}", name.system, name.id),
    }
}

/// The bills of time and expenses, by projects where they stand apart, before any cap.
/// `until` is the last day of the period.
///
/// # Errors
///
/// A line has no amount that could be computed, or a minimum cannot be told.
pub fn all<'a>(
    items: &[Item<'a>],
    until: &str,
    terms: &Terms<'a>,
    billed: &Billed<'a>,
) -> Result<Vec<Bill<'a>>> {
    let mut bills = Vec::new();
    for stands in apart(items, terms) {
        let mut bill = Bill {
            project: stands.project,
            lines: time::lines(&stands.time, terms)?,
        };
        bill.lines.extend(minimum::line(&bill, until, terms, billed)?);
        bill.lines.extend(expenses::lines(&stands.spent, terms)?);
        bills.push(bill);
    }
    Ok(bills)
}

/// What [`all`] of these would charge, without making the bills. A bill of less than
/// nothing is none, and does not make room for others.
///
/// # Errors
///
/// As [`all`].
pub fn charge<'a>(items: &[Item<'a>], until: &str, terms: &Terms<'a>, billed: &Billed<'a>) -> Result<Amount> {
    let mut charge = Amount::ZERO;
    for stands in apart(items, terms) {
        let mut parts = time::amounts(&stands.time, terms)?;
        let worked = amounts::sum(parts.iter().copied().map(Ok), terms)?;
        let short = minimum::short(worked, stands.project, until, terms, billed)?;
        parts.extend(short.map(|it| it.short));
        parts.extend(stands.spent.iter().map(|spent| spent.amount));
        // all of it at once: a sum that is rounded twice can be a cent off
        charge += amounts::sum(parts.into_iter().map(Ok), terms)?.max(Amount::ZERO);
    }
    Ok(charge)
}

/// What stands on one bill.
struct Stands<'a> {
    project: Option<&'a EntityRef>,
    time: Vec<Time<'a>>,
    spent: Vec<Spent<'a>>,
}

fn apart<'a>(items: &[Item<'a>], terms: &Terms<'a>) -> impl Iterator<Item = Stands<'a>> {
    let mut apart: BTreeMap<_, Stands<'a>> = BTreeMap::new();
    for item in items {
        let project = item.project().filter(|_| terms.by_project());
        let stands = apart.entry(project.map(key)).or_insert_with(|| Stands {
            project,
            time: Vec::new(),
            spent: Vec::new(),
        });
        match item {
            Item::Time(time) => stands.time.push(*time),
            Item::Spent(spent) => stands.spent.push(*spent),
        }
    }
    apart.into_values()
}
