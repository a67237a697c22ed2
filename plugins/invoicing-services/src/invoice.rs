//! From bills to drafts of invoices, with the reasons of their lines. A bill that would
//! ask for nothing is none, and what stands on it waits for a later one.

use cambist_sdk::prelude::*;

use crate::{bill::Bill, billed::key, items::told, name, settings::TaxPoint, terms::Terms};

/// The invoices, and the reasons of what stands on them, before `reasons`.
///
/// # Errors
///
/// A line has no amount that could be computed.
pub fn all(
    bills: Vec<Bill<'_>>,
    billable: &Billable,
    terms: &Terms<'_>,
    reasons: Vec<Reason>,
) -> Result<Draft> {
    let mut draft = Draft {
        invoices: Vec::new(),
        reasons: Vec::new(),
    };
    let mut left = Vec::new();
    for bill in bills {
        let total = bill.total(terms)?;
        if total > Amount::ZERO {
            draft
                .reasons
                .extend(bill.lines.iter().map(|line| line.reason.clone()));
            draft.invoices.push(one(bill, billable, terms));
        } else {
            nothing(&bill, total, terms, &mut left);
        }
    }
    if draft.invoices.is_empty() && left.is_empty() && reasons.is_empty() {
        left.push(reason("nothing-due", "nothing is to be billed for this period"));
    }
    draft.reasons.extend(left);
    draft.reasons.extend(reasons);
    Ok(draft)
}

fn one(bill: Bill<'_>, billable: &Billable, terms: &Terms<'_>) -> Invoice {
    let contract = terms.contract;
    let name = name::of(bill.project, billable, terms);
    let mut lines: Vec<InvoiceLine> = bill.lines.into_iter().map(|line| line.line).collect();
    // the minimum and the cap are of whatever else stands on the bill
    let mut of_lines = lines
        .iter()
        .filter(|line| stands_for_something(line))
        .map(|line| line.project.as_ref());
    let first = of_lines.next().flatten();
    let project = first.filter(|it| of_lines.all(|of| of == Some(*it))).cloned();
    if project.is_some() {
        lines.iter_mut().for_each(|line| line.project = None);
    }
    Invoice {
        kind: Some(InvoiceKind::Invoice),
        status: Some(InvoiceStatus::Draft),
        contract: Some(contract.ref_.clone()),
        project,
        legal_entity: contract.legal_entity.clone(),
        account: Some(billable.account.ref_.clone()),
        customer_reference: contract.customer_reference.clone(),
        currency: Some(terms.currency.to_owned()),
        tax_point: (terms.settings.tax_point == TaxPoint::PeriodEnd).then(|| billable.until.clone()),
        period_from: Some(billable.from.clone()),
        period_until: Some(billable.until.clone()),
        lines: Some(lines),
        ..Invoice::named(name)
    }
}

/// Whether a line bills time, expenses or a milestone.
fn stands_for_something(line: &InvoiceLine) -> bool {
    !line.timesheets.is_empty() || !line.expenses.is_empty() || line.milestone.is_some()
}

/// Why nothing of a bill is billed: a reason for each thing that stands on it.
fn nothing(bill: &Bill<'_>, total: Amount, terms: &Terms<'_>, reasons: &mut Vec<Reason>) {
    let mut tell = |what: String| {
        let text = format!(
            "{what} is not billed: its bill would come to {total} {}; it waits for a later one, or for a credit note",
            terms.currency
        );
        reasons.push(reason("nothing-to-ask-for", text));
    };
    for line in &bill.lines {
        let line = &line.line;
        line.timesheets
            .iter()
            .for_each(|name| tell(told("timesheet", name)));
        line.expenses.iter().for_each(|name| tell(told("expense", name)));
        if let Some(milestone) = &line.milestone {
            let (system, id) = line.project.as_ref().map(key).unwrap_or_default();
            tell(format!("milestone `{milestone}` of project {system}/{id}"));
        }
    }
}
