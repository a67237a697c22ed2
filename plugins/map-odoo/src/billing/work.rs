//! What was done for an order: its projects with their milestones, the time that is on no invoice, and who worked.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use super::Order;
use crate::{many2one, milestone, settings::Approved};

/// Digits of hours: Odoo keeps floats, and a third of an hour is written 0.33 or 0.333333.
const HOURS_DIGITS: u32 = 6;

/// Reads it: those who worked, the projects, then the time.
///
/// # Errors
///
/// A field is not what Odoo sends, or approved time counts something else than hours.
pub(super) fn read(of: &Order<'_>, contract: &Contract) -> Result<Vec<Change>> {
    let mut projects: BTreeMap<String, Project> = BTreeMap::new();
    for record in of.bills.objects("projects")? {
        let id = record.required_text("id")?;
        let name = record.text("name")?;
        projects.insert(id.clone(), project(of, id, name));
    }
    for record in of.bills.objects("milestones")? {
        if let Some((project, milestone)) = reached(&record, contract)? {
            let project = projects.get_mut(&project);
            let milestones = project.map(|it| it.milestones.get_or_insert_default());
            milestones.into_iter().for_each(|all| all.push(milestone.clone()));
        }
    }
    let (mut workers, mut time) = (BTreeMap::new(), Vec::new());
    for record in of.bills.objects("timesheets")? {
        if let Some(worker) = many2one::read(&record, "employee_id")? {
            workers.insert(worker.id, worker.name);
        }
        // of the order by its line, whatever order the project is of
        if let Some(it) = many2one::read(&record, "project_id")? {
            projects
                .entry(it.id.clone())
                .or_insert_with(|| project(of, it.id, it.name));
        }
        time.push(of.source.change(&record, timesheet(of, &record)?)?);
    }
    let mut changes = Vec::with_capacity(workers.len() + projects.len() + time.len());
    for (id, name) in workers {
        let name_of = EntityRef::new(EntityKind::Resource, of.source.system, id);
        let worker = Resource {
            name,
            ..Resource::named(name_of)
        };
        changes.push(of.source.change(of.order, worker)?);
    }
    for project in projects.into_values() {
        changes.push(of.source.change(of.order, project)?);
    }
    changes.extend(time);
    Ok(changes)
}

fn project(of: &Order<'_>, id: String, name: Option<String>) -> Project {
    Project {
        contract: Some(of.name.clone()),
        name,
        ..Project::named(EntityRef::new(EntityKind::Project, of.source.system, id))
    }
}

/// A milestone of the order, with its project's id. One that names no line of the order is of the whole order, or of its
/// line where it has one; one of another order's line is none of ours.
fn reached(from: &Fields<'_>, contract: &Contract) -> Result<Option<(String, Milestone)>> {
    let lines = contract.lines.as_deref().unwrap_or_default();
    let line = match many2one::read(from, "sale_line_id")? {
        Some(line) if lines.iter().any(|it| it.id == line.id) => Some(line.id),
        Some(_) => return Ok(None),
        None => match lines {
            [only] => Some(only.id.clone()),
            _ => None,
        },
    };
    let project = many2one::read(from, "project_id")?;
    let milestone = Milestone {
        contract_line: line,
        ..milestone::one(from)?
    };
    Ok(project.map(|project| (project.id, milestone)))
}

fn timesheet(of: &Order<'_>, from: &Fields<'_>) -> Result<Timesheet> {
    let approved = match &of.settings.billing.approved {
        Some(approved) => is_approved(from, approved)?,
        None => false,
    };
    if approved {
        let unit = many2one::read(from, "product_uom_id")?;
        let unit = unit.and_then(|unit| of.units.get(&unit.id));
        if unit.is_some_and(|word| word != "hour") {
            return Err(invalid(
                from.path("product_uom_id"),
                "must be hours, by the key `hour` of `units` in the settings; have the company count its time in hours",
            ));
        }
    }
    let line = many2one::read(from, "so_line")?;
    Ok(Timesheet {
        project: of.source.name(EntityKind::Project, from, "project_id")?,
        contract_line: line.map(|line| line.id),
        worker: of.source.name(EntityKind::Resource, from, "employee_id")?,
        day: from.date("date")?,
        hours: from.rounded("unit_amount", HOURS_DIGITS)?,
        description: from.text("name")?,
        status: Some(match approved {
            true => TimesheetStatus::Approved,
            false => TimesheetStatus::Submitted,
        }),
        ..Timesheet::named(EntityRef::new(
            EntityKind::Timesheet,
            of.source.system,
            from.required_text("id")?,
        ))
    })
}

/// Whether the field says so that the settings name: by its word, or by a tick.
fn is_approved(from: &Fields<'_>, by: &Approved) -> Result<bool> {
    match &by.is {
        Some(word) => Ok(from.text(&by.field)?.as_ref() == Some(word)),
        None => Ok(from.flag(&by.field)? == Some(true)),
    }
}
