//! Which revisions each open message finishes on.
//!
//! Kept for messages that have not ended alone, so that "is it drained?" costs what
//! is still to be done, and not what was ever done.

use std::collections::BTreeSet;

use cambist_contract::digest::Digest;
use rusqlite::Connection;

use super::{
    column::{Blob, Count},
    read::entries,
    row::StatusRow,
    trouble::Trouble,
};
use crate::{Entry, Event};

/// What a message is pinned to after these entries, while it has not ended.
fn after(entries: &[Entry]) -> BTreeSet<Digest> {
    let mut pins = BTreeSet::new();
    for entry in entries {
        match &entry.event {
            Event::Routed { pins: routed, .. } => pins = routed.values().copied().collect(),
            Event::Resumed { live: true, .. } => pins.clear(),
            _ => {}
        }
    }
    pins
}

/// Moves a message's pins along by what was recorded of it. `row` is where it stands
/// behind all of it, and its entries are written.
pub(super) fn follow<'e>(
    connection: &Connection,
    row: &StatusRow,
    events: impl Iterator<Item = &'e Event>,
) -> Result<(), Trouble> {
    let arrival = row.status.arrival;
    let mut pins = None;
    for event in events {
        match event {
            Event::Routed { pins: routed, .. } => pins = Some(routed.values().copied().collect()),
            Event::Resumed { live: true, .. } => pins = Some(BTreeSet::new()),
            // it may have ended before, and nothing be kept of it
            Event::Resumed { live: false, .. } => pins = Some(of(connection, row)?),
            _ => {}
        }
    }
    if row.status.state.is_final() {
        pins = Some(BTreeSet::new());
    }
    let Some(pins) = pins else {
        return Ok(());
    };
    connection
        .prepare_cached("DELETE FROM pins WHERE arrival = ?1")?
        .execute([Count(arrival)])?;
    keep(connection, arrival, &pins)
}

/// What a message's entries pin it to. One whose entries cannot be read is parked when
/// its turn comes, and pinned to nothing.
fn of(connection: &Connection, row: &StatusRow) -> Result<BTreeSet<Digest>, Trouble> {
    match entries(connection, row.status.arrival, &row.status.id) {
        Ok(entries) => Ok(after(&entries)),
        Err(trouble) => trouble.of_one_message().map(|_| BTreeSet::new()),
    }
}

fn keep(connection: &Connection, arrival: u64, pins: &BTreeSet<Digest>) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached("INSERT INTO pins (revision, arrival) VALUES (?1, ?2)")?;
    for pin in pins {
        statement.execute((Blob(*pin), Count(arrival)))?;
    }
    Ok(())
}

/// Works out the pins of all open messages: for a file from before they were kept.
pub(super) fn work_out(connection: &Connection) -> Result<(), Trouble> {
    let mut statement = connection.prepare("SELECT arrival FROM status WHERE open = 1")?;
    let open = statement
        .query_map([], |row| Ok(row.get::<_, Count>(0)?.0))?
        .collect::<Result<Vec<_>, _>>()?;
    for arrival in open {
        if let Some(row) = StatusRow::by_arrival(connection, arrival)? {
            keep(connection, arrival, &of(connection, &row)?)?;
        }
    }
    Ok(())
}

/// Whether the pins that are kept for a message are those that its entries bring.
pub(super) fn fit(connection: &Connection, row: &StatusRow, entries: &[Entry]) -> Result<bool, Trouble> {
    let expected = if row.status.state.is_final() {
        BTreeSet::new()
    } else {
        after(entries)
    };
    let kept = connection
        .prepare_cached("SELECT revision FROM pins WHERE arrival = ?1")?
        .query_map([Count(row.status.arrival)], |row| Ok(row.get::<_, Blob>(0)?.0))?
        .collect::<Result<BTreeSet<_>, _>>()?;
    Ok(kept == expected)
}

/// How many messages are to finish on each of these revisions.
pub(super) fn counts(connection: &Connection, revisions: &[Digest]) -> Result<Vec<u64>, Trouble> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM pins WHERE revision = ?1")?;
    revisions
        .iter()
        .map(|revision| Ok(statement.query_row([Blob(*revision)], |row| Ok(row.get::<_, Count>(0)?.0))?))
        .collect()
}
