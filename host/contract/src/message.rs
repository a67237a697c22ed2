//! What a system said, as it said it: the unit of receipt.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The kind of object of an authentic event that cannot be read. Ingress takes it
/// in, because its sender would not send it again, and the pipeline parks it,
/// where a person sees it. No flow takes such an event, whatever it is called.
pub const UNKNOWN_KIND: &str = "unknown";

/// Names a message for good.
///
/// Made of the sender's system and the sender's own key for the event, so that
/// the same event has the same id on every receipt, every host and every run.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// How many hex digits of the digest an id shows: 80 bits, so that a
    /// thousand million messages meet twice with a chance of one in a million.
    const DIGITS: usize = 20;

    /// The id of the event that `system` knows under `dedupe`.
    pub fn of(system: &str, dedupe: &str) -> Self {
        let digest = Digest::of_parts(&[system.as_bytes(), dedupe.as_bytes()]).to_string();
        Self(digest.chars().take(Self::DIGITS).collect())
    }

    /// An id that was written down before.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One event as ingress received it, checked and split from its batch.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Message {
    /// Its name for good.
    pub id: MessageId,
    /// The system that sent it, by its name in the config.
    pub system: String,
    /// What happened, in the source's words, such as `deal.propertyChange`.
    pub event: String,
    /// The kind of object it is about, in the source's words, such as `deal`.
    pub object_kind: String,
    /// The object's id in the source.
    pub object_id: String,
    /// The sender's key for the event: a second receipt under the same key is
    /// the same event.
    pub dedupe: String,
    /// Messages of one key are worked on one at a time, in the order of their
    /// receipt.
    pub key: String,
    /// When the sender says that it happened.
    pub occurred_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// Headers worth keeping, lower-case; never credentials or signatures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The event as it was sent: JSON text.
    pub body: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_event_has_same_id_and_another_system_another() {
        assert_eq!(MessageId::of("a", "1"), MessageId::of("a", "1"));
        assert_ne!(MessageId::of("a", "1"), MessageId::of("b", "1"));
        assert_eq!(MessageId::of("a", "1").as_str().len(), MessageId::DIGITS);
    }
}
