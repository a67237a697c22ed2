//! What goes wrong inside the store, before it is told to the caller.
//!
//! Inside, SQLite's errors travel as they are; at the border each becomes a
//! [`JournalError`] that names the file. Neither carries a value that was bound
//! to a statement, and errors of JSON are told by their place only, because
//! serde's texts quote what they read.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
};

use rusqlite::ErrorCode;

use crate::JournalError;

/// What went wrong.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite said no.
    Sql(rusqlite::Error),
    /// What the caller is to be told.
    Told(JournalError),
}

impl Trouble {
    /// As the caller is told it.
    pub(super) fn at(self, path: &Path) -> JournalError {
        match self {
            Self::Sql(error) => told(&error, path),
            Self::Told(error) => error,
        }
    }

    /// Whether somebody else has the file open, and that alone is in the way.
    pub(super) fn is_busy(&self) -> bool {
        let code = match self {
            Self::Sql(error) => error.sqlite_error_code(),
            Self::Told(_) => None,
        };
        matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether it is the disk's or the file's, and not of one request.
    pub(super) fn is_of_the_disk(&self) -> bool {
        let code = match self {
            Self::Sql(error) => error.sqlite_error_code(),
            Self::Told(_) => None,
        };
        matches!(
            code,
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
                    | ErrorCode::DatabaseCorrupt
            )
        )
    }

    /// The error, where it is about what one message's rows hold; else the trouble
    /// as it was, which any other message would meet as well.
    pub(super) fn of_one_message(self) -> Result<JournalError, Self> {
        match self {
            Self::Told(error @ JournalError::Broken { .. }) => Ok(error),
            Self::Sql(
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..),
            ) => Ok(JournalError::Broken {
                place: 0,
                detail: "a value of the message is not of its column's type".to_owned(),
            }),
            other => Err(other),
        }
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<JournalError> for Trouble {
    fn from(error: JournalError) -> Self {
        Self::Told(error)
    }
}

/// SQLite's error as the caller is told it.
pub(super) fn told(error: &rusqlite::Error, path: &Path) -> JournalError {
    let code = error.sqlite_error_code();
    if matches!(
        code,
        Some(ErrorCode::ReadOnly | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
    ) && let Some(error) = of_the_disk(path)
    {
        return error;
    }
    let path = path.display().to_string();
    match code {
        Some(ErrorCode::DiskFull) => JournalError::Full { path },
        Some(ErrorCode::DatabaseCorrupt) => JournalError::Damaged {
            path,
            detail: error.to_string(),
        },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Store {
            path,
            detail: "another program has it open and holds a lock; close that, or wait for its end"
                .to_owned(),
        },
        _ => JournalError::Store {
            path,
            detail: error.to_string(),
        },
    }
}

/// What is the matter with the disk, if it takes no writes. SQLite tells a full disk and a
/// read-only one from other trouble in some calls only: where it cannot make its index of the
/// log, or the disk was made read-only under it, it says that there was an I/O error.
fn of_the_disk(path: &Path) -> Option<JournalError> {
    let opened = OpenOptions::new().write(true).open(path);
    if opened.is_err_and(|error| error.kind() == io::ErrorKind::ReadOnlyFilesystem) {
        let path = path.display().to_string();
        return Some(JournalError::ReadOnly { path });
    }
    // as much as SQLite wants at once for its index of the log
    let room = tempfile::tempfile_in(path.parent()?).and_then(|mut file| file.write_all(&[0; 64 << 10]));
    let path = path.display().to_string();
    room.is_err_and(|error| error.kind() == io::ErrorKind::StorageFull)
        .then_some(JournalError::Full { path })
}

/// Trouble with a file of the store's, told by the system.
pub(super) fn of_the_system(path: &Path, what: &str, error: &io::Error) -> JournalError {
    let place = path.display().to_string();
    match error.kind() {
        io::ErrorKind::StorageFull => JournalError::Full { path: place },
        io::ErrorKind::ReadOnlyFilesystem => JournalError::ReadOnly { path: place },
        _ => store(path, format!("{what}: {error}")),
    }
}

/// An error that is not SQLite's.
pub(super) fn store(path: &Path, detail: impl Into<String>) -> JournalError {
    JournalError::Store {
        path: path.display().to_string(),
        detail: detail.into(),
    }
}

/// A text that was written as JSON and cannot be read as such.
pub(super) fn unreadable(place: u64, what: &str, error: &serde_json::Error) -> JournalError {
    JournalError::Broken {
        place,
        detail: format!("{what} cannot be read, column {}", error.column()),
    }
}
