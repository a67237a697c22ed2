//! One call as it came in, and the events it is split into.
//!
//! What is common to all kinds of senders; how each proves itself and what its
//! body means is in its own file.

use std::collections::BTreeMap;

use axum::body::Bytes;
use cambist_contract::{
    digest::Digest,
    message::{Message, MessageId, UNKNOWN_KIND},
};
use http::HeaderMap;
use jiff::Timestamp;

use crate::rejection::Flaw;

/// Longest name of an event, a kind or an object that is taken as one, in bytes.
/// HubSpot's longest names have some 40, Odoo's models at most 64 (PostgreSQL's
/// limit on table names), a UUID 36.
const NAME_LIMIT: usize = 200;

/// Longest deduplication key that is kept as it is, in bytes; a longer one is
/// replaced by its digest. Keys are indexed by the store.
const DEDUPE_LIMIT: usize = 500;

/// One call whose body has arrived.
#[derive(Debug)]
pub(crate) struct Call<'c> {
    /// The system it claims to come from.
    pub(crate) system: &'c str,
    /// Path and query as they were called.
    pub(crate) path_and_query: &'c str,
    /// All its headers.
    pub(crate) headers: &'c HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
    /// When it came in.
    pub(crate) received_at: Timestamp,
}

/// One event of a call, in the sender's words.
#[derive(Debug)]
pub(crate) struct Event {
    /// What happened.
    pub(crate) event: String,
    /// The kind of object.
    pub(crate) object_kind: String,
    /// The object's id.
    pub(crate) object_id: String,
    /// The sender's key for the event.
    pub(crate) dedupe: String,
    /// When it happened.
    pub(crate) occurred_at: Timestamp,
    /// Its JSON text.
    pub(crate) body: String,
}

impl Call<'_> {
    /// The body as text. JSON is UTF-8 between systems (RFC 8259, section 8.1).
    pub(crate) fn text(&self) -> Result<&str, Flaw> {
        std::str::from_utf8(&self.body).map_err(|_| Flaw::NotUtf8)
    }

    /// Makes the message of one event. Messages of one object share a key.
    pub(crate) fn message(&self, event: Event, kept: &BTreeMap<String, String>) -> Message {
        let dedupe = if event.dedupe.len() > DEDUPE_LIMIT {
            Digest::of(event.dedupe.as_bytes()).to_string()
        } else {
            event.dedupe
        };
        Message {
            id: MessageId::of(self.system, &dedupe),
            key: format!("{}/{}/{}", self.system, event.object_kind, event.object_id),
            system: self.system.to_owned(),
            event: event.event,
            object_kind: event.object_kind,
            object_id: event.object_id,
            dedupe,
            occurred_at: event.occurred_at,
            received_at: self.received_at,
            headers: kept.clone(),
            body: event.body,
        }
    }
}

impl Event {
    /// An authentic event that cannot be read.
    ///
    /// Its object is itself, so that it stands in nobody's way. `identity` is what
    /// of it stays the same when it is sent again.
    pub(crate) fn unknown(event: Option<&str>, identity: &str, at: Timestamp, body: String) -> Self {
        let digest = Digest::of(identity.as_bytes());
        Self {
            event: event
                .filter(|event| is_name(event))
                .unwrap_or(UNKNOWN_KIND)
                .to_owned(),
            object_kind: UNKNOWN_KIND.to_owned(),
            object_id: digest.short(),
            dedupe: format!("{UNKNOWN_KIND}/{digest}"),
            occurred_at: at,
            body,
        }
    }
}

/// Whether a text may name an event, a kind or an object.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_LIMIT && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_event_stands_in_nobodys_way() {
        let at = Timestamp::UNIX_EPOCH;
        let one = Event::unknown(Some("deal.creation"), "a", at, "1".to_owned());
        let two = Event::unknown(None, "b", at, "2".to_owned());
        assert_eq!(
            (one.event.as_str(), two.event.as_str()),
            ("deal.creation", UNKNOWN_KIND)
        );
        assert_ne!(one.object_id, two.object_id);
        assert_ne!(one.dedupe, two.dedupe);
    }

    #[test]
    fn a_long_key_is_kept_as_its_digest() {
        let call = Call {
            system: "a",
            path_and_query: "/in/a",
            headers: &HeaderMap::new(),
            body: Bytes::new(),
            received_at: Timestamp::UNIX_EPOCH,
        };
        let message = |dedupe: String| {
            let event = Event {
                dedupe,
                ..Event::unknown(None, "a", call.received_at, String::new())
            };
            call.message(event, &BTreeMap::new()).dedupe
        };
        assert_eq!(message("x".repeat(DEDUPE_LIMIT)).len(), DEDUPE_LIMIT);
        assert_eq!(message("x".repeat(DEDUPE_LIMIT + 1)).len(), 64);
        assert_ne!(
            message("x".repeat(DEDUPE_LIMIT + 1)),
            message("x".repeat(DEDUPE_LIMIT + 2))
        );
    }
}
