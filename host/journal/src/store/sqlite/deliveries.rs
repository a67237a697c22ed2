//! What was delivered: digests and ids of records, and which entities have come.
//!
//! # No message sleeps for ever
//!
//! A message that records [`Event::Waiting`](crate::Event::Waiting) has looked
//! for the entity and not found it; meanwhile the entity may have come. So each
//! delivery keeps the last place at which it counted as having come: the entry
//! of the delivery, then the entry of its message being done. A message that
//! begins to wait is resumed at once if another message's delivery stands behind
//! the place that its worker saw when it claimed it; one that waits already is
//! resumed when such a message is done. An entity that had come before the claim
//! wakes nobody: the worker knew it, and waits for the next time.

use cambist_contract::{
    canonical::EntityRef,
    delivery::{Effect, Receipt},
};
use rusqlite::Connection;

use super::{
    column::{Blob, Count, entity_key, entity_of_key},
    merges,
    trouble::Trouble,
};

/// Keeps the receipts of a delivery that was recorded at `place`.
pub(super) fn keep(
    connection: &Connection,
    arrival: u64,
    place: u64,
    target: &str,
    receipts: &[Receipt],
) -> Result<(), Trouble> {
    for receipt in receipts {
        // What a dry run showed is not there. Were it kept, a target that goes live
        // under the same name would be taken to have it already, and a plugin
        // would be told an id that the target does not know.
        let shown = receipt.effect == Effect::Shown;
        if !shown {
            keep_written(connection, target, receipt)?;
        }
        if let Some(entity) = &receipt.stands_for {
            let system = entity.system.as_str();
            // what was merged meanwhile is the other one, by whichever name it is spoken of
            let merged = merges::is_now(connection, entity)?;
            let entity = merged.as_ref().unwrap_or(entity);
            let (entity, origin) = (entity_key(entity), origin(connection, entity)?);
            if !shown {
                // what was born there needs no link there, by whichever name it goes
                let born_in = origin.as_ref().map_or(system, |origin| origin.system.as_str());
                if born_in != target {
                    keep_link(connection, &entity, target, receipt)?;
                }
                let entity = origin.as_ref().map_or_else(|| entity.clone(), entity_key);
                keep_told(connection, (arrival, &entity), target, receipt)?;
            }
            connection
                .prepare_cached(
                    "INSERT INTO delivered (entity, arrival, place) VALUES (?1, ?2, ?3)
                     ON CONFLICT (entity, arrival) DO UPDATE SET place = excluded.place",
                )?
                .execute((&entity, Count(arrival), Count(place)))?;
        }
    }
    Ok(())
}

fn keep_written(connection: &Connection, target: &str, receipt: &Receipt) -> Result<(), Trouble> {
    let Some(digest) = receipt.written else {
        return Ok(());
    };
    connection
        .prepare_cached(
            "INSERT INTO written (target, model, external_id, digest) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (target, model, external_id) DO UPDATE SET digest = excluded.digest",
        )?
        .execute((target, &receipt.model, &receipt.external_id, Blob(digest)))?;
    Ok(())
}

/// Keeps what the target was told. What the source of it says is its own word from then on, so
/// that it is heard when it goes back to what we had told it.
fn keep_told(
    connection: &Connection,
    (arrival, entity): (u64, &str),
    target: &str,
    receipt: &Receipt,
) -> Result<(), Trouble> {
    for (field, digest) in &receipt.fields {
        connection
            .prepare_cached(
                "DELETE FROM told WHERE entity = ?1 AND field = ?2 AND digest <> ?3
                 AND system = (SELECT system FROM status WHERE arrival = ?4)",
            )?
            .execute((entity, field, Blob(*digest), Count(arrival)))?;
        connection
            .prepare_cached(
                "INSERT INTO told (entity, system, field, digest) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (entity, system, field) DO UPDATE SET digest = excluded.digest",
            )?
            .execute((entity, target, field, Blob(*digest)))?;
    }
    Ok(())
}

fn keep_link(connection: &Connection, entity: &str, target: &str, receipt: &Receipt) -> Result<(), Trouble> {
    // A receipt that does not tell the target's id, such as one for an unchanged
    // record, does not make us forget it.
    connection
        .prepare_cached(
            "INSERT INTO links (entity, target, model, external_id, target_id) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (entity, target) DO UPDATE SET
                 target_id = CASE
                     WHEN excluded.target_id IS NOT NULL THEN excluded.target_id
                     WHEN model = excluded.model AND external_id = excluded.external_id THEN target_id
                 END,
                 model = excluded.model,
                 external_id = excluded.external_id",
        )?
        .execute((
            entity,
            target,
            &receipt.model,
            &receipt.external_id,
            &receipt.target_id,
        ))?;
    Ok(())
}

/// The entity that the record was made from which a system calls by this name; none for
/// what was born there. Of several it is always the same one.
pub(super) fn origin(connection: &Connection, record: &EntityRef) -> Result<Option<EntityRef>, Trouble> {
    let mut statement = connection
        .prepare_cached("SELECT entity FROM links WHERE target = ?1 AND target_id = ?2 ORDER BY entity")?;
    let mut rows = statement.query((&record.system, &record.id))?;
    while let Some(row) = rows.next()? {
        let entity = entity_of_key(&row.get::<_, String>(0)?);
        // a record's id is unique in its model, and models are told apart by the kind
        if let Some(entity) = entity.filter(|entity| entity.kind == record.kind) {
            return Ok(Some(entity));
        }
    }
    Ok(None)
}

/// Whether another message than `arrival` brought the entity after place `seen`.
pub(super) fn came_since(
    connection: &Connection,
    entity: &EntityRef,
    seen: u64,
    arrival: u64,
) -> Result<bool, Trouble> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM delivered WHERE entity = ?1 AND place > ?2 AND arrival <> ?3)",
        )?
        .query_row((entity_key(entity), Count(seen), Count(arrival)), |row| {
            row.get(0)
        })?)
}

/// The message is done, by the entry at `place`: what it delivered counts as
/// having come there. Answers the other messages that wait for any of it, oldest
/// first. It may have waited for one of them itself and have been resumed in the
/// same list of events, which its row in the table does not show yet.
pub(super) fn settle(connection: &Connection, arrival: u64, place: u64) -> Result<Vec<u64>, Trouble> {
    connection
        .prepare_cached("UPDATE delivered SET place = ?2 WHERE arrival = ?1")?
        .execute((Count(arrival), Count(place)))?;
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT s.arrival FROM delivered d JOIN status s ON s.waits_for = d.entity
         WHERE d.arrival = ?1 AND s.arrival <> ?1 ORDER BY s.arrival",
    )?;
    let waiting = statement.query_map([Count(arrival)], |row| row.get::<_, Count>(0))?;
    Ok(waiting
        .map(|arrival| arrival.map(|count| count.0))
        .collect::<Result<_, _>>()?)
}
