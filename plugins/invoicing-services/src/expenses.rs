//! Lines of expenses: each one, or one of each category.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use crate::{
    bill::{Line, line_of, tag},
    billed::key,
    items::{Spent, told},
    rules::ExpenseLines,
    terms::Terms,
};

/// The lines of a bill's expenses.
///
/// # Errors
///
/// An amount has more digits than the contract carries.
pub fn lines(spent: &[Spent<'_>], terms: &Terms<'_>) -> Result<Vec<Line>> {
    if terms.rules.expenses.lines == ExpenseLines::Each {
        return spent
            .iter()
            .map(|one| of(std::slice::from_ref(one), terms))
            .collect();
    }
    let mut groups: BTreeMap<_, Vec<Spent<'_>>> = BTreeMap::new();
    for spent in spent {
        let expense = spent.expense;
        let group = (
            expense.project.as_ref().map(key),
            expense.contract_line.as_deref(),
            expense.category.as_deref(),
        );
        groups.entry(group).or_default().push(*spent);
    }
    groups.into_values().map(|group| of(&group, terms)).collect()
}

fn of(group: &[Spent<'_>], terms: &Terms<'_>) -> Result<Line> {
    let first = group.first().ok_or_else(|| broken("a line of no expense"))?;
    let (expense, rules) = (first.expense, &terms.rules.expenses);
    let amount: Amount = group.iter().map(|spent| spent.amount).sum();
    let category = expense
        .category
        .as_deref()
        .unwrap_or(&terms.settings.texts.expense);
    let (id, name, what) = match rules.lines {
        ExpenseLines::Each => (
            format!("expense/{}", tag(&expense.ref_, terms)),
            expense.description.as_deref().unwrap_or(category),
            told("expense", &expense.ref_),
        ),
        ExpenseLines::Category => {
            let project = expense.project.as_ref().map(|project| tag(project, terms));
            let parts = [
                project.as_deref(),
                expense.contract_line.as_deref(),
                expense.category.as_deref(),
            ];
            let parts = parts.map(Option::unwrap_or_default).join("/");
            (format!("expenses/{parts}"), category, counted(group.len()))
        }
    };
    let at = match first.markup.is_zero() {
        true => "at cost".to_owned(),
        false => format!("with {} % on each", first.markup.normalize()),
    };
    let text = format!("line `{id}` bills {what} {at}: {amount} {}", terms.currency);
    let tax_class = rules
        .tax_class
        .as_ref()
        .or(first.like.and_then(|line| line.tax_class.as_ref()));
    Ok(Line {
        line: InvoiceLine {
            tax_class: tax_class.cloned(),
            performed_at: first.like.and_then(|line| line.performed_at.clone()),
            contract_line: expense.contract_line.clone(),
            project: expense.project.clone(),
            expenses: group.iter().map(|spent| spent.expense.ref_.clone()).collect(),
            ..line_of(id, name.to_owned(), amount)?
        },
        reason: reason("expense", text).by(terms.basis()),
    })
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 expense".to_owned(),
        count => format!("{count} expenses"),
    }
}
