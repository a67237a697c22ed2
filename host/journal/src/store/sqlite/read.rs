//! What is asked of the journal: one message, many at a glance, counts, links.
//!
//! Every function reads from one moment of the file. None writes.

use std::collections::BTreeMap;

use cambist_contract::{
    canonical::EntityRef,
    digest::Digest,
    mapping::RecordKey,
    message::{Message, MessageId},
    plugin::Link,
    stage::Stage,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, ToSql};

use super::{
    causes,
    column::{Blob, Count, Text, clamped, entity_key},
    deliveries, merges,
    row::{COLUMNS, StatusRow, oldest_due},
    trouble::{Trouble, unreadable},
};
use crate::{
    Entry, Event, JournalError, Status,
    journal::{Claim, Counts, Filter, Known},
};

/// What was found of messages that were claimed.
pub(super) struct Found {
    /// Those that can be worked on, in the order asked.
    pub(super) claims: Vec<Claim>,
    /// Those that cannot be read.
    pub(super) broken: Vec<Unreadable>,
}

/// A message whose entries cannot be read.
pub(super) struct Unreadable {
    pub(super) id: MessageId,
    /// The stage it stands before, as far as its status tells.
    pub(super) stage: Stage,
    pub(super) error: JournalError,
}

/// The messages with all that happened to them. One that cannot be read takes no
/// other with it; trouble with the file itself is everybody's.
pub(super) fn claimed(connection: &Connection, ids: &[MessageId]) -> Result<Found, Trouble> {
    let mut found = Found {
        claims: Vec::new(),
        broken: Vec::new(),
    };
    for id in ids {
        match message(connection, id) {
            Ok(claim) => found.claims.extend(claim),
            Err(trouble) => {
                let row = StatusRow::by_id(connection, id).ok().flatten();
                found.broken.push(Unreadable {
                    id: id.clone(),
                    stage: next(row.and_then(|row| row.status.passed)),
                    error: trouble.of_one_message()?,
                });
            }
        }
    }
    Ok(found)
}

/// The stage behind the last one that was passed.
fn next(passed: Option<Stage>) -> Stage {
    let mut stages = Stage::ALL.into_iter();
    stages
        .find(|stage| Some(*stage) > passed)
        .unwrap_or(Stage::Deliver)
}

/// One message with all that happened to it.
pub(super) fn message(connection: &Connection, id: &MessageId) -> Result<Option<Claim>, Trouble> {
    let Some(row) = StatusRow::by_id(connection, id)? else {
        return Ok(None);
    };
    let entries = entries(connection, row.status.arrival, id)?;
    let text: String = connection
        .prepare_cached("SELECT text FROM messages WHERE arrival = ?1")?
        .query_row([Count(row.status.arrival)], |row| row.get(0))?;
    let received = entries.first().map_or(0, |entry| entry.place);
    let message: Message =
        serde_json::from_str(&text).map_err(|error| unreadable(received, "the message of it", &error))?;
    Ok(Some(Claim {
        message,
        status: row.status,
        entries,
    }))
}

/// All that happened to a message, oldest first.
pub(super) fn entries(connection: &Connection, arrival: u64, id: &MessageId) -> Result<Vec<Entry>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT place, at, event_digest, digest, event FROM entries WHERE arrival = ?1 ORDER BY place",
    )?;
    let mut rows = statement.query([Count(arrival)])?;
    let mut entries = Vec::new();
    while let Some(entry) = rows.next()? {
        let place = entry.get::<_, Count>(0)?.0;
        let event: String = entry.get(4)?;
        entries.push(Entry {
            place,
            message: id.clone(),
            at: entry.get::<_, Text<_>>(1)?.0,
            event: Event::from_text(&event).map_err(|error| unreadable(place, "its event", &error))?,
            event_digest: entry.get::<_, Blob>(2)?.0,
            digest: entry.get::<_, Blob>(3)?.0,
        });
    }
    Ok(entries)
}

/// Messages at a glance, the newest first.
pub(super) fn list(connection: &Connection, filter: &Filter) -> Result<Vec<Status>, Trouble> {
    let before = filter.before.map(clamped);
    let after = filter.after.map(clamped);
    let limit = clamped(u64::try_from(filter.limit).unwrap_or(u64::MAX));
    let (from, until) = (filter.from.map(sortable), filter.until.map(sortable));
    let entity = filter.entity.as_ref().map(entity_key);
    let passed = filter.passed.map(Stage::name);
    let ids = serde_json::json!(filter.ids).to_string();
    // Only the conditions that are asked for: `?1 IS NULL OR …` keeps SQLite from
    // its indexes.
    let mut conditions = vec!["TRUE"];
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":limit", &limit)];
    if let Some(state) = &filter.state {
        conditions.push("s.state = :state");
        values.push((":state", state));
    }
    let cause = format!("{} AND {} = :cause", causes::RESTING, causes::CAUSE);
    if let Some(code) = &filter.cause {
        conditions.push(&cause);
        values.push((":cause", code));
    }
    if let Some(system) = &filter.system {
        conditions.push("s.system = :system");
        values.push((":system", system));
    }
    if let Some(flow) = &filter.flow {
        conditions.push("s.flow = :flow");
        values.push((":flow", flow));
    }
    if let Some(region) = &filter.region {
        conditions.push("s.region = :region");
        values.push((":region", region));
    }
    let objects = filter
        .objects
        .as_ref()
        .map(|all| serde_json::Value::from(all.clone()).to_string());
    if let Some(objects) = &objects {
        conditions.push("s.object IN (SELECT value FROM json_each(:objects))");
        values.push((":objects", objects));
    }
    if let Some(object) = &filter.object {
        conditions.push("s.object = :object");
        values.push((":object", object));
    }
    if let Some(entity) = &entity {
        conditions.push("s.arrival IN (SELECT arrival FROM delivered WHERE entity = :entity)");
        values.push((":entity", entity));
    }
    if let Some(passed) = &passed {
        conditions.push("s.passed = :passed");
        values.push((":passed", passed));
    }
    if let Some(from) = &from {
        conditions.push("rtrim(s.received_at, 'Z') >= :from");
        values.push((":from", from));
    }
    if let Some(until) = &until {
        conditions.push("rtrim(s.received_at, 'Z') < :until");
        values.push((":until", until));
    }
    if !filter.ids.is_empty() {
        conditions.push("m.id IN (SELECT value FROM json_each(:ids))");
        values.push((":ids", &ids));
    }
    if filter.under_way {
        conditions.push("s.head = 1 AND s.due_ns IS NOT NULL");
    }
    if let Some(before) = &before {
        conditions.push("s.arrival < :before");
        values.push((":before", before));
    }
    if let Some(after) = &after {
        conditions.push("s.arrival > :after");
        values.push((":after", after));
    }
    let conditions = conditions.join(" AND ");
    let order = if after.is_some() { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT {COLUMNS} FROM status s JOIN messages m USING (arrival)
         WHERE {conditions} ORDER BY s.arrival {order} LIMIT :limit"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(values.as_slice())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(StatusRow::of(row)?.status);
    }
    Ok(found)
}

/// A time as it stands in a column, without the letter behind it: so that a moment comes before
/// its fractions in the order of texts.
fn sortable(at: Timestamp) -> String {
    at.to_string().trim_end_matches('Z').to_owned()
}

/// How many messages stand where.
pub(super) fn counts(connection: &Connection) -> Result<Counts, Trouble> {
    let mut statement = connection.prepare_cached("SELECT state, messages FROM tally WHERE messages > 0")?;
    let by_state = statement
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, Count>(1)?.0)))?
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let behind = format!(
        "SELECT coalesce(sum((SELECT count(*) - 1 FROM status b WHERE b.order_key = s.order_key AND b.open = 1)), 0)
         FROM status s WHERE s.head = 1 AND {}",
        causes::RESTING
    );
    let behind = connection.prepare_cached(&behind)?;
    let behind = { behind }.query_row([], |row| row.get::<_, Count>(0))?.0;
    Ok(Counts {
        by_state,
        behind,
        oldest_due: oldest_due(connection)?,
    })
}

/// The digests of what was last written to these records.
pub(super) fn written(
    connection: &Connection,
    target: &str,
    records: &[(String, String)],
) -> Result<Vec<Option<Digest>>, Trouble> {
    let mut statement = connection
        .prepare_cached("SELECT digest FROM written WHERE target = ?1 AND model = ?2 AND external_id = ?3")?;
    records
        .iter()
        .map(|(model, external_id)| {
            let digest = statement
                .query_row((target, model, external_id), |row| row.get::<_, Blob>(0))
                .optional()?;
            Ok(digest.map(|blob| blob.0))
        })
        .collect()
}

/// The target's own ids of records of a model, behind one.
pub(super) fn records(
    connection: &Connection,
    target: &str,
    model: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT target_id FROM links WHERE target = ?1 AND model = ?2 AND target_id > ?3
         ORDER BY target_id LIMIT ?4",
    )?;
    let ids = statement.query_map((target, model, after, clamped(limit as u64)), |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// What is known of an entity that a system speaks of.
pub(super) fn known(connection: &Connection, system: &str, entity: &EntityRef) -> Result<Known, Trouble> {
    let origin = born(connection, entity)?;
    let entity = entity_key(origin.as_ref().unwrap_or(entity));
    let mut statement =
        connection.prepare_cached("SELECT field, digest FROM told WHERE entity = ?1 AND system = ?2")?;
    let fields = statement.query_map((entity, system), |row| {
        Ok((row.get(0)?, row.get::<_, Blob>(1)?.0))
    })?;
    let told = fields.collect::<Result<_, _>>()?;
    Ok(Known { origin, told })
}

/// What an entity is called where it was born, and since it was merged there; none for what
/// has that name.
fn born(connection: &Connection, entity: &EntityRef) -> Result<Option<EntityRef>, Trouble> {
    let origin = deliveries::origin(connection, entity)?;
    let merged = merges::is_now(connection, origin.as_ref().unwrap_or(entity))?;
    Ok(merged.or(origin))
}

/// The record that stands for an entity in a system.
pub(super) fn link(
    connection: &Connection,
    entity: &EntityRef,
    system: &str,
) -> Result<Option<Link>, Trouble> {
    let origin = born(connection, entity)?;
    // asked of the other side, or of what was merged: where it was born it is that record
    if let Some(origin) = origin.as_ref().filter(|origin| origin.system == system) {
        return Ok(Some(Link {
            model: origin.kind.name().to_owned(),
            external_id: None,
            id: Some(origin.id.clone()),
        }));
    }
    let entity = origin.as_ref().unwrap_or(entity);
    let found = connection
        .prepare_cached("SELECT model, external_id, target_id FROM links WHERE entity = ?1 AND target = ?2")?
        .query_row((entity_key(entity), system), |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(found.map(
        |(model, key, id): (_, _, Option<String>)| match RecordKey::of_text(&key) {
            RecordKey::External(external_id) => Link {
                model,
                external_id: Some(external_id),
                id,
            },
            RecordKey::Own(own) => Link {
                model,
                external_id: None,
                id: id.or(Some(own)),
            },
        },
    ))
}
