//! The version of the journal's file, and who may read whose.
//!
//! The version is `PRAGMA user_version`; `PRAGMA application_id` tells a journal
//! from any other SQLite file. What counts as the format: `schema.sql` with
//! `since_3.sql` to `since_6.sql`, the JSON of messages, events and states, the text form of times, and the chain's
//! recipe ([`Entry::chain`](crate::Entry::chain)).
//!
//! | | |
//! |---|---|
//! | new host, old file | reads and writes it, after bringing it to its own format in one transaction when it is opened for writing. Entries are never rewritten: their digests are in the chain. What is worked out of them may be. |
//! | old host, new file | is refused with [`JournalError::Newer`], for reading too: an event that it does not know would be left out of a status. |
//! | old host, file that a new host has written once | the same: opening for writing raises the version for good. To go back, take the copy made before the upgrade. |
//!
//! What only makes the queue quicker, `queue.sql`, is no part of it: it is made where it is missing, and SQLite keeps it for
//! any host.
//!
//! So a new event, a new field that a reader must not miss, or a new state
//! raises [`FORMAT`]; a new optional field that means nothing when it is missing
//! does not. `tests/data/format-1.db` is a file of the first version; every later
//! version adds its own beside it, and all of them must open for ever.

use std::path::Path;

use rusqlite::Connection;

use super::{pins, trouble::Trouble};
use crate::JournalError;

/// The format that this host writes, and the newest that it reads.
///
/// | format | what came with it |
/// |---|---|
/// | 1 | the first |
/// | 2 | the event `called` |
/// | 3 | what is written of plugins, and who is pinned to what |
/// | 4 | what shadows answered; the steps `shadow`, `share` and `withdrawn` |
/// | 5 | what was told to systems field by field, and how far they were read |
/// | 6 | what is erased: the event `erased`, and salts; what is merged; what systems said of fields that are not theirs, what comparisons came to, and orders to replay |
pub(super) const FORMAT: u32 = 6;

/// The first format that keeps what is written of plugins.
pub(super) const WITH_PLUGINS: u32 = 3;

/// The first format that keeps what shadows answered.
const WITH_SHADOWS: u32 = 4;

/// The first format that keeps what was told.
const WITH_TOLD: u32 = 5;

/// The first format in which texts may be erased, which keeps what was heard, reports, and orders to replay.
pub(super) const WITH_ERASED: u32 = 6;

/// `CMBJ` in ASCII.
const APPLICATION_ID: i32 = 0x434D_424A;

/// Checks that a file is a journal this host knows; makes an empty one a journal.
pub(super) fn open_or_create(connection: &mut Connection, path: &Path) -> Result<(), Trouble> {
    let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    if is_empty(&change)? {
        change.execute_batch(include_str!("schema.sql"))?;
        change.execute_batch(include_str!("since_3.sql"))?;
        change.execute_batch(include_str!("since_4.sql"))?;
        change.execute_batch(include_str!("since_5.sql"))?;
        change.execute_batch(include_str!("since_6.sql"))?;
        change.pragma_update(None, "application_id", APPLICATION_ID)?;
        change.pragma_update(None, "user_version", FORMAT)?;
    }
    let found = check(&change, path)?;
    if found < WITH_PLUGINS {
        change.execute_batch(include_str!("since_3.sql"))?;
        pins::work_out(&change)?;
    }
    if found < WITH_SHADOWS {
        change.execute_batch(include_str!("since_4.sql"))?;
    }
    if found < WITH_TOLD {
        change.execute_batch(include_str!("since_5.sql"))?;
    }
    if found < WITH_ERASED {
        change.execute_batch(include_str!("since_6.sql"))?;
    }
    if found < FORMAT {
        change.pragma_update(None, "user_version", FORMAT)?;
    }
    change.execute_batch(include_str!("queue.sql"))?;
    change.commit()?;
    Ok(())
}

/// The format of a journal. SQLite keeps a signed number; a negative one was never
/// written by a host.
pub(super) fn found(connection: &Connection) -> Result<u32, rusqlite::Error> {
    let number = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Checks that a file is a journal this host knows, and gives its format.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<u32, Trouble> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Err(Trouble::Told(JournalError::Store {
            path: path.display().to_string(),
            detail: "it is not a journal; name another file".into(),
        }));
    }
    let found = found(connection)?;
    if found > FORMAT {
        return Err(Trouble::Told(JournalError::Newer {
            path: path.display().to_string(),
            found,
            known: FORMAT,
        }));
    }
    Ok(found)
}

/// Whether nothing was ever written to the file.
fn is_empty(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| {
        row.get(0)
    })
}
