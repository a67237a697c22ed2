//! The journal as a whole file: backup, restore, compaction.
//!
//! All three make a second file in a folder of the target's, verify it there, make it
//! durable, and only then give it its name in one step. So at every moment, a power cut's
//! too, each name stands for a whole journal.
//!
//! ```text
//!   backup    journal ──SQLite's backup──► .part ──verify──► TO       a host may be running
//!   restore   copy ────SQLite's backup──► .part ──verify──► journal   no host; the old one is set aside
//!   compact   journal ──VACUUM INTO─────► .part ──verify──► journal   no host
//! ```
//!
//! `cp` is none of these: it may copy the file without its log, or both from two moments.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};
use tempfile::TempPath;

use super::{
    chain::Tip,
    connection,
    lock::HostLock,
    trouble::{Trouble, store},
    verify::verify,
};
use crate::{JournalError, journal::Verified};

/// What a compaction came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Compacted {
    /// Bytes of the file and its log before.
    pub before: u64,
    /// Bytes of the file afterwards; it has no log until a host opens it.
    pub after: u64,
    /// What it was checked to hold.
    pub verified: Verified,
}

/// What a restore came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Restored {
    /// What the journal was checked to hold now.
    pub verified: Verified,
    /// Where the one is that stood there before, if there was one.
    pub set_aside: Option<PathBuf>,
    /// How many entries that one has; none where it cannot be read.
    pub had: Option<u64>,
}

/// Copies what the connection sees to a new file.
pub(super) fn back_up(from: &Connection, to: &Path) -> Result<Verified, JournalError> {
    // looked at first, so that nobody waits for a copy that has no place
    if to.exists() {
        return Err(is_there(to));
    }
    let part = Part::in_the_folder_of(to)?;
    part.copy(from).map_err(|trouble| part.told(trouble, to))?;
    let verified = part.verified().map_err(|trouble| part.told(trouble, to))?;
    part.persist(to, |part, to| part.persist_noclobber(to))?;
    Ok(verified)
}

/// Puts a copy in the journal's place.
pub(super) fn restore(copy: &Path, path: &Path) -> Result<Restored, JournalError> {
    let lock = HostLock::take(path)?;
    let part = Part::in_the_folder_of(path)?;
    let from = connection::reader(copy).map_err(|trouble| trouble.at(copy))?;
    part.copy(&from).map_err(|trouble| part.told(trouble, path))?;
    drop(from);
    let verified = part.verified().map_err(|trouble| part.told(trouble, copy))?;
    let (set_aside, had) = match path.exists() {
        true => set_aside(path)?,
        false => (None, None),
    };
    part.persist(path, |part, path| part.persist(path))?;
    drop(lock);
    Ok(Restored {
        verified,
        set_aside,
        had,
    })
}

/// Writes the journal anew.
pub(super) fn compact(path: &Path) -> Result<Compacted, JournalError> {
    let lock = HostLock::take(path)?;
    let before = size(path)? + size(&beside(path, "-wal")).unwrap_or_default();
    let part = Part::in_the_folder_of(path)?;
    let tip = connection::alone(path)
        .and_then(|from| {
            from.execute("VACUUM INTO ?1", [part.0.to_string_lossy()])?;
            Ok(Tip::read(&from)?)
        })
        .map_err(|trouble| trouble.at(path))?;
    let verified = part.verified().map_err(|trouble| part.told(trouble, path))?;
    if (verified.entries, verified.head) != (tip.place, tip.digest) {
        return Err(store(
            path,
            "what was written anew ends elsewhere; it stays as it was",
        ));
    }
    part.persist(path, |part, path| part.persist(path))?;
    drop(lock);
    Ok(Compacted {
        before,
        after: size(path)?,
        verified,
    })
}

/// Gives the journal at `path` a second name, under which it stays, with its log. Tells how
/// many entries it has.
fn set_aside(path: &Path) -> Result<(Option<PathBuf>, Option<u64>), JournalError> {
    let aside = beside(path, ".replaced");
    if aside.exists() {
        return Err(is_there(&aside));
    }
    // One that can be opened becomes one file, and then its name changes hands in one step.
    let had = match connection::alone(path).and_then(|old| Ok(Tip::read(&old)?.place)) {
        Err(trouble) if trouble.is_busy() => return Err(trouble.at(path)),
        had => had.ok(),
    };
    let moved = fs::hard_link(path, &aside).and_then(|()| {
        let (log, log_aside) = (beside(path, "-wal"), beside(&aside, "-wal"));
        // A log that is left is of one that cannot be opened. It must not stay: SQLite would
        // take it for the restored one's.
        if log.exists() {
            fs::rename(log, log_aside)?;
        }
        match fs::remove_file(beside(path, "-shm")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    });
    moved.map_err(|error| store(path, format!("it cannot be set aside: {error}")))?;
    Ok((Some(aside), had))
}

/// A file on its way to its name; it is deleted if it does not get there.
struct Part(TempPath);

impl Part {
    /// A new empty file, its owner's alone, on the disk where it is to stay.
    fn in_the_folder_of(target: &Path) -> Result<Self, JournalError> {
        let folder = folder_of(target);
        tempfile::Builder::new()
            .prefix(".journal-")
            .suffix(".part")
            .tempfile_in(folder)
            .map(|file| Self(file.into_temp_path()))
            .map_err(|error| store(target, format!("nothing can be written there: {error}")))
    }

    /// Copies all pages in one step: from one moment, however fast the host goes on. In
    /// several steps SQLite would begin again after every commit.
    fn copy(&self, from: &Connection) -> Result<(), Trouble> {
        let mut copy = Connection::open_with_flags(
            &self.0,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        if Backup::new(from, &mut copy)?.step(-1)? != StepResult::Done {
            return Err(store(&self.0, "somebody holds a lock on it; try again").into());
        }
        // A copy is one file, which can be read where nothing can be written.
        connection::one_file(&copy)?;
        Ok(())
    }

    fn verified(&self) -> Result<Verified, Trouble> {
        verify(&connection::reader(&self.0)?)
    }

    /// Trouble with this file as trouble with `named`, which people know.
    fn told(&self, trouble: Trouble, named: &Path) -> JournalError {
        match trouble.at(named) {
            JournalError::Full { .. } => store(named, "there is no room for the copy"),
            JournalError::Store { detail, .. } => store(named, detail),
            error => error,
        }
    }

    /// Makes it durable, gives it its name, and makes that durable.
    fn persist(
        self,
        to: &Path,
        rename: impl FnOnce(TempPath, &Path) -> Result<(), tempfile::PathPersistError>,
    ) -> Result<(), JournalError> {
        let told = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => is_there(to),
            _ => store(to, format!("it cannot be put there: {error}")),
        };
        File::open(&self.0)
            .and_then(|file| file.sync_all())
            .map_err(told)?;
        rename(self.0, to).map_err(|error| told(error.error))?;
        File::open(folder_of(to))
            .and_then(|folder| folder.sync_all())
            .map_err(told)
    }
}

fn is_there(path: &Path) -> JournalError {
    store(
        path,
        "there is a file already; it is kept, move it away or name another",
    )
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// `journal.db-wal` for `journal.db`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn size(path: &Path) -> Result<u64, JournalError> {
    fs::metadata(path)
        .map(|file| file.len())
        .map_err(|error| store(path, error.to_string()))
}
