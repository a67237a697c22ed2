//! Taking events in: the message, its first entry and its row, or nothing.

use cambist_contract::{
    digest::Digest,
    message::{Message, MessageId},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    chain::{Prepared, Tip},
    column::{Blob, Count},
    row::StatusRow,
    salts::{self, Salt},
    trouble::Trouble,
};
use crate::{Event, journal::Accepted};

/// A message with the text that is written for it.
pub(super) struct Arriving {
    message: Message,
    text: String,
    digest: Digest,
    salt: Salt,
    received: Prepared,
}

impl Arriving {
    /// Writes the message down as JSON, once: this text is digested and kept.
    pub(super) fn new(message: Message, salt: Salt) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(&message)?;
        let digest = salts::sealed(Digest::of(text.as_bytes()), Some(&salt));
        let received = Prepared::new(Event::Received { message: digest })?;
        Ok(Self {
            message,
            text,
            digest,
            salt,
            received,
        })
    }

    /// The message's id.
    pub(super) fn id(&self) -> &MessageId {
        &self.message.id
    }

    /// When it was received.
    pub(super) fn received_at(&self) -> Timestamp {
        self.message.received_at
    }

    /// About how many bytes it adds to a group.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }
}

/// Takes a batch in.
pub(super) fn accept(
    connection: &Connection,
    tip: &mut Tip,
    batch: &[Arriving],
) -> Result<Vec<Accepted>, Trouble> {
    batch
        .iter()
        .map(|arriving| accept_one(connection, tip, arriving))
        .collect()
}

fn accept_one(connection: &Connection, tip: &mut Tip, arriving: &Arriving) -> Result<Accepted, Trouble> {
    let message = &arriving.message;
    let arrival = tip.arrival + 1;
    // The index on `id` decides, so that looking and writing are one step.
    let inserted = connection
        .prepare_cached(
            "INSERT INTO messages (arrival, id, digest, text) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute((
            Count(arrival),
            message.id.as_str(),
            Blob(arriving.digest),
            &arriving.text,
        ))?;
    if inserted == 0 {
        return Ok(Accepted::Duplicate);
    }
    tip.arrival = arrival;
    salts::keep(connection, arrival, &arriving.salt)?;
    tip.append(
        connection,
        (arrival, &message.id),
        message.received_at,
        &arriving.received,
    )?;
    StatusRow::received(arrival, message, tip.place).insert(connection)?;
    Ok(Accepted::New)
}
