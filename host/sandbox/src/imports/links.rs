//! `links`: which record in one system is which in another.

use cambist_contract::{canonical::EntityRef, revision::Grant};

use crate::guest::State;

/// The binding grants no links into this system.
pub(crate) struct NotGranted(pub(crate) String);

/// The id that an entity has in a system.
///
/// # Errors
///
/// The outer one ends the call, the inner one is the plugin's to handle.
pub(crate) fn find(
    state: &mut State,
    entity: &EntityRef,
    system: String,
) -> wasmtime::Result<Result<Option<String>, NotGranted>> {
    state.host_call(entity.system.len() + entity.id.len() + system.len())?;
    if !state.terms.grants.contains(&Grant::Links(system.clone())) {
        return Ok(Err(NotGranted(system)));
    }
    let found = state.links.find(entity, &system);
    // the journal may have been slow, and nobody may ask again
    state.in_time()?;
    state.host_bytes(found.as_ref().map_or(0, String::len))?;
    Ok(Ok(found))
}
