//! `draft`: makes invoices of what is to be billed. Output: [`Drafted`].

use std::collections::{BTreeMap, BTreeSet};

use cambist_contract::{
    canonical::{
        Change, ChangeKind, Entity, EntityRef, ExpenseStatus, Invoice, InvoiceKind, InvoiceLine,
        InvoiceStatus, Project, TimesheetStatus,
    },
    fault::Reason,
    invoicing::{Billable, Draft},
    stage::Stage,
};
use cambist_journal::Event;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::changes;
use crate::{
    call::{Step, call},
    dispatch::Pipeline,
    failure::Failure,
    work::{Output, Passed, Work},
};

/// The changes with the invoices among them, and why they are what they are.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Drafted {
    /// The changes.
    pub(super) changes: Vec<Change>,
    /// Why.
    reasons: Vec<Reason>,
    /// Which of them were made here.
    #[serde(default)]
    pub(super) drafts: BTreeSet<EntityRef>,
}

/// Most reasons that are told of a message that ends because nothing is billed; all are in the plugin's cases, and the
/// first say what is the matter.
const TOLD: usize = 5;

pub(super) async fn run(pipeline: &Pipeline, work: &mut Work) -> Result<Passed, Failure> {
    let changes = changes(work)?;
    let is_at_home = work.is_at_home();
    let Some(billable) = billable(&changes) else {
        return Ok(match is_at_home {
            true => Passed::Stop(nothing(&[])),
            false => Passed::On(Output::of(Drafted {
                changes,
                reasons: Vec::new(),
                drafts: BTreeSet::new(),
            })?),
        });
    };
    let at = work.message.occurred_at;
    let function = move |plugin: &dyn cambist_contract::plugin::Plugin, context: &_, links| {
        plugin.draft_invoice(context, &billable, links)
    };
    call(pipeline, work, Stage::Draft, function, |draft: Draft| {
        if is_at_home && draft.invoices.is_empty() {
            return Ok(Step::Stop(nothing(&draft.reasons)));
        }
        let mut changes = changes;
        let drafts = draft
            .invoices
            .iter()
            .map(|invoice| invoice.entity.clone())
            .collect();
        changes.extend(draft.invoices.into_iter().map(|invoice| Change {
            entity: Entity::Invoice(invoice),
            kind: ChangeKind::Upsert,
            cleared: Vec::new(),
            changed_by: None,
            changed_at: at,
        }));
        Ok(Step::On(Drafted {
            changes,
            reasons: draft.reasons,
            drafts,
        }))
    })
    .await
}

/// The end of a message that was asked what is to be billed, where nothing is.
fn nothing(reasons: &[Reason]) -> Event {
    let mut reason = "nothing is to be billed".to_owned();
    for (index, why) in reasons.iter().take(TOLD).enumerate() {
        reason.push_str(if index == 0 { ": " } else { "; " });
        reason.push_str(&why.text);
    }
    Event::Ignored { reason }
}

/// What the bills may rest on, where the message holds a contract, who pays, and
/// something to bill: approved time and expenses, and milestones that were reached,
/// which the earlier invoices among the changes have not billed. The period is from the
/// first to the last day on which there was any of it. What is removed is not there.
fn billable(changes: &[Change]) -> Option<Billable> {
    let (mut contract, mut account) = (None, None);
    let (mut projects, mut resources, mut timesheets, mut expenses) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut earlier: Vec<Invoice> = Vec::new();
    for change in changes.iter().filter(|change| change.kind == ChangeKind::Upsert) {
        match &change.entity {
            Entity::Contract(it) => contract = Some(it.clone()),
            Entity::Account(it) => account = Some(it.clone()),
            Entity::Project(it) => projects.push(it.clone()),
            Entity::Resource(it) => resources.push(it.clone()),
            Entity::Timesheet(it) => timesheets.push(it.clone()),
            Entity::Expense(it) => expenses.push(it.clone()),
            Entity::Invoice(it) => earlier.push(it.clone()),
            Entity::Contact(_) | Entity::Opportunity(_) | Entity::Payment(_) => {}
        }
    }
    let billed: BTreeSet<&EntityRef> = billed(&earlier, |_, line| {
        line.timesheets.iter().chain(&line.expenses).collect()
    });
    timesheets
        .retain(|sheet| sheet.status == Some(TimesheetStatus::Approved) && !billed.contains(&sheet.entity));
    expenses.retain(|spent| spent.status == Some(ExpenseStatus::Approved) && !billed.contains(&spent.entity));
    let days = timesheets.iter().filter_map(|sheet| sheet.day);
    let days = days.chain(expenses.iter().filter_map(|spent| spent.day));
    let reached = projects.iter().flat_map(|project| reached(project, &earlier));
    let days: BTreeSet<Date> = days.chain(reached).collect();
    Some(Billable {
        from: *days.first()?,
        until: *days.last()?,
        contract: contract?,
        account: account?,
        projects,
        resources,
        timesheets,
        expenses,
        earlier,
    })
}

/// What is billed: named by more invoices than credit notes. Cancelled ones do not count.
fn billed<'a, T: Ord>(
    earlier: &'a [Invoice],
    names: impl Fn(&'a Invoice, &'a InvoiceLine) -> Vec<T>,
) -> BTreeSet<T> {
    let mut counts: BTreeMap<T, i64> = BTreeMap::new();
    for invoice in earlier {
        let counts_as = match (invoice.status, invoice.kind) {
            (Some(InvoiceStatus::Cancelled), _) => continue,
            (_, Some(InvoiceKind::CreditNote)) => -1,
            (_, Some(InvoiceKind::Invoice) | None) => 1,
        };
        // one bill may name a thing on several lines, and bills it once
        let lines = invoice.lines.iter().flatten();
        let named: BTreeSet<T> = lines.flat_map(|line| names(invoice, line)).collect();
        for name in named {
            *counts.entry(name).or_default() += counts_as;
        }
    }
    let billed = counts.into_iter().filter(|(_, count)| *count > 0);
    billed.map(|(name, _)| name).collect()
}

/// The days on which milestones of a project were reached that are not billed. A
/// milestone's id is its project's, so an invoice for another project names another.
fn reached(project: &Project, earlier: &[Invoice]) -> Vec<Date> {
    let billed: BTreeSet<&str> = billed(earlier, |invoice, line| {
        let of = line.project.as_ref().or(invoice.project.as_ref());
        let of_it = of.is_none_or(|it| *it == project.entity);
        line.milestone.as_deref().filter(|_| of_it).into_iter().collect()
    });
    let milestones = project.milestones.iter().flatten();
    milestones
        .filter(|milestone| !billed.contains(milestone.id.as_str()))
        .filter_map(|milestone| milestone.reached)
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    /// Changes to a contract's objects, each told by its kind, id and fields.
    fn changes(of: &[(&str, &str, serde_json::Value)]) -> Vec<Change> {
        let change = |(kind, id, fields): &(&str, &str, serde_json::Value)| {
            let mut entity = fields.clone();
            let name = json!({"kind": kind, "system": "odoo", "id": id});
            entity.as_object_mut().unwrap().insert("ref".to_owned(), name);
            let text = json!({
                "entity": { *kind: entity }, "kind": "upsert", "changed-at": "2026-11-22T04:00:00Z",
            });
            serde_json::from_str(&text.to_string()).unwrap()
        };
        of.iter().map(change).collect()
    }

    fn sheet(day: &str, status: &str) -> serde_json::Value {
        json!({"day": day, "hours": "7.5", "status": status})
    }

    #[test]
    fn only_approved_time_that_is_on_no_invoice_is_billed() {
        let line = json!({
            "id": "1", "name": "October", "quantity": "1", "unit-price": "900",
            "timesheets": [{"kind": "timesheet", "system": "odoo", "id": "billed"}],
        });
        let mut all = vec![
            ("contract", "c", json!({})),
            ("account", "a", json!({})),
            ("resource", "r", json!({"role": "senior"})),
            ("timesheet", "billed", sheet("2026-10-30", "approved")),
            ("timesheet", "first", sheet("2026-11-03", "approved")),
            ("timesheet", "last", sheet("2026-11-20", "approved")),
            ("timesheet", "open", sheet("2026-11-27", "submitted")),
            ("invoice", "i", json!({"lines": [line]})),
        ];
        let told = billable(&changes(&all)).unwrap();

        let names: Vec<&str> = told.timesheets.iter().map(|it| it.entity.id.as_str()).collect();
        assert_eq!(names, ["first", "last"]);
        assert_eq!(
            (told.from.to_string(), told.until.to_string()),
            ("2026-11-03".into(), "2026-11-20".into())
        );
        assert_eq!((told.resources.len(), told.earlier.len()), (1, 1));

        all.retain(|(kind, id, _)| *kind != "timesheet" || ["billed", "open"].contains(id));
        assert!(billable(&changes(&all)).is_none());
    }

    #[test]
    fn what_a_credit_note_names_or_a_cancelled_invoice_is_billed_again() {
        let sheet = sheet("2026-11-03", "approved");
        let name = json!({"kind": "timesheet", "system": "odoo", "id": "t"});
        let line = |id: &str| {
            json!({
                "id": id, "name": "October", "quantity": "1", "unit-price": "900",
                "timesheets": [name], "milestone": "m",
            })
        };
        let bill = |kind: &str, status: &str| json!({"kind": kind, "status": status, "lines": [line("1"), line("2")]});
        let milestones = json!({"milestones": [{"id": "m", "name": "m", "reached": "2026-11-05"}]});
        let asked = |bills: &[(&str, serde_json::Value)]| {
            let mut all = vec![
                ("contract", "c", json!({})),
                ("account", "a", json!({})),
                ("timesheet", "t", sheet.clone()),
                ("project", "p", milestones.clone()),
            ];
            all.extend(bills.iter().map(|(id, bill)| ("invoice", *id, bill.clone())));
            let told = billable(&changes(&all));
            told.map(|it| (it.timesheets.len(), it.until.to_string()))
        };
        let (posted, credited) = (bill("invoice", "posted"), bill("credit-note", "posted"));
        let again = Some((1, "2026-11-05".to_owned()));

        assert_eq!(asked(&[("1", posted.clone())]), None);
        assert_eq!(asked(&[("1", bill("invoice", "draft"))]), None);
        assert_eq!(asked(&[("1", bill("invoice", "cancelled"))]), again);
        assert_eq!(asked(&[("1", posted.clone()), ("2", credited.clone())]), again);
        let cancelled = bill("credit-note", "cancelled");
        assert_eq!(asked(&[("1", posted.clone()), ("2", cancelled)]), None);
        assert_eq!(
            asked(&[("1", posted.clone()), ("2", credited), ("3", posted)]),
            None
        );
    }

    #[test]
    fn expenses_and_milestones_are_billed_without_time() {
        let line = json!({
            "id": "1", "name": "Kick-off", "quantity": "1", "unit-price": "900", "milestone": "m1",
            "expenses": [{"kind": "expense", "system": "odoo", "id": "billed"}],
        });
        let spent = |day: &str, status: &str| json!({"day": day, "amount": "120.5", "status": status});
        let milestone = |id: &str, day: &str| json!({"id": id, "name": id, "reached": day});
        let with = |project: serde_json::Value, expenses: &[(&str, serde_json::Value)]| {
            let mut all = vec![
                ("contract", "c", json!({})),
                ("account", "a", json!({})),
                ("invoice", "i", json!({"lines": [line]})),
                ("project", "p", project),
            ];
            all.extend(expenses.iter().map(|(id, spent)| ("expense", *id, spent.clone())));
            billable(&changes(&all))
        };
        let first = json!({"milestones": [milestone("m1", "2026-10-01")]});
        let both = json!({"milestones": [milestone("m1", "2026-10-01"), milestone("m2", "2026-11-05")]});
        let billed = ("billed", spent("2026-10-02", "approved"));
        let days = |told: Option<Billable>| told.map(|it| (it.from.to_string(), it.until.to_string()));
        let day = |from: &str, until: &str| Some((from.to_owned(), until.to_owned()));

        assert_eq!(
            days(with(
                first.clone(),
                &[billed.clone(), ("open", spent("2026-11-01", "submitted"))]
            )),
            None
        );
        assert_eq!(days(with(both.clone(), &[])), day("2026-11-05", "2026-11-05"));
        let mut other = changes(&[
            ("contract", "c", json!({})),
            ("account", "a", json!({})),
            ("project", "p", first),
            (
                "invoice",
                "i",
                json!({
                    "project": {"kind": "project", "system": "odoo", "id": "other"}, "lines": [line],
                }),
            ),
        ]);
        assert_eq!(days(billable(&other)), day("2026-10-01", "2026-10-01"));
        // a line may name a project of its own
        let ours = json!({"kind": "project", "system": "odoo", "id": "p"});
        let mut of_ours = line.clone();
        of_ours
            .as_object_mut()
            .unwrap()
            .insert("project".to_owned(), ours);
        let by_line = json!({
            "project": {"kind": "project", "system": "odoo", "id": "other"}, "lines": [of_ours],
        });
        other.pop();
        let with_line: Vec<Change> = other
            .iter()
            .cloned()
            .chain(changes(&[("invoice", "i", by_line)]))
            .collect();
        assert_eq!(days(billable(&with_line)), None);
        other.retain(|change| !matches!(change.entity, Entity::Project(_)));
        assert_eq!(days(billable(&other)), None);
        let told = with(both, &[billed, ("new", spent("2026-11-07", "approved"))]);
        let names: Vec<_> = told
            .iter()
            .flat_map(|it| &it.expenses)
            .map(|it| it.entity.id.clone())
            .collect();
        assert_eq!(names, ["new"]);
        assert_eq!(days(told), day("2026-11-05", "2026-11-07"));
    }
}
