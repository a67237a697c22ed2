//! `read`: the source's words become changes. Output: a list of [`Change`].

use cambist_contract::{canonical::Change, mapping::Inbound, stage::Stage};
use cambist_journal::Event;

use crate::{
    call::{Step, call},
    dispatch::Pipeline,
    failure::Failure,
    work::{Passed, Work},
};

pub(super) async fn run(pipeline: &Pipeline, work: &mut Work) -> Result<Passed, Failure> {
    let input: Inbound = work.output(Stage::Fetch)?;
    let function = move |plugin: &dyn cambist_contract::plugin::Plugin, context: &_, links| {
        plugin.read(context, &input, links)
    };
    call(pipeline, work, Stage::Read, function, |changes: Vec<Change>| {
        Ok(if changes.is_empty() {
            Step::Stop(Event::Ignored {
                reason: "the mapping sees no change in it".to_owned(),
            })
        } else {
            Step::On(changes)
        })
    })
    .await
}
