//! One host on one journal.
//!
//! SQLite would let two hosts take turns, and each would hand out the other's
//! messages: claims are in memory. So the host holds a lock on a file beside the
//! journal for as long as it lives. The operating system drops it with the
//! process, however that ends; the file stays, and means nothing by itself.
//! Readers take no lock.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::trouble::of_the_system;
use crate::JournalError;

/// The lock, held until it is dropped.
pub(super) struct HostLock {
    _file: File,
}

impl HostLock {
    /// Takes the lock of the journal at `path`, or says at once that it is taken.
    pub(super) fn take(path: &Path) -> Result<Self, JournalError> {
        let beside = lock_path(path);
        let told = |error: io::Error| of_the_system(path, &beside.display().to_string(), &error);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&beside)
            .map_err(told)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(JournalError::Locked {
                path: path.display().to_string(),
            }),
            Err(TryLockError::Error(error)) => Err(told(error)),
        }
    }
}

/// `journal.db.lock` for `journal.db`.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    PathBuf::from(name)
}
