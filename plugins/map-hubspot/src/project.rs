//! The project that delivers a won deal: its days and milestones.

use cambist_sdk::prelude::*;

use crate::{settings::MilestoneTemplate, source::Source};

/// The project of a deal.
///
/// It begins on the day the deal says, or when the deal was closed; it ends on
/// the day the deal says, or with its last milestone.
pub(crate) fn read(
    source: &Source<'_>,
    from: &Fields<'_>,
    closed: &str,
    contract: &Contract,
) -> Result<Project> {
    let own = &source.settings.properties;
    let milestones = milestones(&source.settings.milestones, closed)?;
    let last = milestones
        .iter()
        .filter_map(|milestone| milestone.due.as_ref())
        .max();
    Ok(Project {
        contract: Some(contract.ref_.clone()),
        account: contract.account.clone(),
        name: contract.name.clone(),
        delivery_owner: from.text(&own.delivery_owner)?,
        status: Some(ProjectStatus::Planned),
        start: Some(contract.start.clone().unwrap_or_else(|| closed.to_owned())),
        end: contract.end.clone().or_else(|| last.cloned()),
        milestones: Some(milestones),
        ..Project::named(source.name(EntityKind::Project, &contract.ref_.id))
    })
}

fn milestones(templates: &[MilestoneTemplate], closed: &str) -> Result<Vec<Milestone>> {
    let milestone = |template: &MilestoneTemplate| {
        Ok(Milestone {
            id: template.id.clone(),
            name: template.name.clone(),
            due: Some(days_after(closed, template.after_days)?),
            share_percent: template.share_percent,
            reached: None,
        })
    };
    templates.iter().map(milestone).collect()
}
