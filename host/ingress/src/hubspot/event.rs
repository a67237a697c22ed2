//! One event of a HubSpot batch: what it is about, and what makes it the same one
//! when it is sent again.
//!
//! HubSpot does not promise that an `eventId` is unique, and counts
//! `attemptNumber` up at every attempt, so neither the one alone nor a digest of
//! the text can be the key.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::call::{Event, is_name};

/// The fields that together name an event: the composite that HubSpot's
/// documentation leaves, given that `eventId` alone is not unique.
const KEY: [&str; 7] = [
    "portalId",
    "subscriptionId",
    "subscriptionType",
    "objectId",
    "propertyName",
    "occurredAt",
    "eventId",
];

/// Fields that belong to the key of events that have them: which objects were
/// associated or merged.
const KEY_WHERE_PRESENT: [&str; 6] = [
    "fromObjectId",
    "toObjectId",
    "associationType",
    "associationRemoved",
    "primaryObjectId",
    "mergedObjectIds",
];

/// Where the object's id is: `associationChange` and `merge` events have names of
/// their own for it.
const OBJECT_ID: [&str; 3] = ["objectId", "primaryObjectId", "fromObjectId"];

/// Where a generic event says the type of its object.
const OBJECT_TYPE: [&str; 2] = ["objectTypeId", "fromObjectTypeId"];

/// The kind that generic subscriptions use for every object.
const GENERIC: &str = "object";

/// The names that the older subscriptions have for HubSpot's numbered object
/// types. A type that is not here keeps its number, such as `2-3453932`.
const OBJECT_TYPES: [(&str, &str); 6] = [
    ("0-1", "contact"),
    ("0-2", "company"),
    ("0-3", "deal"),
    ("0-5", "ticket"),
    ("0-7", "product"),
    ("0-8", "line_item"),
];

/// Reads one element of a batch. What is not an event with a type, an object and a
/// time is authentic all the same, and becomes an event that cannot be read.
pub(super) fn read(text: &str, received_at: Timestamp) -> Event {
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(text) else {
        return unreadable(text, received_at);
    };
    known(&fields, text).unwrap_or_else(|| unknown(fields, text, received_at))
}

/// A whole body that is not a batch. What is not even JSON is kept as a JSON
/// string, because a message's body is JSON text.
pub(super) fn unreadable(text: &str, received_at: Timestamp) -> Event {
    if let Ok(fields) = serde_json::from_str::<Map<String, Value>>(text) {
        return unknown(fields, text, received_at);
    }
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let body = if is_json {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    };
    Event::unknown(None, text, received_at, body)
}

/// A whole body that is not even text: kept as `{"base64": "…"}`.
pub(super) fn not_text(bytes: &[u8], received_at: Timestamp) -> Event {
    let body = json!({"base64": STANDARD.encode(bytes)}).to_string();
    Event::unknown(None, &body, received_at, body.clone())
}

fn known(fields: &Map<String, Value>, text: &str) -> Option<Event> {
    let event = fields
        .get("subscriptionType")
        .and_then(Value::as_str)
        .filter(|event| is_name(event))?;
    let object_id = OBJECT_ID.iter().find_map(|name| fields.get(*name).and_then(id))?;
    let occurred_at = fields.get("occurredAt").and_then(Value::as_i64)?;
    Some(Event {
        event: event.to_owned(),
        object_kind: object_kind(event, fields)?,
        object_id,
        dedupe: dedupe(fields),
        occurred_at: Timestamp::from_millisecond(occurred_at).ok()?,
        body: text.to_owned(),
    })
}

/// `deal` of `deal.propertyChange`; for a generic event, the name of its type.
fn object_kind(event: &str, fields: &Map<String, Value>) -> Option<String> {
    let (kind, _) = event
        .split_once('.')
        .filter(|(kind, what)| !kind.is_empty() && !what.is_empty())?;
    if kind != GENERIC {
        return Some(kind.to_owned());
    }
    let number = OBJECT_TYPE
        .iter()
        .find_map(|name| fields.get(*name).and_then(Value::as_str))?;
    let name = OBJECT_TYPES
        .iter()
        .find(|(known, _)| *known == number)
        .map_or(number, |(_, name)| name);
    is_name(name).then(|| name.to_owned())
}

/// An object's id: a whole number, or text.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        Value::String(text) if is_name(text) => Some(text.clone()),
        _ => None,
    }
}

/// The key as a JSON array, because no choice of values can make two of them the
/// same text.
fn dedupe(fields: &Map<String, Value>) -> String {
    let common = KEY
        .iter()
        .map(|name| fields.get(*name).cloned().unwrap_or_default());
    let special = KEY_WHERE_PRESENT.iter().filter_map(|name| {
        fields
            .get(*name)
            .map(|value| Value::Array(vec![Value::from(*name), value.clone()]))
    });
    Value::Array(common.chain(special).collect()).to_string()
}

fn unknown(mut fields: Map<String, Value>, text: &str, received_at: Timestamp) -> Event {
    fields.remove("attemptNumber");
    let event = fields
        .get("subscriptionType")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let identity = Value::Object(fields).to_string();
    Event::unknown(event.as_deref(), &identity, received_at, text.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::UNKNOWN_KIND;

    fn at(event: &Value) -> Event {
        read(&event.to_string(), Timestamp::UNIX_EPOCH)
    }

    /// A real one.
    fn deal() -> Value {
        json!({"objectId": 697_680_835, "propertyName": "dealstage", "propertyValue": "closedwon",
            "changeSource": "CRM_UI", "eventId": 802_835_955, "subscriptionId": 92_894, "portalId": 5_799_819,
            "appId": 186_886, "occurredAt": 1_556_094_637_139_i64, "subscriptionType": "deal.propertyChange",
            "attemptNumber": 0})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut event = deal();
        event[name] = value;
        event
    }

    fn without(name: &str) -> Value {
        let mut event = deal();
        event.as_object_mut().unwrap().remove(name);
        event
    }

    #[test]
    fn a_real_event_is_read() {
        let event = at(&deal());
        assert_eq!(event.event, "deal.propertyChange");
        assert_eq!(
            (event.object_kind.as_str(), event.object_id.as_str()),
            ("deal", "697680835")
        );
        assert_eq!(
            event.occurred_at,
            "2019-04-24T08:30:37.139Z".parse::<Timestamp>().unwrap()
        );
        assert_eq!(
            event.dedupe,
            r#"[5799819,92894,"deal.propertyChange",697680835,"dealstage",1556094637139,802835955]"#
        );
    }

    #[test]
    fn another_attempt_is_the_same_event() {
        assert_eq!(at(&deal()).dedupe, at(&with("attemptNumber", json!(3))).dedupe);
        let broken = |attempt: u8| {
            let mut event = without("objectId");
            event["attemptNumber"] = json!(attempt);
            at(&event).dedupe
        };
        assert_eq!(broken(0), broken(1), "also of one that cannot be read");
    }

    #[test]
    fn the_same_event_id_elsewhere_is_another_event() {
        let one = at(&deal()).dedupe;
        for (name, value) in [
            ("portalId", json!(1)),
            ("subscriptionId", json!(1)),
            ("subscriptionType", json!("deal.creation")),
            ("objectId", json!(1)),
            ("propertyName", json!("amount")),
            ("occurredAt", json!(1)),
            ("eventId", json!(1)),
            ("toObjectId", json!(1)),
        ] {
            assert_ne!(at(&with(name, value)).dedupe, one, "{name}");
        }
    }

    #[test]
    fn a_generic_event_has_the_kind_of_its_type() {
        for (number, kind) in [
            ("0-1", "contact"),
            ("0-2", "company"),
            ("0-3", "deal"),
            ("0-8", "line_item"),
            ("2-345", "2-345"),
        ] {
            let mut event = with("subscriptionType", json!("object.propertyChange"));
            event["objectTypeId"] = json!(number);
            assert_eq!(at(&event).object_kind, kind);
            assert_eq!(at(&event).event, "object.propertyChange");
        }
    }

    #[test]
    fn associations_and_merges_have_an_object_too() {
        let association = json!({"subscriptionType": "deal.associationChange", "occurredAt": 1, "fromObjectId": 7,
            "toObjectId": 8, "associationType": "DEAL_TO_COMPANY", "associationRemoved": false});
        let merge = json!({"subscriptionType": "contact.merge", "occurredAt": 1, "primaryObjectId": 9,
            "mergedObjectIds": [10, 11]});
        assert_eq!(
            (
                at(&association).object_kind.as_str(),
                at(&association).object_id.as_str()
            ),
            ("deal", "7")
        );
        assert_eq!(
            (at(&merge).object_kind.as_str(), at(&merge).object_id.as_str()),
            ("contact", "9")
        );
        let mut removed = association.clone();
        removed["associationRemoved"] = json!(true);
        assert_ne!(at(&association).dedupe, at(&removed).dedupe);
    }

    #[test]
    fn what_cannot_be_read_is_kept_as_it_was() {
        for broken in [
            without("subscriptionType"),
            without("objectId"),
            without("occurredAt"),
            with("subscriptionType", json!("deal")),
            with("subscriptionType", json!("object.creation")),
            with("objectId", json!(-1)),
            with("objectId", json!(1.5)),
            with("objectId", json!("x".repeat(300))),
            with("occurredAt", json!("yesterday")),
            with("occurredAt", json!(i64::MAX)),
            json!({}),
            json!([1]),
            json!("text"),
            json!(null),
        ] {
            let event = at(&broken);
            assert_eq!(event.object_kind, UNKNOWN_KIND, "{broken}");
            assert_eq!(event.body, broken.to_string());
        }
    }

    #[test]
    fn what_is_not_json_is_kept_as_a_json_string() {
        let event = unreadable("{'single': 'quotes'}", Timestamp::UNIX_EPOCH);
        assert_eq!(
            serde_json::from_str::<String>(&event.body).unwrap(),
            "{'single': 'quotes'}"
        );
    }

    #[test]
    fn numbers_stay_as_they_were_written() {
        let text = r#"{"subscriptionType":"deal.creation","objectId":18446744073709551615,"occurredAt":1,"amount":1.10}"#;
        let event = read(text, Timestamp::UNIX_EPOCH);
        assert_eq!(event.object_id, "18446744073709551615");
        assert_eq!(event.body, text);
    }

    proptest! {
        #[test]
        fn any_text_becomes_an_event_with_a_body_of_json(text in ".{0,60}") {
            let event = read(&text, Timestamp::UNIX_EPOCH);
            prop_assert!(serde_json::from_str::<Value>(&event.body).is_ok());
            prop_assert!(is_name(&event.event) && is_name(&event.object_id));
        }
    }
}
