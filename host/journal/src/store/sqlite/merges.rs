//! Which entity was merged into which other, and whose the links are since.

use cambist_contract::canonical::EntityRef;
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    column::{entity_key, entity_of_key},
    format::{self, WITH_ERASED},
    trouble::Trouble,
};

/// Keeps that an entity is another one since. What is linked is linked to that one, unless it
/// has a link of its own there; what either was told is as it was.
pub(super) fn keep(connection: &Connection, entity: &EntityRef, into: &EntityRef) -> Result<(), Trouble> {
    let into = is_now(connection, into)?.unwrap_or_else(|| into.clone());
    if *entity == into {
        return Ok(());
    }
    let (entity, into) = (entity_key(entity), entity_key(&into));
    for statement in [
        "INSERT INTO merged (entity, into_entity) VALUES (?1, ?2)
         ON CONFLICT (entity) DO UPDATE SET into_entity = excluded.into_entity",
        // one that others were merged into goes with all of them
        "UPDATE merged SET into_entity = ?2 WHERE into_entity = ?1",
        "UPDATE OR IGNORE links SET entity = ?2 WHERE entity = ?1",
    ] {
        connection.prepare_cached(statement)?.execute((&entity, &into))?;
    }
    for statement in [
        "DELETE FROM links WHERE entity = ?1",
        "DELETE FROM told WHERE entity = ?1",
        "DELETE FROM heard WHERE entity = ?1",
    ] {
        connection.prepare_cached(statement)?.execute([&entity])?;
    }
    Ok(())
}

/// The entity that an entity is since it was merged; none where it was not.
pub(super) fn is_now(connection: &Connection, entity: &EntityRef) -> Result<Option<EntityRef>, Trouble> {
    // a file of before, opened for reading alone, has no such table
    if format::found(connection)? < WITH_ERASED {
        return Ok(None);
    }
    let into: Option<String> = connection
        .prepare_cached("SELECT into_entity FROM merged WHERE entity = ?1")?
        .query_row([entity_key(entity)], |row| row.get(0))
        .optional()?;
    Ok(into.as_deref().and_then(entity_of_key))
}

/// Those that were merged into an entity.
pub(super) fn those_of(connection: &Connection, entity: &EntityRef) -> Result<Vec<EntityRef>, Trouble> {
    let mut statement = connection.prepare_cached("SELECT entity FROM merged WHERE into_entity = ?1")?;
    let keys = statement.query_map([entity_key(entity)], |row| row.get::<_, String>(0))?;
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    Ok(keys.iter().filter_map(|key| entity_of_key(key)).collect())
}
