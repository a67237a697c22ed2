//! What systems were last heard to say of fields that are not theirs.
//!
//! A system says all fields of an object each time, also those that it does not own. That it says the same as before is no
//! change, so it is kept what it said, as digests. It is no evidence and stands in no chain: what was made of it stands there.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cambist_contract::{canonical::EntityRef, digest::Digest, message::MessageId};

use crate::JournalError;

/// What a system said of one field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Said {
    /// The digest of the value.
    pub digest: Digest,
    /// The message that said so first. Worked on once more it is told the same as before.
    pub message: MessageId,
}

/// What was said of an entity's fields, by their names in the contract.
pub type Fields = BTreeMap<String, Said>;

/// Where it is kept.
#[async_trait]
pub trait Heard: Send + Sync + 'static {
    /// What a system last said of these entities, in the order asked; nothing of those that were never heard of.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn heard(&self, system: &str, entities: &[EntityRef]) -> Result<Vec<Fields>, JournalError>;

    /// Keeps what a system says, in the place of what it said of these fields before. Durable when this returns.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    async fn hear(&self, system: &str, says: Vec<(EntityRef, Fields)>) -> Result<(), JournalError>;
}
