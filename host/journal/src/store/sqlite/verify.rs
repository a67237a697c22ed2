//! Checking the journal against itself.
//!
//! Three passes. The first walks the chain: places without gaps, the text of every
//! event and every message with the digest in the chain, every entry's digest
//! from the one before. The second works each message's status out of its
//! entries again, which finds what the chain alone cannot: that its last entries
//! were taken off. It also holds the queue, the counts and the order of keys to
//! the statuses, so that a message that would never be handed out is found. The third
//! is SQLite's own check of all pages and indexes, for what a torn write leaves in those
//! that the others did not read.
//!
//! Whoever can write the file can also make a new chain with all that hangs on
//! it. Against that helps only to keep [`Verified::head`] elsewhere: a journal
//! that still contains that digest at that place has not been changed before it.
//!
//! What the digests and ids of records (`written`, `links`) say is not checked: their
//! loss costs a superfluous write or look-up, which does no harm.
//!
//! What it means that the chain holds, and how to check that without this code, is in
//! `host/journal/FORMAT.md`.

use cambist_contract::{
    digest::Digest,
    message::{Message, MessageId},
    rollout::Act,
};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, Row};
use serde::Deserialize;

use super::{
    acts, backlog,
    column::{Blob, Count, Text},
    erase,
    format::{self, WITH_ERASED, WITH_PLUGINS},
    pins,
    read::entries,
    row::{StatusRow, tally_fits},
    salts::{self, Salt},
    trouble::{Trouble, unreadable},
};
use crate::{Entry, Event, JournalError, journal::Verified, ledger::PLUGINS};

/// Checks everything; the first entry that does not fit is the error.
pub(super) fn verify(connection: &Connection) -> Result<Verified, Trouble> {
    let verified = walk_chain(connection)?;
    let last = verified.entries;
    check_statuses(connection, last).map_err(|trouble| damaged(trouble, last))?;
    check_pages(connection, last).map_err(|trouble| damaged(trouble, last))?;
    Ok(verified)
}

/// What SQLite says of pages that it cannot read, with the entry up to which it could.
fn damaged(trouble: Trouble, place: u64) -> Trouble {
    match trouble {
        Trouble::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            broken(place, &format!("the file is damaged ({error})"))
        }
        other => other,
    }
}

/// SQLite's own check. What it says names tables, indexes and rows, and no value.
fn check_pages(connection: &Connection, last: u64) -> Result<(), Trouble> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    // one line: a finding may be several
    let found = found.lines().collect::<Vec<_>>().join(", ");
    Err(broken(last, &format!("the file is damaged ({found})")))
}

fn broken(place: u64, detail: &str) -> Trouble {
    Trouble::Told(JournalError::Broken {
        place,
        detail: detail.into(),
    })
}

/// How the text of an event begins that says what was erased.
const ERASED: &str = r#"{"what":"erased","#;

/// What the walk needs to know of an event; the rest is skipped, not built.
#[derive(Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
enum Glance {
    Received {
        message: Digest,
    },
    Erased {
        left: Digest,
    },
    #[serde(other)]
    Other,
}

fn walk_chain(connection: &Connection) -> Result<Verified, Trouble> {
    let mut statement = connection.prepare(
        match format::found(connection)? {
            WITH_ERASED.. => {
                r#"SELECT e.place, e.at, e.event_digest, e.digest, e.event, m.id, m.digest, m.text, s.salt,
                     coalesce(x.place, 0), e.arrival
                 FROM entries e LEFT JOIN messages m USING (arrival) LEFT JOIN salts s USING (arrival)
                 LEFT JOIN (SELECT e.arrival, max(e.place) AS place FROM status s JOIN entries e USING (arrival)
                            WHERE s.erased > 0 AND e.event LIKE '{"what":"erased",%' GROUP BY arrival) x USING (arrival)
                 ORDER BY e.place"#
            }
            _ => {
                "SELECT e.place, e.at, e.event_digest, e.digest, e.event, m.id, m.digest, m.text, NULL, 0, e.arrival
                 FROM entries e LEFT JOIN messages m USING (arrival) ORDER BY e.place"
            }
        },
    )?;
    let mut rows = statement.query([])?;
    let mut verified = Verified {
        entries: 0,
        head: Digest::default(),
    };
    loop {
        let place = verified.entries + 1;
        let Some(row) = rows.next().map_err(|error| damaged(Trouble::Sql(error), place))? else {
            return Ok(verified);
        };
        let digest = check_entry(connection, row, place, &verified.head)?;
        verified = Verified {
            entries: place,
            head: digest,
        };
    }
}

/// Checks one entry against its place and the digest before it; answers its own.
fn check_entry(
    connection: &Connection,
    row: &Row<'_>,
    place: u64,
    previous: &Digest,
) -> Result<Digest, Trouble> {
    let bad = |detail: &str| broken(place, detail);
    // A value that is not of its column's type was not written by a host.
    let odd = |_: rusqlite::Error| bad("a value of it cannot be read");

    if row.get::<_, Count>(0).map_err(odd)?.0 != place {
        return Err(bad("it is missing"));
    }
    let at: Timestamp = row.get::<_, Text<_>>(1).map_err(odd)?.0;
    let event_digest = row.get::<_, Blob>(2).map_err(odd)?.0;
    let digest = row.get::<_, Blob>(3).map_err(odd)?.0;
    let event: String = row.get(4).map_err(odd)?;
    let Some(id) = row.get::<_, Option<String>>(5).map_err(odd)? else {
        return Err(bad("its message is missing"));
    };
    let salt = row.get::<_, Option<Salt>>(8).map_err(odd)?;
    let sealed = |text: &str| salts::sealed(Digest::of(text.as_bytes()), salt.as_ref());
    // What is left of what was erased is held to the entry that says so, the last of them.
    let erased_at = row.get::<_, Count>(9).map_err(odd)?.0;
    let is_left = place < erased_at;
    let is_whole = !is_left || event.starts_with(ERASED);
    if is_whole && sealed(&event) != event_digest {
        return Err(bad("its event is not the one that was written"));
    }
    if Entry::chain(
        previous,
        place,
        &MessageId::from_text(id.clone()),
        &at,
        &event_digest,
    ) != digest
    {
        return Err(bad("its digest does not follow from the entry before"));
    }
    if id == PLUGINS {
        return serde_json::from_str::<Act>(&event)
            .map(|_| digest)
            .map_err(|_| bad("its act cannot be read"));
    }
    let glance = serde_json::from_str(&event).map_err(|_| bad("its event cannot be read"))?;
    match glance {
        Glance::Received { message } => {
            let text: String = row.get(7).map_err(odd)?;
            let is_kept = row.get::<_, Blob>(6).map_err(odd)?.0 == message;
            if !is_kept || (!is_left && sealed(&text) != message) {
                return Err(bad("its message is not the one that was received"));
            }
        }
        Glance::Erased { left } if place == erased_at => {
            let arrival = row.get::<_, Count>(10).map_err(odd)?.0;
            if erase::digest_left(connection, arrival, place)? != left {
                return Err(bad("what is left of its message is not what was left"));
            }
        }
        Glance::Erased { .. } | Glance::Other => {}
    }
    Ok(digest)
}

/// Every message was received once, and stands where its entries bring it.
fn check_statuses(connection: &Connection, last: u64) -> Result<(), Trouble> {
    let found = format::found(connection)?;
    let (is_3, is_6) = (found >= WITH_PLUGINS, found >= WITH_ERASED);
    let mut statement =
        connection.prepare("SELECT arrival, id, text FROM messages WHERE arrival <> 0 ORDER BY arrival")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let arrival = row.get::<_, Count>(0)?.0;
        let entries = entries(
            connection,
            arrival,
            &MessageId::from_text(row.get::<_, String>(1)?),
        )?;
        let Some(first) = entries.first() else {
            return Err(broken(last + 1, "a message is kept that no entry received"));
        };
        let text: String = row.get(2)?;
        let message: Message =
            serde_json::from_str(&text).map_err(|error| unreadable(first.place, "its message", &error))?;
        let worked_out = work_out(arrival, &message, &entries)?;
        let kept = StatusRow::by_arrival(connection, arrival)?.map(StatusRow::alone);
        if kept.as_ref() != Some(&worked_out) {
            // Where entries were taken off, the row names the last one there was.
            let place = kept.map_or(0, |kept| kept.last_place).max(worked_out.last_place);
            return Err(broken(
                place,
                "its message does not stand where its entries bring it",
            ));
        }
        if is_3 && !pins::fit(connection, &worked_out, &entries)? {
            return Err(broken(
                worked_out.last_place,
                "its message is pinned to other revisions than its entries say",
            ));
        }
        if is_6 && !worked_out.is_erased_as_it_stands(connection)? {
            return Err(broken(
                worked_out.last_place,
                "its message is not kept as it was erased",
            ));
        }
        if !worked_out.is_queued_as_it_stands(connection)? {
            return Err(broken(
                worked_out.last_place,
                "its message is not queued as it stands",
            ));
        }
    }
    if is_3 {
        let (kept, written) = acts::ends(connection)?;
        if kept != written {
            return Err(broken(
                kept.max(written),
                "what was written of plugins ends elsewhere",
            ));
        }
    }
    if !(tally_fits(connection)? && backlog::fits(connection)?) {
        return Err(broken(last, "the counts after it are not those of the messages"));
    }
    Ok(())
}

/// Where a message stands after these entries.
fn work_out(arrival: u64, message: &Message, entries: &[Entry]) -> Result<StatusRow, Trouble> {
    let mut row = StatusRow::received(arrival, message, 0);
    for (index, entry) in entries.iter().enumerate() {
        match (index, &entry.event) {
            (0, Event::Received { .. }) => row.last_place = entry.place,
            (0, _) => return Err(broken(entry.place, "its message was not received before")),
            (_, event) => row
                .follow(entry.place, entry.at, event)
                .map_err(|_| broken(entry.place, "its event is out of turn"))?,
        }
    }
    Ok(row)
}
