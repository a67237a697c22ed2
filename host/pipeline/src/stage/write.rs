//! `write`: the changes become a plan in the target's words. Output: a [`Plan`].

use cambist_contract::{
    canonical::Entity,
    mapping::{Outbound, Plan},
    stage::Stage,
};
use cambist_journal::Event;

use super::{changes, drafts};
use crate::{
    call::{Step, call},
    dispatch::Pipeline,
    failure::Failure,
    work::{Passed, Work},
};

pub(super) async fn run(pipeline: &Pipeline, work: &mut Work) -> Result<Passed, Failure> {
    let assessments = if work.has(Stage::Tax) {
        work.output(Stage::Tax)?
    } else {
        Vec::new()
    };
    let mut changes = changes(work)?;
    if let Some(drafts) = drafts(work)? {
        // the books' own bills are not to be made; the rest is what the drafts are made of
        changes.retain(|change| {
            !matches!(change.entity, Entity::Invoice(_)) || drafts.contains(change.entity.name())
        });
    }
    let outbound = Outbound {
        system: work.route()?.target.clone(),
        changes,
        assessments,
    };
    let function = move |plugin: &dyn cambist_contract::plugin::Plugin, context: &_, links| {
        plugin.write(context, &outbound, links)
    };
    call(pipeline, work, Stage::Write, function, |plan: Plan| {
        Ok(if plan.commands.is_empty() {
            Step::Stop(Event::Ignored {
                reason: "the target needs nothing of it".to_owned(),
            })
        } else {
            Step::On(plan)
        })
    })
    .await
}
