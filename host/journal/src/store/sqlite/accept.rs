//! Taking events in: the message, its first entry and its row, or nothing; and the bound of what
//! waits behind a message that rests.

use cambist_contract::{
    digest::Digest,
    message::{Message, MessageId},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    causes::RESTING,
    chain::{Prepared, Tip},
    column::{Blob, Count},
    row::StatusRow,
    salts::{self, Salt},
    trouble::{Trouble, unreadable},
};
use crate::{
    Event,
    journal::{Accepted, MOST_BEHIND},
};

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
    is_claimed: impl Fn(&MessageId) -> bool,
) -> Result<Vec<Accepted>, Trouble> {
    batch
        .iter()
        .map(|arriving| accept_one(connection, tip, arriving, &is_claimed))
        .collect()
}

fn accept_one(
    connection: &Connection,
    tip: &mut Tip,
    arriving: &Arriving,
    is_claimed: impl Fn(&MessageId) -> bool,
) -> Result<Accepted, Trouble> {
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
    if let Some(mut row) = in_excess(connection, arrival, message, is_claimed)? {
        let was = row.status.state.clone();
        let ended = Event::Ignored {
            reason: format!(
                "{} came, which is about the same object and reads it again",
                message.id
            ),
        };
        let ended = Prepared::new(ended).map_err(|error| unreadable(0, "an event", &error))?;
        row.append(connection, tip, message.received_at, &ended)?;
        row.save(connection, &was)?;
    }
    Ok(Accepted::New)
}

/// The latest message that may make room for one that has just arrived: where too many of its
/// event and object wait behind one that rests, and it has not begun.
fn in_excess(
    connection: &Connection,
    arrival: u64,
    message: &Message,
    is_claimed: impl Fn(&MessageId) -> bool,
) -> Result<Option<StatusRow>, Trouble> {
    let rests =
        format!("SELECT EXISTS (SELECT 1 FROM status s WHERE s.order_key = ?1 AND s.head = 1 AND {RESTING})");
    let rests = connection
        .prepare_cached(&rests)?
        .query_row([&message.key], |row| row.get::<_, bool>(0))?;
    if !rests {
        return Ok(None);
    }
    let object = format!("{}/{}", message.object_kind, message.object_id);
    let mut waiting = connection.prepare_cached(
        "SELECT arrival FROM status
         WHERE order_key = ?1 AND open = 1 AND head = 0 AND arrival <> ?2
           AND system = ?3 AND event = ?4 AND object = ?5 AND passed IS NULL AND flow IS NULL AND attempts = 0
         ORDER BY arrival",
    )?;
    let waiting = waiting
        .query_map(
            (
                &message.key,
                Count(arrival),
                &message.system,
                &message.event,
                object,
            ),
            |row| row.get::<_, Count>(0),
        )?
        .collect::<Result<Vec<_>, _>>()?;
    let latest = waiting.last().filter(|_| waiting.len() as u64 >= MOST_BEHIND);
    let Some(Count(latest)) = latest else {
        return Ok(None);
    };
    let latest = StatusRow::by_arrival(connection, *latest)?;
    Ok(latest.filter(|row| !is_claimed(&row.status.id)))
}
