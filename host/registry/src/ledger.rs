//! Where the steps of plugins' lives are written: a port, because the registry knows
//! no journal.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use cambist_contract::{digest::Digest, rollout::Act};
use jiff::Timestamp;

/// A step that is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taken {
    /// Its place in the log: a later step has a larger one. Zero is before all steps.
    pub place: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The step.
    pub act: Act,
}

/// The durable log of plugins' lives. Its functions may block.
///
/// Errors are texts as a person reads them, with the way out.
pub trait Ledger: Send + Sync + 'static {
    /// Writes steps that are taken together; all are durable when this returns. Gives them
    /// with the time at which they were written and the places that they have.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    fn write(&self, acts: Vec<Act>) -> Result<Vec<Taken>, String>;

    /// All steps, oldest first.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn all(&self) -> Result<Vec<Taken>, String>;

    /// For each revision, how many messages are still to finish on it.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, String>;
}

/// A ledger that ends with the process, to which no message is pinned: for looking at
/// plugins without a host. It has no clock: its steps are a second apart, from 1970 or from the
/// last step of another ledger on.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vec<Taken>>);

impl Memory {
    /// One that goes on behind the steps of another ledger.
    pub fn behind(steps: Vec<Taken>) -> Self {
        Self(Mutex::new(steps))
    }
}

impl Ledger for Memory {
    fn write(&self, acts: Vec<Act>) -> Result<Vec<Taken>, String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = all.len();
        let (place, at) = all
            .last()
            .map_or((0, Timestamp::UNIX_EPOCH), |last| (last.place, last.at));
        all.extend((1_u64..).zip(acts).map(|(number, act)| Taken {
            place: place + number,
            at: at + Duration::from_secs(number),
            act,
        }));
        Ok(all.iter().skip(from).cloned().collect())
    }

    fn all(&self) -> Result<Vec<Taken>, String> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, String> {
        Ok(vec![0; revisions.len()])
    }
}
