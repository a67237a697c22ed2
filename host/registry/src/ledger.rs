//! Where the steps of plugins' lives are written: a port, because the registry knows
//! no journal.

use std::sync::{Mutex, PoisonError};

use cambist_contract::{digest::Digest, rollout::Act};
use jiff::Timestamp;

/// The durable log of plugins' lives. Its functions may block.
///
/// Errors are texts as a person reads them, with the way out.
pub trait Ledger: Send + Sync + 'static {
    /// Writes steps that are taken together; all are durable when this returns.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    fn write(&self, at: Timestamp, acts: Vec<Act>) -> Result<(), String>;

    /// All steps, oldest first.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn all(&self) -> Result<Vec<(Timestamp, Act)>, String>;

    /// For each revision, how many messages are still to finish on it.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, String>;
}

/// A ledger that ends with the process, to which no message is pinned: for looking at
/// plugins without a host.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vec<(Timestamp, Act)>>);

impl Ledger for Memory {
    fn write(&self, at: Timestamp, acts: Vec<Act>) -> Result<(), String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(acts.into_iter().map(|act| (at, act)));
        Ok(())
    }

    fn all(&self) -> Result<Vec<(Timestamp, Act)>, String> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, String> {
        Ok(vec![0; revisions.len()])
    }
}
