//! The end of the chain, and putting one more entry there.

use cambist_contract::{digest::Digest, message::MessageId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    column::{Blob, Count, Text},
    salts,
    trouble::Trouble,
};
use crate::{Entry, Event};

/// How far the journal has come. The writer keeps it in memory; a group that
/// fails goes back to the one it began with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Tip {
    /// The last entry's place; 0 when there is none.
    pub(super) place: u64,
    /// The last entry's digest; zeros when there is none.
    pub(super) digest: Digest,
    /// The last message's arrival; 0 when there is none.
    pub(super) arrival: u64,
}

/// An event with the text that is written for it.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) event: Event,
    pub(super) text: String,
    /// Of the text alone.
    pub(super) digest: Digest,
}

/// The digest of the entry at a place.
pub(super) fn digest_at(connection: &Connection, place: u64) -> Result<Option<Digest>, rusqlite::Error> {
    connection
        .query_row(
            "SELECT digest FROM entries WHERE place = ?1",
            [Count(place)],
            |row| Ok(row.get::<_, Blob>(0)?.0),
        )
        .optional()
}

impl Prepared {
    /// Writes the event down as JSON, once: this text is digested and kept.
    pub(super) fn new(event: Event) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(&event)?;
        let digest = Digest::of(text.as_bytes());
        Ok(Self { event, text, digest })
    }
}

impl Tip {
    /// Reads how far the journal has come.
    pub(super) fn read(connection: &Connection) -> Result<Self, rusqlite::Error> {
        connection.query_row(
            "SELECT coalesce(max(place), 0),
                    coalesce((SELECT digest FROM entries ORDER BY place DESC LIMIT 1), zeroblob(32)),
                    coalesce((SELECT max(arrival) FROM messages), 0)
             FROM entries",
            [],
            |row| {
                Ok(Self {
                    place: row.get::<_, Count>(0)?.0,
                    digest: row.get::<_, Blob>(1)?.0,
                    arrival: row.get::<_, Count>(2)?.0,
                })
            },
        )
    }

    /// Puts an entry at the end, digested with its message's salt: at the tip's place and one.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        (arrival, id): (u64, &MessageId),
        at: Timestamp,
        event: &Prepared,
    ) -> Result<(), Trouble> {
        let digest = salts::sealed(event.digest, salts::of(connection, arrival)?.as_ref());
        self.append_text(connection, (arrival, id), at, (digest, &event.text))
    }

    /// Puts an entry at the end whose text was written down before, with its digest as it is.
    pub(super) fn append_text(
        &mut self,
        connection: &Connection,
        (arrival, id): (u64, &MessageId),
        at: Timestamp,
        (event_digest, text): (Digest, &str),
    ) -> Result<(), Trouble> {
        let place = self.place + 1;
        let digest = Entry::chain(&self.digest, place, id, &at, &event_digest);
        connection
            .prepare_cached(
                "INSERT INTO entries (place, arrival, at, event_digest, digest, event)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                Count(place),
                Count(arrival),
                Text(at),
                Blob(event_digest),
                Blob(digest),
                text,
            ))?;
        self.place = place;
        self.digest = digest;
        Ok(())
    }
}
