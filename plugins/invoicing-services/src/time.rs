//! Lines of time: hours of one contract line and project, and of one role, worker or day
//! where the rules want these apart, at the contract line's price.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use crate::{
    amounts,
    bill::{Line, line, tag},
    billed::key,
    hours,
    items::{Item, Time},
    place::Place,
    price,
    rules::LinesBy,
    terms::Terms,
};

/// The lines of a bill's time.
///
/// # Errors
///
/// The hours have more digits than the contract carries.
pub fn lines(time: &[Time<'_>], terms: &Terms<'_>) -> Result<Vec<Line>> {
    groups(time).map(|group| one(&group, terms)).collect()
}

/// What the lines of a bill's time come to, each before rounding.
///
/// # Errors
///
/// As [`lines`].
pub fn amounts(time: &[Time<'_>], terms: &Terms<'_>) -> Result<Vec<Amount>> {
    let amount = |group: Vec<Time<'_>>| {
        let (first, _, quantity) = counted(&group, terms)?;
        let (index, of) = first.line;
        amounts::at_its_price(quantity.value(), of, index)
    };
    groups(time).map(amount).collect()
}

/// Tells all time which line it stands on: lines are counted in the order that they have
/// on a bill. Once, because a cap asks many times what stands on them.
pub fn onto_lines(items: &mut [Item<'_>], terms: &Terms<'_>) {
    let by = |one| terms.rules.makes_lines_by(one);
    let (by_role, by_worker, by_day) = (by(LinesBy::Role), by(LinesBy::Worker), by(LinesBy::Day));
    let mut lines: BTreeMap<_, Vec<&mut usize>> = BTreeMap::new();
    for item in items {
        if let Item::Time(time) = item {
            let all_in_common = (
                time.sheet.project.as_ref().map(key),
                time.line.0,
                Some(role(time)).filter(|_| by_role),
                time.sheet.worker.as_ref().filter(|_| by_worker).map(key),
                Some(time.day).filter(|_| by_day),
            );
            lines.entry(all_in_common).or_default().push(&mut time.stands_on);
        }
    }
    for (count, time) in lines.into_values().enumerate() {
        time.into_iter().for_each(|stands_on| *stands_on = count);
    }
}

/// Time by what stands on one line.
fn groups<'a>(time: &[Time<'a>]) -> impl Iterator<Item = Vec<Time<'a>>> {
    let mut groups: BTreeMap<usize, Vec<Time<'a>>> = BTreeMap::new();
    for time in time {
        groups.entry(time.stands_on).or_default().push(*time);
    }
    groups.into_values()
}

/// The hours that a line counts, and its quantity.
fn counted<'a>(group: &[Time<'a>], terms: &Terms<'_>) -> Result<(Time<'a>, Amount, Decimal)> {
    let first = *group.first().ok_or_else(|| broken("a line of no time"))?;
    let (index, of) = first.line;
    let hours_of = price::hours_of(of, terms)
        .ok_or_else(|| Place::of("contract.lines", index).invalid("unit", "is no unit of time"))?;
    let counted = hours::counted(group, &terms.rules.hours)?;
    let quantity = hours::quantity(counted, hours_of, terms.settings.quantity_digits)?;
    Ok((first, counted, quantity))
}

/// The role that time is of: its worker's, or else its line's.
fn role<'a>(time: &Time<'a>) -> Option<&'a str> {
    let of_worker = time.worker.and_then(|worker| worker.role.as_deref());
    of_worker.or(time.line.1.role.as_deref())
}

/// The line of time that has all in common that lines are made by.
fn one(group: &[Time<'_>], terms: &Terms<'_>) -> Result<Line> {
    let (first, counted, quantity) = counted(group, terms)?;
    let (_, of) = first.line;
    // the parts of an id have their places, so that no two lines have one id
    let project = first.sheet.project.as_ref();
    let mut id = format!(
        "time/{}/{}",
        of.id,
        part(project.map(|project| tag(project, terms)))
    );
    let mut name = of.name.clone();
    let mut apart = |of: Option<String>, called: Option<&str>| {
        id = format!("{id}/{}", part(of));
        if let Some(called) = called {
            name = format!("{name}, {called}");
        }
    };
    if terms.rules.makes_lines_by(LinesBy::Role) {
        apart(role(&first).map(str::to_owned), role(&first));
    }
    if terms.rules.makes_lines_by(LinesBy::Worker) {
        let worker = first.sheet.worker.as_ref();
        let called = first.worker.and_then(|worker| worker.name.as_deref());
        let called = called.or(worker.map(|worker| worker.id.as_str()));
        apart(worker.map(|worker| tag(worker, terms)), called);
    }
    if terms.rules.makes_lines_by(LinesBy::Day) {
        apart(Some(first.day.to_owned()), Some(first.day));
    }

    let unit = price::unit(of, terms);
    let less = match &of.discount_percent {
        Some(percent) => format!(" less {} %", percent.text(0)),
        None => String::new(),
    };
    let text = format!(
        "line `{id}` bills {} h of {} by contract line `{}`: counted as {} h, a quantity of {} in `{unit}` at {} {}{less}",
        hours::approved(group).normalize(),
        entries(group.len()),
        of.id,
        counted.normalize(),
        quantity.text(0),
        of.unit_price.text(0),
        terms.currency,
    );
    Ok(Line {
        line: InvoiceLine {
            sku: of.sku.clone(),
            unit: Some(unit.to_owned()),
            discount_percent: of.discount_percent,
            tax_class: of.tax_class.clone(),
            performed_at: of.performed_at.clone(),
            contract_line: Some(of.id.clone()),
            project: first.sheet.project.clone(),
            timesheets: group.iter().map(|time| time.sheet.ref_.clone()).collect(),
            ..line(id, name, quantity, of.unit_price)
        },
        reason: reason("time", text).by(terms.basis()),
    })
}

/// A part of an id; `-` where there is nothing to name.
fn part(of: Option<String>) -> String {
    of.unwrap_or_else(|| "-".to_owned())
}

fn entries(count: usize) -> String {
    match count {
        1 => "1 timesheet".to_owned(),
        count => format!("{count} timesheets"),
    }
}
