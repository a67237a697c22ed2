//! Whether both sides have changed what both may change.
//!
//! The last common version of a field is what its target was told last. Before something else
//! is written there, the target is asked what it has now; where that is neither the common
//! version nor what is to be written, both have changed it, and a person has to choose. Between
//! the question and the write somebody may still change it: that window is as long as the
//! stages between the two.
//!
//! What the target has is read as its own messages are: by its connector and by the plugin that
//! reads for the flow that comes back from it. Without such a flow nothing of it is ever read,
//! and the last change counts.

use std::sync::Arc;

use cambist_contract::{
    canonical::{Change, Entity, EntityRef},
    context::Context,
    mapping::Inbound,
    message::{Message, MessageId},
    plugin::{Link, NoLinks},
    stage::Stage,
};
use cambist_registry::binding::Subject;
use serde_json::Value;
use thiserror::Error;

use crate::{
    dispatch::Pipeline,
    failure::Failure,
    names,
    ownership::{Owner, Ownership},
    said::{is_told, nothing, said},
    work::Work,
};

/// Both sides have changed what both may change.
#[derive(Debug, Error)]
#[error(
    "{field} of {entity} has changed on both sides: {here} has {ours} and {there} has {theirs}; make both the same, then \
     replay the message"
)]
pub(crate) struct Conflict {
    entity: EntityRef,
    /// The field, by its name in the contract.
    field: String,
    /// Where the message comes from, and the value there.
    here: String,
    ours: String,
    /// Where it was to go, and the value there.
    there: String,
    theirs: String,
}

/// What a lookup is called where a message's event stands.
const LOOK: &str = "look";

/// Refuses what the target has changed as well, of the fields that both may change.
///
/// # Errors
///
/// [`Failure::Conflict`] with both values; or the target could not be asked.
pub(crate) async fn check(
    pipeline: &Pipeline,
    work: &Work,
    changes: &[Change],
    ownership: &Ownership,
) -> Result<(), Failure> {
    if !ownership.has_both() {
        return Ok(());
    }
    let target = work.route()?.target.clone();
    for change in changes {
        let name = change.entity.name();
        let mut shared = said(change)?;
        shared.retain(|field, _| ownership.of_field(name.kind, field) == Owner::Both);
        if shared.is_empty() {
            continue;
        }
        let journal = &pipeline.setup.journal;
        let known = journal.known(&target, std::slice::from_ref(name)).await?;
        let told = known.into_iter().next().unwrap_or_default().told;
        // what it was told is what it is to have: nobody asks
        shared.retain(|field, value| told.get(field) != Some(&*value));
        let link = journal.link(name, &target).await?;
        let Some((link, id)) = link.and_then(|link| link.id.clone().map(|id| (link, id))) else {
            continue;
        };
        if shared.is_empty() {
            continue;
        }
        let Some(there) = there(pipeline, work, name, (&link, &id)).await? else {
            continue;
        };
        let has = said(&there)?;
        for (field, wanted) in &shared {
            // where it says nothing, nothing is lost; nor where it is empty and was never told otherwise
            let Some(found) = has.get(field) else { continue };
            if *found == nothing() && !told.contains_key(field) {
                continue;
            }
            if found != wanted && !is_told(name.kind, field, &has, &told) {
                return Err(Failure::Conflict(Box::new(Conflict {
                    entity: name.clone(),
                    field: field.clone(),
                    here: work.message.system.clone(),
                    ours: value(&change.entity, field),
                    there: target.clone(),
                    theirs: value(&there.entity, field),
                })));
            }
        }
    }
    Ok(())
}

/// What the target says of an entity now; none where nothing is read from it.
async fn there(
    pipeline: &Pipeline,
    work: &Work,
    name: &EntityRef,
    (link, id): (&Link, &str),
) -> Result<Option<Change>, Failure> {
    let route = work.route()?;
    let system = route.target.as_str();
    let Some(source) = pipeline.setup.systems.source(system) else {
        return Ok(None);
    };
    let back = {
        let routes = pipeline.routes();
        let mut flows = routes.flows.iter();
        let back = flows.find(|flow| {
            flow.from.iter().any(|from| from == system)
                && flow.target(&route.region) == Some(&work.message.system)
        });
        let Some(back) = back else { return Ok(None) };
        back.name.clone()
    };
    let subject = Subject {
        flow: &back,
        region: &route.region,
        unit: &route.unit,
        key: &work.message.key,
    };
    let pins = pipeline.setup.registry.route(&[Stage::Read], subject)?;
    let Some(pin) = pins.revisions.get(&Stage::Read).copied() else {
        return Ok(None);
    };
    let look = Message {
        id: MessageId::of(system, &format!("{LOOK} for {}", work.message.id)),
        system: system.to_owned(),
        event: LOOK.to_owned(),
        object_kind: link.model.clone(),
        object_id: id.to_owned(),
        dedupe: LOOK.to_owned(),
        ..work.message.clone()
    };
    let body = source.fetch(&look).await?;
    let inbound = Inbound {
        system: look.system,
        event: look.event,
        object_kind: look.object_kind,
        object_id: look.object_id,
        body: body.into(),
    };
    let mut context = Context {
        flow: back,
        ..work.context(&Value::Null)?
    };
    let registry = Arc::clone(&pipeline.setup.registry);
    let called = tokio::task::spawn_blocking(move || {
        let pinned = registry.pinned(&pin)?;
        context.settings = (&pinned.revision.settings).into();
        let called = pinned.plugin.read(&context, &inbound, Arc::new(NoLinks));
        called.answer.map_err(Failure::from)
    });
    let panicked = |_| Failure::Implausible("the call's thread panicked".to_owned());
    let changes = called.await.map_err(panicked)??;
    let unreadable = |error: serde_json::Error| Failure::Implausible(error.to_string());
    let mut changes = serde_json::to_value(changes).map_err(unreadable)?;
    let spoken_of = names::named(&changes, system);
    names::as_born(pipeline.setup.journal.as_ref(), system, spoken_of, &mut changes).await?;
    let changes: Vec<Change> = serde_json::from_str(&changes.to_string()).map_err(unreadable)?;
    Ok(changes.into_iter().find(|change| change.entity.name() == name))
}

/// A field's value as a person reads it.
fn value(entity: &Entity, field: &str) -> String {
    let entity = serde_json::to_value(entity).unwrap_or_default();
    let fields = entity.as_object().and_then(|it| it.values().next());
    match fields.and_then(|fields| fields.get(field)) {
        Some(Value::String(text)) => format!("`{text}`"),
        Some(other) => format!("`{other}`"),
        None => "nothing".to_owned(),
    }
}
