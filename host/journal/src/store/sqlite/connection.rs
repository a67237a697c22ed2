//! Opening the file: for the one writer, and for readers.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{
    damage::Damage,
    format,
    trouble::{Trouble, of_the_system, store},
};
use crate::JournalError;

/// How long a connection waits for a lock. None is ever held long: the host is
/// the only writer, and readers do not lock. What may hold one is a person's
/// `sqlite3` shell or a copy being made.
const BUSY: Duration = Duration::from_secs(5);

/// Statements kept compiled; the store has about forty.
const STATEMENTS: usize = 64;

/// Pages the writer keeps in memory, in KiB, negative as SQLite wants it. 16 MiB
/// hold the inner pages of all indexes of some million messages.
const WRITER_CACHE: i32 = -16 * 1024;

/// Readers at work at one time. One may be a long check of the chain; the others
/// answer in well under a millisecond each.
const READERS: usize = 4;

/// Opens the file to write it, and makes it a journal if it is new.
///
/// The caller holds the host's lock.
pub(super) fn writer(path: &Path) -> Result<Connection, Trouble> {
    make_private(path)?;
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    guard(&connection)?;
    // The checks come first: a file that is not ours stays as it is.
    format::open_or_create(&mut connection, path)?;

    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(store(
            path,
            "its file system cannot keep a write-ahead log; use a local disk",
        )
        .into());
    }
    // The promise "durable before acknowledged": each commit syncs the log. NORMAL
    // would sync at checkpoints only, and lose the last commits in a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    // On macOS fsync leaves the data in the drive's cache; elsewhere this is nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is erased or moved is written over with zeros, in the file and in its log.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
    // A burst may let the log grow; afterwards it is cut back to this many bytes.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(connection)
}

/// Brings the log into the file and cuts it to nothing, so that no older page of what was
/// erased is left in it; false where somebody reads what is only there. It does not wait:
/// all that writes would.
pub(super) fn clear_log(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.busy_timeout(Duration::ZERO)?;
    let cleared = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(BUSY)?;
    Ok(cleared? == 0)
}

/// Opens a journal to work on the file itself, whose format and messages stay as they are.
///
/// The caller holds the host's lock. With `journal_mode = delete` the log is brought in and
/// taken away, which SQLite does only when nobody else has the file open.
pub(super) fn alone(path: &Path) -> Result<Connection, Trouble> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    guard(&connection)?;
    // One that is damaged stays as it is, log and all, when it is closed again.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    format::check(&connection, path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    one_file(&connection)?;
    Ok(connection)
}

/// Brings in the log and takes it away, so that the journal is one file.
pub(super) fn one_file(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
}

/// Opens the file to read it.
pub(super) fn reader(path: &Path) -> Result<Connection, Trouble> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    guard(&connection)?;
    format::check(&connection, path)?;
    Ok(connection)
}

/// What holds for every connection.
fn guard(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A journal may come from elsewhere, as a copy for a post-mortem: nothing in
    // its schema is to be run with more than plain SQL's power.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

/// Makes an empty file that only its owner reads, if there is none: messages
/// hold personal data. SQLite gives its log the same rights.
fn make_private(path: &Path) -> Result<(), JournalError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| of_the_system(path, "it cannot be opened", &error))
}

/// Connections for reading, each on a thread that may block.
pub(super) struct Readers {
    path: Arc<Path>,
    idle: Mutex<Vec<Connection>>,
    damage: Damage,
    permits: Semaphore,
}

impl Readers {
    /// Opens the first one, so that a file that cannot be read is told now.
    pub(super) fn open(path: &Arc<Path>, damage: Damage) -> Result<Arc<Self>, Trouble> {
        Ok(Arc::new(Self {
            path: Arc::clone(path),
            idle: Mutex::new(vec![reader(path)?]),
            damage,
            permits: Semaphore::new(READERS),
        }))
    }

    /// Reads: all that `work` asks is answered from one moment of the journal.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, JournalError> {
        // The semaphore is never closed; an error would only mean one reader more.
        let _permit = self.permits.acquire().await;
        let readers = Arc::clone(self);
        let reading = spawn_blocking(move || {
            readers.read_here(work).map_err(|trouble| {
                let error = trouble.at(&readers.path);
                readers.damage.note(&error);
                error
            })
        });
        match reading.await {
            Ok(answer) => answer,
            Err(_) => Err(store(&self.path, "a read was broken off")),
        }
    }

    fn read_here<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        let moment = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let answer = work(&moment);
        moment.finish()?;
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        answer
    }
}
