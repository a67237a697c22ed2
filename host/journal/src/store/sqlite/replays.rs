//! Orders to replay: kept beside the chain, and within bounds.

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::de::DeserializeOwned;

use super::{
    column::Count,
    trouble::{Trouble, unreadable},
};
use crate::replay::{Differing, KEPT_MESSAGES, KEPT_ORDERS, Order, Progress, Replay};

/// What is to be written of an order.
pub(super) enum Step {
    /// A new one: its JSON.
    Order(String),
    /// How far it has come.
    Proceed {
        number: u64,
        progress: String,
        is_over: bool,
        differing: Vec<(Differing, String)>,
    },
    /// It is stopped, by whom.
    Stop(u64, String),
}

impl Step {
    /// Writes an order down as JSON, on the caller's thread.
    pub(super) fn order(order: &Order) -> Result<Self, serde_json::Error> {
        serde_json::to_string(order).map(Self::Order)
    }

    /// The same of how far one has come.
    pub(super) fn proceed(
        number: u64,
        progress: &Progress,
        differing: Vec<Differing>,
    ) -> Result<Self, serde_json::Error> {
        let texts = differing.into_iter().map(|it| {
            let text = serde_json::to_string(&it)?;
            Ok((it, text))
        });
        Ok(Self::Proceed {
            number,
            progress: serde_json::to_string(progress)?,
            is_over: progress.ended_at.is_some(),
            differing: texts.collect::<Result<_, serde_json::Error>>()?,
        })
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::Order(text) => text.len(),
            Self::Proceed {
                progress, differing, ..
            } => progress.len() + differing.iter().map(|(_, text)| text.len()).sum::<usize>(),
            Self::Stop(_, by) => by.len(),
        }
    }
}

/// Writes a step, and answers the order's number.
pub(super) fn keep(connection: &Connection, step: &Step) -> Result<u64, Trouble> {
    match step {
        Step::Order(text) => order(connection, text),
        Step::Proceed {
            number,
            progress,
            is_over,
            differing,
        } => {
            connection
                .prepare_cached("UPDATE replays SET progress = ?2, open = open AND NOT ?3 WHERE number = ?1")?
                .execute((Count(*number), progress, is_over))?;
            for (message, text) in differing {
                connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO replayed (number, arrival, weight, text) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute((Count(*number), Count(message.arrival), message.weight(), text))?;
            }
            if !differing.is_empty() {
                make_room(connection, *number)?;
            }
            Ok(*number)
        }
        Step::Stop(number, by) => {
            connection
                .prepare_cached("UPDATE replays SET stopped = ?2, open = 0 WHERE number = ?1 AND open = 1")?
                .execute((Count(*number), by))?;
            Ok(*number)
        }
    }
}

fn order(connection: &Connection, text: &str) -> Result<u64, Trouble> {
    let progress = serde_json::to_string(&Progress::default())
        .map_err(|error| unreadable(0, "how far a replay has come", &error))?;
    // behind the last one that ever was, so that no number has two meanings in the entries
    let number = connection
        .prepare_cached(
            "INSERT INTO replays (number, ordered, progress, open)
             SELECT coalesce(max(number), 0) + 1, ?1, ?2, 1 FROM replays RETURNING number",
        )?
        .query_row((text, progress), |row| row.get::<_, Count>(0))?
        .0;
    let old = "number IN (SELECT number FROM replays WHERE open = 0 ORDER BY number DESC LIMIT -1 OFFSET ?1)";
    for table in ["replayed", "replays"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE {old}"))?
            .execute([Count(KEPT_ORDERS)])?;
    }
    Ok(number)
}

/// Those with the least weight go; of the same weight, the newest.
fn make_room(connection: &Connection, number: u64) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "DELETE FROM replayed WHERE number = ?1 AND arrival IN (
                 SELECT arrival FROM replayed WHERE number = ?1
                 ORDER BY weight DESC, arrival LIMIT -1 OFFSET ?2)",
        )?
        .execute((Count(number), Count(KEPT_MESSAGES)))?;
    Ok(())
}

const COLUMNS: &str = "number, ordered, progress, stopped";

/// An order by its number.
pub(super) fn one(connection: &Connection, number: u64) -> Result<Option<Replay>, Trouble> {
    if !is_kept(connection)? {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM replays WHERE number = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([Count(number)])?;
    rows.next()?.map(read).transpose()
}

/// The oldest that is not over, dry or for real.
pub(super) fn next(connection: &Connection, dry: bool) -> Result<Option<Replay>, Trouble> {
    let sql = format!(
        "SELECT {COLUMNS} FROM replays WHERE open = 1 AND ordered ->> '$.dry' = ?1 ORDER BY number LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([dry])?;
    rows.next()?.map(read).transpose()
}

/// The newest ones.
pub(super) fn newest(connection: &Connection, limit: usize) -> Result<Vec<Replay>, Trouble> {
    if !is_kept(connection)? {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {COLUMNS} FROM replays ORDER BY number DESC LIMIT ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([Count(limit as u64)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The messages that differ, the worst first.
pub(super) fn differing(
    connection: &Connection,
    number: u64,
    limit: usize,
) -> Result<Vec<Differing>, Trouble> {
    if !is_kept(connection)? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT text FROM replayed WHERE number = ?1 ORDER BY weight DESC, arrival LIMIT ?2",
    )?;
    let mut rows = statement.query((Count(number), Count(limit as u64)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(parsed(row, 0)?);
    }
    Ok(found)
}

/// A file from before there were orders has none.
fn is_kept(connection: &Connection) -> Result<bool, Trouble> {
    let table = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'replays'", [], |_| {
            Ok(())
        })
        .optional()?;
    Ok(table.is_some())
}

fn read(row: &Row<'_>) -> Result<Replay, Trouble> {
    Ok(Replay {
        number: row.get::<_, Count>(0)?.0,
        order: parsed(row, 1)?,
        progress: parsed(row, 2)?,
        stopped_by: row.get(3)?,
    })
}

fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, Trouble> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(0, "a replay", &error).into())
}
