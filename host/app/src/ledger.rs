//! The registry's ledger, kept in the journal.
//!
//! The registry blocks and the journal does not; neither knows the other, and neither has a
//! clock: steps bear the time at which they are handed to the journal.

use std::sync::Arc;

use cambist_contract::{digest::Digest, rollout::Act};
use cambist_journal::Acted;
use cambist_registry::ledger::Taken;
use jiff::Timestamp;
use tokio::runtime::Handle;

/// A ledger in a journal. To be called on threads that may block.
pub(crate) struct Kept<J> {
    journal: Arc<J>,
    runtime: Handle,
    now: fn() -> Timestamp,
}

impl<J: cambist_journal::Ledger> Kept<J> {
    /// The ledger of a journal. To be made within a runtime.
    pub(crate) fn of(journal: Arc<J>, now: fn() -> Timestamp) -> Self {
        Self {
            journal,
            runtime: Handle::current(),
            now,
        }
    }
}

/// A step of the journal's as the registry knows it.
pub(crate) fn taken(acted: Acted) -> Taken {
    Taken {
        place: acted.place,
        at: acted.at,
        act: acted.act,
    }
}

impl<J: cambist_journal::Ledger> cambist_registry::Ledger for Kept<J> {
    fn write(&self, acts: Vec<Act>) -> Result<Vec<Taken>, String> {
        let at = (self.now)();
        let places = self.runtime.block_on(self.journal.act(at, acts.clone()));
        let places = places.map_err(|error| error.to_string())?;
        let taken = places.into_iter().zip(acts);
        Ok(taken.map(|(place, act)| Taken { place, at, act }).collect())
    }

    fn all(&self) -> Result<Vec<Taken>, String> {
        let acts = self
            .runtime
            .block_on(self.journal.acts())
            .map_err(|error| error.to_string())?;
        Ok(acts.into_iter().map(taken).collect())
    }

    fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, String> {
        let counted = self.runtime.block_on(self.journal.pinned(revisions));
        counted.map_err(|error| error.to_string())
    }
}
