//! Writing what happened to a message, and what follows from it.

use cambist_contract::message::MessageId;
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    chain::{Prepared, Tip},
    claims::Held,
    deliveries, merges, pins,
    row::StatusRow,
    trouble::{Trouble, unreadable},
};
use crate::{Event, JournalError};

/// Who asked for it, when what a message waited for has come.
const BY_ARRIVAL: &str = "arrival";

/// What is to be recorded.
pub(super) struct Recording {
    pub(super) id: MessageId,
    pub(super) at: Timestamp,
    pub(super) events: Vec<Prepared>,
}

/// What follows once it is durable.
pub(super) struct Recorded {
    /// The message's claim has ended.
    pub(super) frees: bool,
    /// Some message may have become due.
    pub(super) stirs: bool,
}

/// Writes the events, in order, and all that follows from them.
pub(super) fn record(
    connection: &Connection,
    tip: &mut Tip,
    recording: &Recording,
    claim: Option<&Held>,
) -> Result<Recorded, Trouble> {
    let Recording { id, at, events } = recording;
    let mut row = StatusRow::by_id(connection, id)?.ok_or_else(|| JournalError::Unknown(id.clone()))?;
    let was = row.status.state.clone();
    // What came after this place the message's worker may not have seen.
    let seen = claim.map_or(row.last_place, |held| held.since);
    let mut claimed = claim.is_some();
    for event in events {
        if claimed && matches!(event.event, Event::Resumed { .. }) {
            return Err(Trouble::Told(JournalError::OutOfTurn {
                id: id.clone(),
                state: "claimed",
                event: event.event.name(),
            }));
        }
        if matches!(event.event, Event::Erased { .. }) {
            return Err(row.out_of_turn(&event.event).into());
        }
        row.append(connection, tip, *at, event)?;
        claimed &= event.event.keeps_claim();
        match &event.event {
            Event::Delivered { target, receipts } => {
                deliveries::keep(connection, row.status.arrival, row.last_place, target, receipts)?;
            }
            Event::Merged { entity, into } => merges::keep(connection, entity, into)?,
            Event::Waiting { stage, entity }
                if deliveries::came_since(connection, entity, seen, row.status.arrival)? =>
            {
                row.append(connection, tip, *at, &resumed(*stage)?)?;
            }
            Event::Done => wake(connection, tip, *at, &row)?,
            _ => {}
        }
    }
    row.save(connection, &was)?;
    pins::follow(connection, &row, events.iter().map(|event| &event.event))?;
    Ok(Recorded {
        frees: claim.is_some() && !claimed,
        stirs: events.iter().any(|event| !event.event.keeps_claim()),
    })
}

impl StatusRow {
    /// Puts one entry behind the message and moves its status along. The row is
    /// not yet written back.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        tip: &mut Tip,
        at: Timestamp,
        event: &Prepared,
    ) -> Result<(), Trouble> {
        self.follow(tip.place + 1, at, &event.event)?;
        tip.append(connection, (self.status.arrival, &self.status.id), at, event)
    }
}

/// The message is done: resumes all that wait for what it delivered.
fn wake(connection: &Connection, tip: &mut Tip, at: Timestamp, done: &StatusRow) -> Result<(), Trouble> {
    for arrival in deliveries::settle(connection, done.status.arrival, done.last_place)? {
        let Some(mut row) = StatusRow::by_arrival(connection, arrival)? else {
            continue;
        };
        let Some(stage) = row.waits_before else {
            continue;
        };
        let was = row.status.state.clone();
        row.append(connection, tip, at, &resumed(stage)?)?;
        row.save(connection, &was)?;
    }
    Ok(())
}

fn resumed(from: cambist_contract::stage::Stage) -> Result<Prepared, Trouble> {
    Prepared::new(Event::Resumed {
        by: BY_ARRIVAL.into(),
        from,
        live: false,
        why: None,
        order: None,
    })
    .map_err(|error| unreadable(0, "an event", &error).into())
}
