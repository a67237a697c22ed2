//! `draft`: makes invoices of what is to be billed. Output: [`Drafted`].

use std::collections::BTreeSet;

use cambist_contract::{
    canonical::{Change, ChangeKind, Entity, EntityRef, ExpenseStatus, Invoice, Project, TimesheetStatus},
    fault::Reason,
    invoicing::{Billable, Draft},
    stage::Stage,
};
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
}

pub(super) async fn run(pipeline: &Pipeline, work: &mut Work) -> Result<Passed, Failure> {
    let changes = changes(work)?;
    let Some(billable) = billable(&changes) else {
        return Ok(Passed::On(Output::of(Drafted {
            changes,
            reasons: Vec::new(),
        })?));
    };
    let at = work.message.occurred_at;
    let function = move |plugin: &dyn cambist_contract::plugin::Plugin, context: &_, links| {
        plugin.draft_invoice(context, &billable, links)
    };
    call(pipeline, work, Stage::Draft, function, |draft: Draft| {
        let mut changes = changes;
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
        }))
    })
    .await
}

/// What the bills may rest on, where the message holds a contract, who pays, and
/// something to bill: approved time and expenses, and milestones that were reached,
/// which no earlier invoice among the changes names. The period is from the first to
/// the last day on which there was any of it.
fn billable(changes: &[Change]) -> Option<Billable> {
    let (mut contract, mut account, mut project) = (None, None, None);
    let (mut resources, mut timesheets, mut expenses) = (Vec::new(), Vec::new(), Vec::new());
    let mut earlier: Vec<Invoice> = Vec::new();
    for change in changes {
        match &change.entity {
            Entity::Contract(it) => contract = Some(it.clone()),
            Entity::Account(it) => account = Some(it.clone()),
            Entity::Project(it) => project = Some(it.clone()),
            Entity::Resource(it) => resources.push(it.clone()),
            Entity::Timesheet(it) => timesheets.push(it.clone()),
            Entity::Expense(it) => expenses.push(it.clone()),
            Entity::Invoice(it) => earlier.push(it.clone()),
            Entity::Contact(_) | Entity::Opportunity(_) | Entity::Payment(_) => {}
        }
    }
    let billed: BTreeSet<&EntityRef> = earlier
        .iter()
        .flat_map(|invoice| invoice.lines.iter().flatten())
        .flat_map(|line| line.timesheets.iter().chain(&line.expenses))
        .collect();
    timesheets
        .retain(|sheet| sheet.status == Some(TimesheetStatus::Approved) && !billed.contains(&sheet.entity));
    expenses.retain(|spent| spent.status == Some(ExpenseStatus::Approved) && !billed.contains(&spent.entity));
    let days = timesheets.iter().filter_map(|sheet| sheet.day);
    let days = days.chain(expenses.iter().filter_map(|spent| spent.day));
    let reached = project.iter().flat_map(|project| reached(project, &earlier));
    let days: BTreeSet<Date> = days.chain(reached).collect();
    Some(Billable {
        from: *days.first()?,
        until: *days.last()?,
        contract: contract?,
        account: account?,
        project,
        resources,
        timesheets,
        expenses,
        earlier,
    })
}

/// The days on which milestones of a project were reached that no earlier invoice names.
/// A milestone's id is its project's, so an invoice for another project names another.
fn reached(project: &Project, earlier: &[Invoice]) -> Vec<Date> {
    let of_it = |invoice: &&Invoice| invoice.project.as_ref().is_none_or(|it| *it == project.entity);
    let billed: BTreeSet<&str> = earlier
        .iter()
        .filter(of_it)
        .flat_map(|invoice| invoice.lines.iter().flatten())
        .filter_map(|line| line.milestone.as_deref())
        .collect();
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
