//! Which messages touched a record of a target: the way back from what stands there.
//!
//! What stands for an entity has a row in `links`, and `delivered` has the entity's messages.
//! The rest has neither: lines, attachments, what a dry run showed. An index for that would be
//! written with each delivery, for a question that a person asks now and then; so all entries
//! are read for it, as by a check of the chain.

use std::collections::BTreeSet;

use cambist_contract::{delivery::Receipt, message::MessageId};
use rusqlite::Connection;

use super::{
    column::Count,
    trouble::{Trouble, unreadable},
};
use crate::Event;

/// What tells a delivery from its text: events are written with their name first.
const DELIVERED: &str = r#"event LIKE '{"what":"delivered",%'"#;

/// The newest messages with a receipt for the record, at most `limit`.
pub(super) fn touched(
    connection: &Connection,
    target: &str,
    model: &str,
    id: &str,
    limit: usize,
) -> Result<Vec<MessageId>, Trouble> {
    let linked = linked(connection, target, model, id)?;
    let mut names: BTreeSet<String> = linked.iter().map(|(_, name)| name.clone()).collect();
    names.insert(id.to_owned());
    let is_for = |receipt: &Receipt| names.iter().any(|name| receipt.is_for(model, name));
    let mut arrivals = BTreeSet::new();
    if linked.is_empty() {
        let mut every = connection.prepare(&format!(
            "SELECT place, arrival, event FROM entries WHERE {DELIVERED} AND instr(event, ?1) > 0"
        ))?;
        let written = serde_json::Value::from(id).to_string();
        let mut rows = every.query([written.trim_matches('"')])?;
        while let Some(row) = rows.next()? {
            let text: String = row.get(2)?;
            if has(&text, row.get::<_, Count>(0)?.0, target, is_for)? {
                arrivals.insert(row.get::<_, Count>(1)?.0);
            }
        }
    }
    for (entity, _) in &linked {
        let mut brought = connection.prepare_cached(&format!(
            "SELECT e.place, e.arrival, e.event FROM delivered d JOIN entries e USING (arrival)
             WHERE d.entity = ?1 AND e.{DELIVERED}"
        ))?;
        let mut rows = brought.query([entity])?;
        while let Some(row) = rows.next()? {
            let text: String = row.get(2)?;
            if has(&text, row.get::<_, Count>(0)?.0, target, is_for)? {
                arrivals.insert(row.get::<_, Count>(1)?.0);
            }
        }
    }
    let mut of = connection.prepare_cached("SELECT id FROM messages WHERE arrival = ?1")?;
    arrivals
        .into_iter()
        .rev()
        .take(limit)
        .map(|arrival| {
            let id = of.query_row([Count(arrival)], |row| row.get::<_, String>(0))?;
            Ok(MessageId::from_text(id))
        })
        .collect()
}

/// The entities that the record stands for, each with our name of the record.
fn linked(
    connection: &Connection,
    target: &str,
    model: &str,
    id: &str,
) -> Result<Vec<(String, String)>, Trouble> {
    // the second has no index to help: it reads a row for each record, and no texts
    for condition in ["target_id = ?3", "external_id IN (?3, '#' || ?3)"] {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT entity, external_id FROM links WHERE target = ?1 AND model = ?2 AND {condition}"
        ))?;
        let found = statement
            .query_map((target, model, id), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// Whether a delivery's text has such a receipt of the target.
fn has(text: &str, place: u64, target: &str, is_for: impl Fn(&Receipt) -> bool) -> Result<bool, Trouble> {
    match Event::from_text(text).map_err(|error| unreadable(place, "its event", &error))? {
        Event::Delivered { target: of, receipts } => Ok(of == target && receipts.iter().any(is_for)),
        _ => Ok(false),
    }
}
