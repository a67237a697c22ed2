//! The stages, a file each, and the one place that knows which is which.

mod deliver;
mod draft;
mod fetch;
mod judge;
mod own;
mod read;
mod tax;
mod write;

use cambist_contract::stage::Stage;

use crate::{
    dispatch::Pipeline,
    failure::Failure,
    work::{Passed, Work},
};

/// Does one stage of a message.
pub(crate) async fn run(stage: Stage, pipeline: &Pipeline, work: &mut Work) -> Result<Passed, Failure> {
    match stage {
        Stage::Fetch => fetch::run(pipeline, work).await,
        Stage::Read => read::run(pipeline, work).await,
        Stage::Own => own::run(pipeline, work).await,
        Stage::Judge => judge::run(pipeline, work).await,
        Stage::Draft => draft::run(pipeline, work).await,
        Stage::Tax => tax::run(pipeline, work).await,
        Stage::Write => write::run(pipeline, work).await,
        Stage::Deliver => deliver::run(pipeline, work).await,
    }
}

/// What was drafted of a message that goes back to the system that it came from; none for any other.
pub(crate) fn drafts(
    work: &Work,
) -> Result<Option<std::collections::BTreeSet<cambist_contract::canonical::EntityRef>>, Failure> {
    if !work.is_at_home() || !work.has(Stage::Draft) {
        return Ok(None);
    }
    let drafted = work.output::<draft::Drafted>(Stage::Draft)?;
    Ok(Some(drafted.drafts))
}

/// The changes as the last stage that touched them left them.
pub(crate) fn changes(work: &Work) -> Result<Vec<cambist_contract::canonical::Change>, Failure> {
    if work.has(Stage::Draft) {
        return work
            .output::<draft::Drafted>(Stage::Draft)
            .map(|drafted| drafted.changes);
    }
    if work.has(Stage::Judge) {
        return work
            .output::<judge::Judged>(Stage::Judge)
            .map(|judged| judged.changes);
    }
    if work.has(Stage::Own) {
        return work.output::<own::Owned>(Stage::Own).map(|owned| owned.changes);
    }
    work.output(Stage::Read)
}
