//! The project that delivers a won deal: its days and milestones.

use cambist_sdk::prelude::*;

use crate::{settings::MilestoneTemplate, source::Source};

/// The project of a deal.
///
/// It begins on the day the deal says, or when the deal was closed; it ends on
/// the day the deal says, or with its last milestone, which may be due before
/// delivery begins: milestones count from the close date. A project that ended
/// before it began would be refused by Odoo, after the order was confirmed.
///
/// # Errors
///
/// The deal says that delivery ends before it begins.
pub(crate) fn read(
    source: &Source<'_>,
    from: &Fields<'_>,
    closed: &str,
    contract: &Contract,
) -> Result<Project> {
    let own = &source.settings.properties;
    let milestones = milestones(&source.settings.milestones, closed)?;
    let start = contract.start.as_deref().unwrap_or(closed);
    let last = milestones
        .iter()
        .filter_map(|milestone| milestone.due.as_deref())
        .max()
        .map(|last| last.max(start));
    if contract.end.as_deref().is_some_and(|end| end < start) {
        return Err(invalid(
            from.path(&own.end),
            format!(
                "must not be before `{}`, or before the close date where that is empty",
                own.start
            ),
        ));
    }
    Ok(Project {
        contract: Some(contract.ref_.clone()),
        account: contract.account.clone(),
        name: contract.name.clone(),
        delivery_owner: from.text(&own.delivery_owner)?,
        status: Some(ProjectStatus::Planned),
        start: Some(start.to_owned()),
        end: contract.end.clone().or_else(|| last.map(str::to_owned)),
        milestones: Some(milestones),
        ..Project::named(source.name(EntityKind::Project, &contract.ref_.id))
    })
}

fn milestones(templates: &[MilestoneTemplate], closed: &str) -> Result<Vec<Milestone>> {
    let milestone = |template: &MilestoneTemplate| {
        Ok(Milestone {
            due: Some(days_after(closed, template.after_days)?),
            share_percent: template.share_percent,
            ..Milestone::called(&template.id, &template.name)
        })
    };
    templates.iter().map(milestone).collect()
}
