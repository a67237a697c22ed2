//! Taking texts out of messages and their entries.
//!
//! ```text
//!   the entry that says so  ──►  the texts  ──►  the salt        one savepoint
//! ```
//!
//! In this order, because the database's own triggers let nothing be blanked that no entry
//! behind it speaks of.

use cambist_contract::{
    digest::Digest,
    message::{Message, MessageId},
    stage::Stage,
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    chain::{Prepared, Tip},
    claims::Claims,
    column::Count,
    record::{Recording, record},
    row::StatusRow,
    salts,
    trouble::{Trouble, unreadable},
};
use crate::{
    Event, State, blank,
    erasure::{Erased, Erasure, Extent},
};

/// What is to be erased, and when.
pub(super) struct Erasing {
    pub(super) at: Timestamp,
    pub(super) erasure: Erasure,
}

/// Erases, and answers what became of each message.
pub(super) fn erase(
    connection: &Connection,
    tip: &mut Tip,
    erasing: &Erasing,
    claims: &Claims,
) -> Result<Vec<Erased>, Trouble> {
    let messages = &erasing.erasure.messages;
    messages
        .iter()
        .map(|id| erase_one(connection, tip, erasing, (id, claims.of(id).is_some())))
        .collect()
}

fn erase_one(
    connection: &Connection,
    tip: &mut Tip,
    Erasing { at, erasure }: &Erasing,
    (id, is_claimed): (&MessageId, bool),
) -> Result<Erased, Trouble> {
    let Some(mut row) = StatusRow::by_id(connection, id)? else {
        return Ok(Erased::Unknown);
    };
    if row.status.erased >= Some(erasure.extent) {
        return Ok(Erased::Before);
    }
    if is_claimed {
        return Ok(Erased::Claimed);
    }
    if !row.status.state.is_final() {
        if !erasure.end {
            return Ok(Erased::Open);
        }
        row = end(connection, tip, *at, erasure, row)?;
    }
    let arrival = row.status.arrival;
    let left = left(connection, arrival, row.last_place, erasure.extent)?;
    let texts: Vec<&str> = left.iter().map(|(_, text)| text.as_str()).collect();
    let erased = Event::erased(erasure.extent, &erasure.ground, &texts);
    let erased = prepared(erased, row.last_place)?;
    let object = row.status.object.clone();
    row.follow(tip.place + 1, *at, &erased.event)?;
    // without the salt, which goes
    tip.append_text(connection, (arrival, id), *at, (erased.digest, &erased.text))?;
    blank(connection, arrival, &left)?;
    salts::forget(connection, arrival)?;
    forget_beside(connection, (arrival, id))?;
    if erasure.extent == Extent::All {
        forget_reports(connection, id, &object)?;
    }
    row.save_erased(connection)?;
    Ok(Erased::Now)
}

/// Forgets what a shadow or a replay made of the message, which are texts of it.
fn forget_beside(connection: &Connection, (arrival, id): (u64, &MessageId)) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached("DELETE FROM differing WHERE message = ?1")?
        .execute([id.as_str()])?;
    connection
        .prepare_cached("DELETE FROM replayed WHERE arrival = ?1")?
        .execute([Count(arrival)])?;
    Ok(())
}

/// Forgets whatever report names a message or its object. A report can be made anew at any time, so it goes whole, and one
/// too many does no harm.
fn forget_reports(connection: &Connection, id: &MessageId, object: &str) -> Result<(), rusqlite::Error> {
    let object = object.rsplit_once('/').map_or(object, |(_, id)| id);
    connection
        .prepare_cached("DELETE FROM reports WHERE instr(text, ?1) OR instr(text, ?2)")?
        .execute((format!("\"{id}\""), format!("\"{object}\"")))?;
    Ok(())
}

/// Ends a message that has not ended, as an operator's skip does.
fn end(
    connection: &Connection,
    tip: &mut Tip,
    at: Timestamp,
    erasure: &Erasure,
    row: StatusRow,
) -> Result<StatusRow, Trouble> {
    let by = &erasure.ground.by;
    let resumed = Event::Resumed {
        by: by.clone(),
        from: Stage::Fetch,
        live: false,
        why: None,
        order: None,
    };
    let rests = !matches!(row.status.state, State::Due { .. });
    let events = rests
        .then_some(resumed)
        .into_iter()
        .chain([Event::skipped(by, "it is erased")])
        .map(|event| prepared(event, row.last_place))
        .collect::<Result<_, _>>()?;
    let id = row.status.id.clone();
    record(connection, tip, &Recording { id, at, events }, None)?;
    Ok(StatusRow::by_arrival(connection, row.status.arrival)?.unwrap_or(row))
}

/// What is left of a message's text, and of its events up to `last`, each with its place; the
/// message's is 0.
fn left(
    connection: &Connection,
    arrival: u64,
    last: u64,
    extent: Extent,
) -> Result<Vec<(u64, String)>, Trouble> {
    texts(connection, arrival, last + 1)?
        .into_iter()
        .map(|(place, text)| {
            let left = match place {
                0 => message_left(&text, extent),
                _ => event_left(&text, extent),
            };
            // what was never readable is nothing that could be kept a part of
            left.map(|left| (place, left.unwrap_or(text))).map_err(|error| {
                unreadable(if place == 0 { last } else { place }, "a text of it", &error).into()
            })
        })
        .collect()
}

fn message_left(text: &str, extent: Extent) -> Result<Option<String>, serde_json::Error> {
    let message: Message = serde_json::from_str(text)?;
    serde_json::to_string(&blank::message(&message, extent)).map(Some)
}

/// None where nothing goes, so that the text is what it was digested as.
fn event_left(text: &str, extent: Extent) -> Result<Option<String>, serde_json::Error> {
    let event = Event::from_text(text)?;
    let left = blank::event(&event, extent);
    (left != event).then(|| serde_json::to_string(&left)).transpose()
}

/// The text of a message, with the place 0, and those of its events before a place.
pub(super) fn texts(
    connection: &Connection,
    arrival: u64,
    before: u64,
) -> Result<Vec<(u64, String)>, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT 0, text FROM messages WHERE arrival = ?1
             UNION ALL SELECT place, event FROM entries WHERE arrival = ?1 AND place < ?2 ORDER BY 1",
        )?
        .query_map((Count(arrival), Count(before)), |row| {
            Ok((row.get::<_, Count>(0)?.0, row.get(1)?))
        })?
        .collect()
}

/// The digest of what is left of a message before the entry at a place.
pub(super) fn digest_left(
    connection: &Connection,
    arrival: u64,
    place: u64,
) -> Result<Digest, rusqlite::Error> {
    let texts = texts(connection, arrival, place)?;
    let parts: Vec<_> = texts.iter().map(|(_, text)| text.as_bytes()).collect();
    Ok(Digest::of_parts(&parts))
}

fn blank(connection: &Connection, arrival: u64, left: &[(u64, String)]) -> Result<(), Trouble> {
    let mut of_message =
        connection.prepare_cached("UPDATE messages SET text = ?2 WHERE arrival = ?1 AND text <> ?2")?;
    let mut of_entry =
        connection.prepare_cached("UPDATE entries SET event = ?2 WHERE place = ?1 AND event <> ?2")?;
    for (place, text) in left {
        match place {
            0 => of_message.execute((Count(arrival), text))?,
            _ => of_entry.execute((Count(*place), text))?,
        };
    }
    Ok(())
}

fn prepared(event: Event, place: u64) -> Result<Prepared, Trouble> {
    Prepared::new(event).map_err(|error| unreadable(place, "an event", &error).into())
}
