//! `fetch`: reads the object again, because an event is a hint. Output: the
//! [`Inbound`] that `read` gets.

use cambist_contract::{Json, mapping::Inbound};

use crate::{
    dispatch::Pipeline,
    failure::Failure,
    work::{Output, Passed, Work, shallow},
};

pub(super) async fn run(pipeline: &Pipeline, work: &Work) -> Result<Passed, Failure> {
    let message = &work.message;
    let source = pipeline.setup.systems.source(&message.system).ok_or_else(|| {
        Failure::Unroutable(format!(
            "system `{}` is not in the config any more, or nothing can be read from it",
            message.system
        ))
    })?;
    let body = source.fetch(message).await?;
    let body = Json::from(body);
    shallow(&body)?;
    let inbound = Inbound {
        system: message.system.clone(),
        event: message.event.clone(),
        object_kind: message.object_kind.clone(),
        object_id: message.object_id.clone(),
        body,
    };
    Ok(Passed::On(Output::of(inbound)?))
}
