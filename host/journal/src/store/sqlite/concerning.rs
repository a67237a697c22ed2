//! What is there about somebody.
//!
//! A question that is asked now and then, so no index is kept for it: the statuses are read
//! for an object, and everything for a text.

use std::collections::BTreeSet;

use cambist_contract::canonical::{EntityKind, EntityRef};
use rusqlite::Connection;

use super::{
    column::{Count, clamped, entity_key, entity_of_key},
    merges,
    row::{COLUMNS, StatusRow},
    trouble::Trouble,
    unlink::links,
};
use crate::erasure::{Concerned, FOUND, Linked, Subject};

/// Finds it.
pub(super) fn concerning(connection: &Connection, subject: &Subject) -> Result<Concerned, Trouble> {
    let mut arrivals = BTreeSet::new();
    let mut entities = BTreeSet::new();
    for (system, object) in &subject.objects {
        about(connection, system, object, &mut arrivals)?;
        entities.extend(entities_of(connection, system, object, &arrivals)?);
    }
    let merged = entities.iter().map(|entity| merges::those_of(connection, entity));
    let merged = merged.collect::<Result<Vec<_>, _>>()?;
    entities.extend(merged.into_iter().flatten());
    for entity in &entities {
        about(
            connection,
            &entity.system,
            &format!("{}/{}", entity.kind.name(), entity.id),
            &mut arrivals,
        )?;
        brought(connection, entity, &mut arrivals)?;
        for link in links(connection, entity, None)? {
            if let Some(id) = link.id {
                about(
                    connection,
                    &link.system,
                    &format!("{}/{id}", link.model),
                    &mut arrivals,
                )?;
            }
        }
    }
    for text in &subject.texts {
        having(connection, text, &mut arrivals)?;
    }
    let mut messages = Vec::new();
    let sql = format!(
        "SELECT {COLUMNS} FROM messages m JOIN status s USING (arrival) WHERE s.arrival = ?1 AND s.erased < 2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    for arrival in arrivals {
        let mut rows = statement.query([clamped(arrival)])?;
        if let Some(row) = rows.next()? {
            messages.push(StatusRow::of(row)?.status);
        }
        if messages.len() == FOUND {
            break;
        }
    }
    Ok(Concerned {
        messages,
        entities: entities.into_iter().collect(),
    })
}

/// The links of what a system calls so.
pub(super) fn links_of(connection: &Connection, system: &str, object: &str) -> Result<Vec<Linked>, Trouble> {
    let mut arrivals = BTreeSet::new();
    about(connection, system, object, &mut arrivals)?;
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for entity in entities_of(connection, system, object, &arrivals)? {
        let entity = merges::is_now(connection, &entity)?.unwrap_or(entity);
        if seen.insert(entity.clone()) {
            found.extend(links(connection, &entity, None)?);
        }
    }
    Ok(found)
}

/// Adds the messages of a system about an object.
fn about(
    connection: &Connection,
    system: &str,
    object: &str,
    arrivals: &mut BTreeSet<u64>,
) -> Result<(), Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT arrival FROM status WHERE system = ?1 AND object = ?2")?;
    add(statement.query_map((system, object), |row| row.get(0))?, arrivals)
}

/// Adds the messages that brought an entity.
fn brought(connection: &Connection, entity: &EntityRef, arrivals: &mut BTreeSet<u64>) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached("SELECT arrival FROM delivered WHERE entity = ?1")?;
    add(
        statement.query_map([entity_key(entity)], |row| row.get(0))?,
        arrivals,
    )
}

/// Adds the messages that have a text anywhere, as it stands in JSON.
fn having(connection: &Connection, text: &str, arrivals: &mut BTreeSet<u64>) -> Result<(), Trouble> {
    let inside = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted.trim_matches('"').to_owned()
    };
    // a message's body is JSON in JSON
    let (once, twice) = (inside(text), inside(&inside(text)));
    let mut statement = connection.prepare(
        "SELECT arrival FROM messages WHERE arrival > 0 AND (instr(text, ?1) > 0 OR instr(text, ?2) > 0)
         UNION SELECT arrival FROM entries WHERE arrival > 0 AND instr(event, ?1) > 0",
    )?;
    add(statement.query_map((once, twice), |row| row.get(0))?, arrivals)
}

fn add(
    rows: impl Iterator<Item = Result<Count, rusqlite::Error>>,
    arrivals: &mut BTreeSet<u64>,
) -> Result<(), Trouble> {
    for arrival in rows {
        arrivals.insert(arrival?.0);
    }
    Ok(())
}

/// Whether anything is kept of an entity.
fn is_known(connection: &Connection, entity: &EntityRef) -> Result<bool, Trouble> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM delivered WHERE entity = ?1)
                 OR EXISTS (SELECT 1 FROM links WHERE entity = ?1)",
        )?
        .query_row([entity_key(entity)], |row| row.get(0))?)
}

/// The entities that an object of a system is, by the name of the system in which they were
/// born: the one that it names in the contract's words, and those that messages about it brought
/// and that have its id.
fn entities_of(
    connection: &Connection,
    system: &str,
    object: &str,
    arrivals: &BTreeSet<u64>,
) -> Result<BTreeSet<EntityRef>, Trouble> {
    let Some((kind, id)) = object.rsplit_once('/') else {
        return Ok(BTreeSet::new());
    };
    let mut found = BTreeSet::new();
    if let Some(kind) = EntityKind::ALL.into_iter().find(|it| it.name() == kind) {
        let (system, id) = (system.to_owned(), id.to_owned());
        let named = EntityRef { kind, system, id };
        if is_known(connection, &named)? {
            found.insert(named);
        }
    }
    let mut brought = connection.prepare_cached("SELECT entity FROM delivered WHERE arrival = ?1")?;
    for arrival in arrivals {
        for entity in brought.query_map([Count(*arrival)], |row| row.get::<_, String>(0))? {
            let entity = entity_of_key(&entity?);
            found.extend(entity.filter(|entity| entity.system == system && entity.id == id));
        }
    }
    // a record of ours in that system stands for what was born elsewhere
    let mut stands_for = connection
        .prepare_cached("SELECT entity FROM links WHERE target = ?1 AND model = ?2 AND target_id = ?3")?;
    for entity in stands_for.query_map((system, kind, id), |row| row.get::<_, String>(0))? {
        found.extend(entity_of_key(&entity?));
    }
    Ok(found)
}
