//! `draft`: makes invoices of what is to be billed. Output: [`Drafted`].

use cambist_contract::{
    canonical::{Change, ChangeKind, Entity},
    fault::Reason,
    invoicing::{Billable, Draft},
    stage::Stage,
};
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

pub(super) async fn run(pipeline: &Pipeline, work: &Work) -> Result<Passed, Failure> {
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
/// time: the period is from the first to the last day worked.
fn billable(changes: &[Change]) -> Option<Billable> {
    let (mut contract, mut account, mut project) = (None, None, None);
    let (mut resources, mut timesheets, mut earlier) = (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match &change.entity {
            Entity::Contract(it) => contract = Some(it.clone()),
            Entity::Account(it) => account = Some(it.clone()),
            Entity::Project(it) => project = Some(it.clone()),
            Entity::Resource(it) => resources.push(it.clone()),
            Entity::Timesheet(it) => timesheets.push(it.clone()),
            Entity::Invoice(it) => earlier.push(it.clone()),
            _ => {}
        }
    }
    let days = || timesheets.iter().filter_map(|sheet| sheet.day);
    let (from, until) = (days().min()?, days().max()?);
    Some(Billable {
        contract: contract?,
        account: account?,
        project,
        resources,
        from,
        until,
        timesheets,
        earlier,
    })
}
