//! `reference`: rows of the tables that the binding grants.

use cambist_contract::revision::Grant;

use crate::guest::State;

/// The binding grants no table of this name.
pub(crate) struct NotGranted(pub(crate) String);

/// The row under a key, as JSON text.
///
/// # Errors
///
/// The outer one ends the call, the inner one is the plugin's to handle.
pub(crate) fn find(
    state: &mut State,
    table: String,
    key: &str,
) -> wasmtime::Result<Result<Option<String>, NotGranted>> {
    state.host_call(table.len() + key.len())?;
    if !state.terms.grants.contains(&Grant::Reference(table.clone())) {
        return Ok(Err(NotGranted(table)));
    }
    let row = state.terms.tables.get(&table).and_then(|rows| rows.get(key));
    let row = row.map(ToString::to_string);
    // a small question may have a large answer, and asking again costs the guest nothing
    state.host_bytes(row.as_ref().map_or(0, String::len))?;
    Ok(Ok(row))
}
