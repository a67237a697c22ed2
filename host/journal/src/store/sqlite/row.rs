//! A message's row in `status`: read, made, moved along.
//!
//! What a state *means* is in `turn.rs`; this file only keeps it.

use cambist_contract::{
    message::{Message, MessageId},
    stage::Stage,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::{
    column::{Count, Text, clamped, entity_key, nanoseconds},
    trouble::{Trouble, unreadable},
};
use crate::{
    Event, JournalError, State, Status,
    erasure::{Expiry, Extent},
};

/// What [`StatusRow::of`] reads, in its order; `s` is `status`, `m` `messages`.
pub(super) const COLUMNS: &str = "m.id, s.arrival, s.system, s.event, s.object, s.order_key, s.flow, s.region, \
     s.received_at, s.updated_at, s.passed, s.attempts, s.detail, s.waits_before, s.last_place, \
     CASE WHEN s.open = 1 AND s.head = 0 THEN
         (SELECT f.id FROM status h JOIN messages f USING (arrival) WHERE h.order_key = s.order_key AND h.head = 1)
     END, \
     CASE WHEN s.head = 1 AND s.state IN ('parked', 'held', 'waiting') THEN
         (SELECT count(*) - 1 FROM status b WHERE b.order_key = s.order_key AND b.open = 1)
     ELSE 0 END";

/// Where a message stands, and what the store keeps with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct StatusRow {
    pub(super) status: Status,
    /// The stage it stands before while it waits for an entity.
    pub(super) waits_before: Option<Stage>,
    /// The place of its last entry.
    pub(super) last_place: u64,
}

impl StatusRow {
    /// The row of a message that was received by the entry at `place`.
    pub(super) fn received(arrival: u64, message: &Message, place: u64) -> Self {
        Self {
            status: Status::received(arrival, message),
            waits_before: None,
            last_place: place,
        }
    }

    /// Moves the row along by the event of the entry at `place`.
    pub(super) fn follow(&mut self, place: u64, at: Timestamp, event: &Event) -> Result<(), JournalError> {
        self.status.turn(at, event)?;
        self.last_place = place;
        // An event that does not end the waiting is out of turn before it comes here.
        self.waits_before = match event {
            Event::Waiting { stage, .. } => Some(*stage),
            _ => None,
        };
        Ok(())
    }

    /// That the event does not go with where the message stands.
    pub(super) fn out_of_turn(&self, event: &Event) -> JournalError {
        JournalError::OutOfTurn {
            id: self.status.id.clone(),
            state: self.status.state.name(),
            event: event.name(),
        }
    }

    /// Reads a row of [`COLUMNS`].
    pub(super) fn of(row: &Row<'_>) -> Result<Self, Trouble> {
        let place = row.get::<_, Count>(14)?.0;
        let detail: String = row.get(12)?;
        let Detail { erased, state } =
            serde_json::from_str(&detail).map_err(|error| unreadable(place, "the state after it", &error))?;
        let status = Status {
            id: MessageId::from_text(row.get::<_, String>(0)?),
            arrival: row.get::<_, Count>(1)?.0,
            system: row.get(2)?,
            event: row.get(3)?,
            object: row.get(4)?,
            key: row.get(5)?,
            flow: row.get(6)?,
            region: row.get(7)?,
            received_at: row.get::<_, Text<_>>(8)?.0,
            updated_at: row.get::<_, Text<_>>(9)?.0,
            passed: row.get::<_, Option<Text<_>>>(10)?.map(|stage| stage.0),
            attempts: row.get(11)?,
            erased,
            behind: row.get::<_, Option<String>>(15)?.map(MessageId::from_text),
            holds: row.get::<_, Count>(16)?.0,
            state,
        };
        Ok(Self {
            status,
            waits_before: row.get::<_, Option<Text<_>>>(13)?.map(|stage| stage.0),
            last_place: place,
        })
    }

    /// What its own entries say, without what other messages of its key make of it.
    pub(super) fn alone(mut self) -> Self {
        self.status.behind = None;
        self.status.holds = 0;
        self
    }

    /// The row of a message, by its id.
    pub(super) fn by_id(connection: &Connection, id: &MessageId) -> Result<Option<Self>, Trouble> {
        Self::one(connection, "m.id = ?1", id.as_str())
    }

    /// The row of a message, by its arrival.
    pub(super) fn by_arrival(connection: &Connection, arrival: u64) -> Result<Option<Self>, Trouble> {
        Self::one(connection, "s.arrival = ?1", Count(arrival))
    }

    fn one(
        connection: &Connection,
        which: &str,
        value: impl rusqlite::ToSql,
    ) -> Result<Option<Self>, Trouble> {
        let sql = format!("SELECT {COLUMNS} FROM messages m JOIN status s USING (arrival) WHERE {which}");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([value])?;
        rows.next()?.map(Self::of).transpose()
    }

    /// Puts in the row of a message that has just arrived: open, and the head of
    /// its key unless an earlier one still is.
    pub(super) fn insert(&self, connection: &Connection) -> Result<(), Trouble> {
        let Status {
            arrival,
            system,
            event,
            object,
            key,
            received_at,
            updated_at,
            attempts,
            state,
            ..
        } = &self.status;
        connection
            .prepare_cached(
                "INSERT INTO status (arrival, system, event, object, order_key, received_at, updated_at,
                                     attempts, state, detail, due_ns, last_place, open, head)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1,
                         NOT EXISTS (SELECT 1 FROM status WHERE order_key = ?5 AND open = 1))",
            )?
            .execute((
                Count(*arrival),
                system,
                event,
                object,
                key,
                Text(*received_at),
                Text(*updated_at),
                attempts,
                state.name(),
                detail(&self.status)?,
                due(state),
                Count(self.last_place),
            ))?;
        Ok(())
    }

    /// Writes the row back. `was` is its state when it was read: most events
    /// leave it as it is, and then no index is touched.
    pub(super) fn save(&self, connection: &Connection, was: &State) -> Result<(), Trouble> {
        let status = &self.status;
        connection
            .prepare_cached(
                "UPDATE status SET flow = ?2, region = ?3, updated_at = ?4, passed = ?5, attempts = ?6,
                                   last_place = ?7
                 WHERE arrival = ?1",
            )?
            .execute((
                Count(status.arrival),
                &status.flow,
                &status.region,
                Text(status.updated_at),
                status.passed.map(Text),
                status.attempts,
                Count(self.last_place),
            ))?;
        if status.state == *was {
            return Ok(());
        }
        connection
            .prepare_cached(
                "UPDATE status SET state = ?2, detail = ?3, due_ns = ?4, waits_for = ?5, waits_before = ?6,
                                   open = ?7
                 WHERE arrival = ?1",
            )?
            .execute((
                Count(status.arrival),
                status.state.name(),
                detail(status)?,
                due(&status.state),
                waits_for(&status.state),
                self.waits_before.map(Text),
                !status.state.is_final(),
            ))?;
        if status.state.is_final() != was.is_final() {
            settle_head(connection, &status.key)?;
        }
        Ok(())
    }

    /// Writes back the row of a message that is erased now.
    pub(super) fn save_erased(&self, connection: &Connection) -> Result<(), Trouble> {
        let status = &self.status;
        connection
            .prepare_cached(
                "UPDATE status SET object = ?2, order_key = ?3, updated_at = ?4, detail = ?5, erased = ?6,
                                   last_place = ?7
                 WHERE arrival = ?1",
            )?
            .execute((
                Count(status.arrival),
                &status.object,
                &status.key,
                Text(status.updated_at),
                detail(status)?,
                level(status.erased),
                Count(self.last_place),
            ))?;
        Ok(())
    }

    /// Whether the column by which it is found to be erased is that of the status; for a
    /// check.
    pub(super) fn is_erased_as_it_stands(&self, connection: &Connection) -> Result<bool, Trouble> {
        Ok(connection
            .prepare_cached("SELECT erased = ?2 FROM status WHERE arrival = ?1")?
            .query_row((Count(self.status.arrival), level(self.status.erased)), |row| {
                row.get(0)
            })?)
    }

    /// Whether the columns that the queue, the wake-up and the order of keys look
    /// at are those of the state; for a check. What is due may be queued for later:
    /// then it was put off.
    pub(super) fn is_queued_as_it_stands(&self, connection: &Connection) -> Result<bool, Trouble> {
        let state = &self.status.state;
        Ok(connection
            .prepare_cached(
                "SELECT state = ?2 AND (due_ns IS ?3 OR ifnull(due_ns > ?3, 0)) AND waits_for IS ?4 AND open = ?5
                    AND head = (?5 AND arrival = (SELECT min(arrival) FROM status
                                                  WHERE order_key = s.order_key AND open = 1))
                 FROM status s WHERE arrival = ?1",
            )?
            .query_row(
                (
                    Count(self.status.arrival),
                    state.name(),
                    due(state),
                    waits_for(state),
                    !state.is_final(),
                ),
                |row| row.get(0),
            )?)
    }
}

/// Makes the oldest open message of a key its head, and no other.
fn settle_head(connection: &Connection, key: &str) -> Result<(), Trouble> {
    // In this order: the database refuses two heads of a key, even for a moment.
    connection
        .prepare_cached(
            "UPDATE status SET head = 0
             WHERE order_key = ?1 AND head = 1
               AND arrival IS NOT (SELECT min(arrival) FROM status WHERE order_key = ?1 AND open = 1)",
        )?
        .execute([key])?;
    connection
        .prepare_cached(
            "UPDATE status SET head = 1
             WHERE head = 0
               AND arrival = (SELECT min(arrival) FROM status WHERE order_key = ?1 AND open = 1)",
        )?
        .execute([key])?;
    Ok(())
}

/// The id of a message.
pub(super) fn id_of(connection: &Connection, arrival: u64) -> Result<MessageId, Trouble> {
    let id: String = connection
        .prepare_cached("SELECT id FROM messages WHERE arrival = ?1")?
        .query_row([Count(arrival)], |row| row.get(0))?;
    Ok(MessageId::from_text(id))
}

/// Keeps a message that is due from being handed out before `until`. Its state
/// says when it is due; the queue alone has it later.
pub(super) fn put_off(connection: &Connection, id: &MessageId, until: Timestamp) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "UPDATE status SET due_ns = max(due_ns, ?2)
             WHERE arrival = (SELECT arrival FROM messages WHERE id = ?1) AND due_ns IS NOT NULL",
        )?
        .execute((id.as_str(), nanoseconds(until)))?;
    Ok(())
}

/// The messages that have come of age, those that ended first.
pub(super) fn expired(connection: &Connection, expiry: &Expiry) -> Result<Vec<MessageId>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT m.id, s.updated_at FROM status s JOIN messages m USING (arrival)
         WHERE s.open = 0 AND s.state = ?1 AND s.erased = ?2 ORDER BY s.updated_at LIMIT ?3",
    )?;
    let mut found = Vec::new();
    for state in &expiry.states {
        for erased in 0..level(Some(expiry.extent)) {
            let limit = clamped(u64::try_from(expiry.limit).unwrap_or(u64::MAX));
            let mut rows = statement.query((state, erased, limit))?;
            while let Some(row) = rows.next()? {
                let ended = row.get::<_, Text<Timestamp>>(1)?.0;
                if ended >= expiry.before {
                    break;
                }
                found.push((ended, MessageId::from_text(row.get::<_, String>(0)?)));
            }
        }
    }
    found.sort();
    found.truncate(expiry.limit);
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// When the message that has been due the longest was received.
pub(super) fn oldest_due(connection: &Connection) -> Result<Option<Timestamp>, Trouble> {
    let first = connection
        .prepare_cached(
            "SELECT received_at FROM status WHERE head = 1 AND due_ns IS NOT NULL
             ORDER BY due_ns, arrival LIMIT 1",
        )?
        .query_row([], |row| row.get::<_, Text<_>>(0))
        .optional()?;
    Ok(first.map(|at| at.0))
}

/// Whether the counts are those of the states; for a check.
pub(super) fn tally_fits(connection: &Connection) -> Result<bool, Trouble> {
    Ok(connection.query_row(
        "SELECT NOT EXISTS (SELECT state, count(*) FROM status GROUP BY state
                            EXCEPT SELECT state, messages FROM tally)
            AND (SELECT count(*) FROM status) = (SELECT coalesce(sum(messages), 0) FROM tally)",
        [],
        |row| row.get(0),
    )?)
}

fn due(state: &State) -> Option<i64> {
    match state {
        State::Due { at } => Some(nanoseconds(*at)),
        _ => None,
    }
}

fn waits_for(state: &State) -> Option<String> {
    match state {
        State::Waiting { entity } => Some(entity_key(entity)),
        _ => None,
    }
}

/// What stands in `detail`.
#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    erased: Option<Extent>,
    #[serde(flatten)]
    state: State,
}

/// The same, to be written.
#[derive(Serialize)]
struct DetailOf<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<Extent>,
    #[serde(flatten)]
    state: &'a State,
}

fn detail(status: &Status) -> Result<String, Trouble> {
    let detail = DetailOf {
        erased: status.erased,
        state: &status.state,
    };
    serde_json::to_string(&detail).map_err(|error| unreadable(0, "a state", &error).into())
}

/// How much was erased, as the column has it.
pub(super) fn level(erased: Option<Extent>) -> u8 {
    match erased {
        None => 0,
        Some(Extent::Payloads) => 1,
        Some(Extent::All) => 2,
    }
}
