//! What goes wrong inside the store, before it is told to the caller.
//!
//! Inside, SQLite's errors travel as they are; at the border each becomes a
//! [`JournalError`] that names the file. Neither carries a value that was bound
//! to a statement, and errors of JSON are told by their place only, because
//! serde's texts quote what they read.

use std::path::Path;

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
    let path = path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => JournalError::Full { path },
        _ => JournalError::Store {
            path,
            detail: error.to_string(),
        },
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
