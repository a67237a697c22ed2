//! `deliver`: carries out the plan. What was done is recorded with the stage's end,
//! also when the rest failed. Output: nothing but that it is done.

use std::collections::BTreeMap;

use cambist_connect::Manner;
use cambist_contract::{
    canonical::{ChangeKind, EntityRef},
    digest::Digest,
    mapping::{Command, Plan},
    stage::Stage,
};
use cambist_journal::Event;
use serde_json::json;

use crate::{
    dispatch::Pipeline,
    failure::Failure,
    said,
    work::{Output, Passed, Work},
};

/// Attempts that may fail together with those of other messages, because all of them were in one call. From then on a message
/// goes alone: if it is what brings the target down, it does so to no other one more often, and all have attempts left.
const ALONE_AFTER: u32 = 2;

pub(super) async fn run(pipeline: &Pipeline, work: &mut Work) -> Result<Passed, Failure> {
    let name = work.route()?.target.clone();
    let target = pipeline.setup.systems.target(&name).ok_or_else(|| {
        Failure::Unroutable(format!(
            "target `{name}` is not in the config any more, or nothing can be written to it"
        ))
    })?;
    let plan: Plan = work.output(Stage::Write)?;
    let records: Vec<(String, String)> = plan.commands.iter().map(record).collect();
    let written = pipeline.setup.journal.written(&name, &records).await?;
    let said = said(work)?;
    let manner = Manner {
        urgent: pipeline
            .routes()
            .flow(&work.route()?.flow)
            .is_some_and(|flow| flow.urgent),
        shares: work.status.attempts < ALONE_AFTER,
    };
    let acting = |acting| {
        if let Some(mark) = &work.mark {
            mark.acts(acting);
        }
    };
    let delivered = target
        .deliver_among(&plan.commands, &written, manner, &acting)
        .await;
    let (mut receipts, outcome) = match delivered {
        Ok(receipts) => (receipts, Ok(())),
        Err(failed) => (failed.receipts, Err(failed.error)),
    };
    for receipt in &mut receipts {
        crate::metrics::delivered(&name, receipt.effect);
        let entity = receipt.stands_for.as_ref();
        receipt.fields = entity
            .and_then(|entity| said.get(entity))
            .cloned()
            .unwrap_or_default();
    }
    let count = receipts.len();
    if !receipts.is_empty() {
        work.happened.push(Event::Delivered {
            target: name.clone(),
            receipts,
        });
    }
    // the target has it, and nothing of it is recorded yet
    pipeline.reached("delivered");
    outcome?;
    for change in super::changes(work)? {
        if let ChangeKind::Merged(into) = change.kind {
            let entity = change.entity.name().clone();
            work.happened.push(Event::Merged { entity, into });
        }
    }
    Ok(Passed::On(Output::of(json!({ "commands": count }))?))
}

/// What the target is told of each entity, by the fields' names.
fn said(work: &Work) -> Result<BTreeMap<EntityRef, BTreeMap<String, Digest>>, Failure> {
    let mut all: BTreeMap<EntityRef, BTreeMap<String, Digest>> = BTreeMap::new();
    for change in super::changes(work)? {
        all.entry(change.entity.name().clone())
            .or_default()
            .extend(said::said(&change)?);
    }
    Ok(all)
}

fn record(command: &Command) -> (String, String) {
    (command.model().to_owned(), command.key().to_string())
}
