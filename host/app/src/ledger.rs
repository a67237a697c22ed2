//! The registry's ledger, kept in the journal.
//!
//! The registry blocks and the journal does not; neither knows the other.

use std::sync::Arc;

use cambist_contract::{digest::Digest, rollout::Act};
use jiff::Timestamp;
use tokio::runtime::Handle;

/// A ledger in a journal. To be called on threads that may block.
pub(crate) struct Kept<J> {
    journal: Arc<J>,
    runtime: Handle,
}

impl<J: cambist_journal::Ledger> Kept<J> {
    /// The ledger of a journal. To be made within a runtime.
    pub(crate) fn of(journal: Arc<J>) -> Self {
        Self {
            journal,
            runtime: Handle::current(),
        }
    }
}

impl<J: cambist_journal::Ledger> cambist_registry::Ledger for Kept<J> {
    fn write(&self, at: Timestamp, acts: Vec<Act>) -> Result<(), String> {
        let written = self.runtime.block_on(self.journal.act(at, acts));
        written.map_err(|error| error.to_string())
    }

    fn all(&self) -> Result<Vec<(Timestamp, Act)>, String> {
        let acts = self
            .runtime
            .block_on(self.journal.acts())
            .map_err(|error| error.to_string())?;
        Ok(acts.into_iter().map(|acted| (acted.at, acted.act)).collect())
    }

    fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, String> {
        let counted = self.runtime.block_on(self.journal.pinned(revisions));
        counted.map_err(|error| error.to_string())
    }
}
