//! Steps in plugins' lives: entries of the chain that are about no message.

use cambist_contract::{digest::Digest, message::MessageId, rollout::Act};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    chain::Tip,
    column::{Blob, Count, Text},
    trouble::{Trouble, unreadable},
};
use crate::ledger::{Acted, PLUGINS};

/// The arrival that stands for no message.
pub(super) const ARRIVAL: u64 = 0;

/// A step with the text that is written for it.
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) text: String,
}

impl Step {
    /// Writes the act down as JSON, once: this text is digested and kept.
    pub(super) fn new(at: Timestamp, act: &Act) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(act)?;
        Ok(Self { at, text })
    }
}

/// Puts a step at the end of the chain, and gives its place there.
pub(super) fn append(connection: &Connection, tip: &mut Tip, step: &Step) -> Result<u64, Trouble> {
    let (id, digest) = (MessageId::from_text(PLUGINS), Digest::of(step.text.as_bytes()));
    tip.append_text(connection, (ARRIVAL, &id), step.at, (digest, &step.text))?;
    connection
        .prepare_cached("UPDATE acted SET last_place = ?1")?
        .execute([Count(tip.place)])?;
    Ok(tip.place)
}

/// The place of the last step that is kept, and of the last that was written.
pub(super) fn ends(connection: &Connection) -> Result<(u64, u64), rusqlite::Error> {
    connection.query_row(
        "SELECT coalesce((SELECT max(place) FROM entries WHERE arrival = ?1), 0), (SELECT last_place FROM acted)",
        [Count(ARRIVAL)],
        |row| Ok((row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0)),
    )
}

/// All steps, oldest first.
pub(super) fn all(connection: &Connection) -> Result<Vec<Acted>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT place, at, event_digest, digest, event FROM entries WHERE arrival = ?1 ORDER BY place",
    )?;
    let mut rows = statement.query([Count(ARRIVAL)])?;
    let mut acts = Vec::new();
    while let Some(row) = rows.next()? {
        let place = row.get::<_, Count>(0)?.0;
        let text: String = row.get(4)?;
        acts.push(Acted {
            place,
            at: row.get::<_, Text<_>>(1)?.0,
            act: serde_json::from_str(&text).map_err(|error| unreadable(place, "its act", &error))?,
            act_digest: row.get::<_, Blob>(2)?.0,
            digest: row.get::<_, Blob>(3)?.0,
        });
    }
    Ok(acts)
}
