//! `links`: which record in one system is which in another.

use cambist_contract::{canonical::EntityRef, plugin::Link, revision::Grant};

use crate::guest::State;

/// The binding grants no links into this system.
pub(crate) struct NotGranted(pub(crate) String);

/// The record that stands for an entity in a system.
///
/// # Errors
///
/// The outer one ends the call, the inner one is the plugin's to handle.
pub(crate) fn find(
    state: &mut State,
    entity: &EntityRef,
    system: String,
) -> wasmtime::Result<Result<Option<Link>, NotGranted>> {
    state.host_call(entity.system.len() + entity.id.len() + system.len())?;
    if !state.terms.grants.contains(&Grant::Links(system.clone())) {
        return Ok(Err(NotGranted(system)));
    }
    let found = state.links.find(entity, &system, state.time_left());
    // the journal may have been too slow, and nobody may ask again
    state.in_time()?;
    state.host_bytes(found.as_ref().map_or(0, bytes))?;
    Ok(Ok(found))
}

/// The bytes of text in a link.
fn bytes(link: &Link) -> usize {
    let of = |id: &Option<String>| id.as_ref().map_or(0, String::len);
    link.model.len() + of(&link.external_id) + of(&link.id)
}
