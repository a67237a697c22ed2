//! `write`: the changes become a plan in the target's words. Output: a [`Plan`].

use cambist_contract::{
    mapping::{Outbound, Plan},
    stage::Stage,
};
use cambist_journal::Event;

use super::changes;
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
    let outbound = Outbound {
        system: work.route()?.target.clone(),
        changes: changes(work)?,
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
