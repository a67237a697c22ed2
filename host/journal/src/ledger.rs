//! The part of a store that plugins' lives are written in, and what they are asked for.
//!
//! Steps stand in the same chain as what happened to messages, so that the order of
//! the two is in the evidence, and nobody can say otherwise afterwards. A message that is
//! routed while a step is written may stand behind the step and not follow it; which
//! step its pins follow is in its own entry ([`Event::Routed`](crate::Event::Routed)).

use async_trait::async_trait;
use cambist_contract::{digest::Digest, rollout::Act};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::JournalError;

/// What stands in the chain in the place of a message's id, for an entry that is
/// about no message.
pub const PLUGINS: &str = "plugins";

/// One step in a plugin's life, in its place in the chain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Acted {
    /// Its place among all entries of the journal.
    pub place: u64,
    /// When it was written, by the host's clock.
    pub at: Timestamp,
    /// What was done.
    pub act: Act,
    /// The digest of the act's JSON text as it was written.
    pub act_digest: Digest,
    /// The digest of this entry; see [`Entry::chain`](crate::Entry::chain), with
    /// [`PLUGINS`] as the message's id.
    pub digest: Digest,
}

/// The durable log of plugins' lives, and who is bound to what.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Writes steps that are taken together, in their order. All are durable when this
    /// returns, or none was written. Gives the place of each. A caller that goes away before
    /// does not know which.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    async fn act(&self, at: Timestamp, acts: Vec<Act>) -> Result<Vec<u64>, JournalError>;

    /// All steps, oldest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn acts(&self) -> Result<Vec<Acted>, JournalError>;

    /// For each of these revisions, in their order, how many messages are to finish
    /// on it: those that were pinned to it when they were routed, have not ended, and
    /// were not told to begin again on the live revisions. One that has ended and is
    /// replayed on its pinned revisions counts again.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, JournalError>;
}
