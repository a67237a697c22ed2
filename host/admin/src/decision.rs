//! A decision of an operator that is about no message: in the journal it is a message itself.
//!
//! So it stands in the chain, is listed, shown and erased as all others, and no store and no
//! format has to know of it. No flow takes one: it has ended when it is written.

use cambist_contract::message::{Message, MessageId};
use jiff::Timestamp;
use serde_json::Value;

/// The system that such messages are from.
pub const OPERATOR: &str = "operator";

/// The message that says what was decided: `event` about an object, as its kind and its id.
pub(crate) fn message(at: Timestamp, event: &str, (kind, id): (&str, &str), told: &Value) -> Message {
    // at most one decision at a time is made, so a moment has one
    let dedupe = format!("{event} {kind}/{id} {at}");
    let name = MessageId::of(OPERATOR, &dedupe);
    Message {
        key: format!("{OPERATOR}/{name}"),
        id: name,
        system: OPERATOR.to_owned(),
        event: event.to_owned(),
        object_kind: kind.to_owned(),
        object_id: id.to_owned(),
        dedupe,
        occurred_at: at,
        received_at: at,
        headers: Default::default(),
        body: told.to_string(),
    }
}
