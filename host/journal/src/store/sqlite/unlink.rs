//! Forgetting links, and what was written and told through them.

use cambist_contract::canonical::EntityRef;
use rusqlite::Connection;

use super::{
    accept::{Arriving, accept},
    chain::{Prepared, Tip},
    column::entity_key,
    record::{Recording, record},
    trouble::Trouble,
};
use crate::erasure::Linked;

/// What is to be forgotten, with the decision as it is written down.
pub(super) struct Severing {
    pub(super) entities: Vec<EntityRef>,
    pub(super) system: Option<String>,
    pub(super) decision: Arriving,
    pub(super) done: Prepared,
}

/// Forgets, and answers which links there were.
pub(super) fn unlink(
    connection: &Connection,
    tip: &mut Tip,
    severing: &Severing,
) -> Result<Vec<Linked>, Trouble> {
    let Severing {
        entities,
        system,
        decision,
        done,
    } = severing;
    let mut gone = Vec::new();
    for entity in entities {
        gone.extend(sever(connection, entity, system.as_deref())?);
    }
    let (id, at) = (decision.id().clone(), decision.received_at());
    accept(connection, tip, std::slice::from_ref(decision), |_| false)?;
    let events = vec![done.clone()];
    record(connection, tip, &Recording { id, at, events }, None)?;
    Ok(gone)
}

fn sever(connection: &Connection, entity: &EntityRef, system: Option<&str>) -> Result<Vec<Linked>, Trouble> {
    let key = entity_key(entity);
    let gone = links(connection, entity, system)?;
    for link in &gone {
        connection
            .prepare_cached("DELETE FROM written WHERE target = ?1 AND model = ?2 AND external_id = ?3")?
            .execute((&link.system, &link.model, &link.external_id))?;
    }
    for table in ["links", "told", "heard"] {
        let column = if table == "links" { "target" } else { "system" };
        connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE entity = ?1 AND {column} = ifnull(?2, {column})"
            ))?
            .execute((&key, system))?;
    }
    if system.is_none() {
        connection
            .prepare_cached("DELETE FROM delivered WHERE entity = ?1")?
            .execute([&key])?;
        connection
            .prepare_cached("DELETE FROM merged WHERE entity = ?1 OR into_entity = ?1")?
            .execute([&key])?;
    }
    Ok(gone)
}

/// The links of an entity: to one system, or to all.
pub(super) fn links(
    connection: &Connection,
    entity: &EntityRef,
    system: Option<&str>,
) -> Result<Vec<Linked>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT target, model, external_id, target_id FROM links
         WHERE entity = ?1 AND target = ifnull(?2, target)",
    )?;
    let rows = statement.query_map((entity_key(entity), system), |row| {
        Ok(Linked {
            entity: entity.clone(),
            system: row.get(0)?,
            model: row.get(1)?,
            external_id: row.get(2)?,
            id: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
