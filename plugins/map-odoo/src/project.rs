//! `project.project`: the work that delivers a contract.

use cambist_sdk::prelude::*;

use crate::{
    cleared,
    columns::{Columns as _, record},
    external_id, milestone, order_line,
    settings::Settings,
    source::Source,
};

const CLEARED: [cleared::Columns; 2] = [("start", &["date_start"]), ("end", &["date"])];

/// The manager, where the settings make it the delivery owner's; elsewhere Odoo's
/// users choose it, and it is not ours to empty.
const OWNER_CLEARED: [cleared::Columns; 1] = [("delivery-owner", &["user_id"])];

/// The command for a project. Its first order line ties it to the order, as if
/// Odoo had made it when the order was confirmed.
pub(crate) fn write(
    (settings, target): (&Settings, &str),
    change: &Change,
    project: &Project,
    contract: Option<&Contract>,
) -> Command {
    let owner = project
        .delivery_owner
        .as_ref()
        .filter(|_| settings.delivery_owner_is_login);
    let line = contract.and_then(|contract| {
        let line = order_line::first(contract)?;
        Some(external_id::of_line(&contract.ref_, &line.id))
    });
    let values = Values::new()
        .optional("name", project.name.as_ref())
        .reference(target, "partner_id", project.account.as_ref())
        .optional("user_id", owner)
        .optional("date_start", project.start.as_ref())
        .optional("date", project.end.as_ref())
        .switch("allow_billable", true)
        .switch("allow_milestones", true)
        .optional("sale_line_id/id", line);
    let values = cleared::empty(change, &CLEARED, values);
    let values = match settings.delivery_owner_is_login {
        true => cleared::empty(change, &OWNER_CLEARED, values),
        false => values,
    };
    Command::Upsert(record(target, "project.project", &project.ref_, values))
}

/// The project that a record is.
///
/// # Errors
///
/// A field is not what Odoo sends.
pub(crate) fn read(source: &Source<'_>, from: &Fields<'_>) -> Result<Change> {
    let project = Project {
        contract: source.name(EntityKind::Contract, from, "sale_order_id")?,
        account: source.name(EntityKind::Account, from, "partner_id")?,
        name: from.text("name")?,
        start: from.date("date_start")?,
        end: from.date("date")?,
        status: status(from)?,
        milestones: milestone::read(from)?,
        ..Project::named(source.own_name(EntityKind::Project, from)?)
    };
    source.change(from, project)
}

/// How far it has come, by what was last said of it: stages are each database's own. What
/// is said of its health (`on_track`, `at_risk`, `off_track`) says that it is under way.
fn status(from: &Fields<'_>) -> Result<Option<ProjectStatus>> {
    Ok(match from.text("last_update_status")?.as_deref() {
        Some("to_define") => Some(ProjectStatus::Planned),
        Some("on_track" | "at_risk" | "off_track") => Some(ProjectStatus::Active),
        Some("on_hold") => Some(ProjectStatus::Paused),
        Some("done") => Some(ProjectStatus::Done),
        _ => None,
    })
}
