//! Webhooks as HubSpot sends them: a batch of events with a version 3 signature.
//!
//! The signature is `base64(HMAC-SHA256(client secret, method + URI + body + timestamp))`, the timestamp in milliseconds in
//! `X-HubSpot-Request-Timestamp` (guide "Validating requests"). The test vector is HubSpot's own SDK's.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Changed;

/// The portal that events come from, where a test names none.
pub const PORTAL: u64 = 62_515;

/// A signed batch, ready to be posted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Webhook {
    /// The headers, lower-case: content type, timestamp and signature.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Signs a batch of events as HubSpot does.
///
/// `url` is the public address that the host was told, which is what HubSpot would call; `timestamp_ms` is the time of the
/// request in milliseconds since 1970.
pub fn webhook(client_secret: &str, url: &str, events: &[Value], timestamp_ms: i64) -> Webhook {
    let body = Value::from(events).to_string();
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-hubspot-request-timestamp".to_owned(), timestamp_ms.to_string()),
        (
            "x-hubspot-signature-v3".to_owned(),
            signature(client_secret, "POST", url, &body, timestamp_ms),
        ),
    ];
    Webhook {
        headers,
        body: body.into_bytes(),
    }
}

/// The version 3 signature.
pub fn signature(client_secret: &str, method: &str, url: &str, body: &str, timestamp_ms: i64) -> String {
    // HMAC takes keys of any length, so that there is always a value
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(client_secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{method}{url}{body}{timestamp_ms}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The event that objects were merged, of which a new one came: `primary` was preferred to the
/// `others`. HubSpot's "New subscription types for webhooks" has the fields.
pub fn merged(
    object: &str,
    primary: u64,
    others: &[u64],
    new: u64,
    event_id: u64,
    occurred_ms: i64,
) -> Value {
    json!({
        "eventId": event_id,
        "subscriptionId": 92_895,
        "portalId": PORTAL,
        "appId": 186_886,
        "occurredAt": occurred_ms,
        "subscriptionType": format!("{object}.merge"),
        "attemptNumber": 0,
        "changeSource": "CRM_UI",
        "primaryObjectId": primary,
        "mergedObjectIds": others,
        "newObjectId": new,
        "numberOfPropertiesMoved": 3,
    })
}

/// The event that a property of an object got another value.
///
/// `object` is `deal`, `company`, `contact` or `line_item`; `event_id` tells events apart, though HubSpot does not promise
/// that it always does.
pub fn property_change(
    object: &str,
    object_id: u64,
    property: &str,
    value: &str,
    event_id: u64,
    occurred_ms: i64,
) -> Value {
    json!({
        "eventId": event_id,
        "subscriptionId": 92_894,
        "portalId": PORTAL,
        "appId": 186_886,
        "occurredAt": occurred_ms,
        "subscriptionType": format!("{object}.propertyChange"),
        "attemptNumber": 0,
        "objectId": object_id,
        "propertyName": property,
        "propertyValue": value,
        "changeSource": "CRM_UI",
        "sourceId": "userId:1",
    })
}

/// The event of what was written by an integration, as HubSpot sends it to whoever subscribed, the writer too.
///
/// Its `changeSource` is `INTEGRATION`, and its `sourceId` the app's.
pub fn written(changed: &Changed, event_id: u64, occurred_ms: i64) -> Value {
    let object = match changed.kind.as_str() {
        "companies" => "company",
        "contacts" => "contact",
        "deals" => "deal",
        "line_items" => "line_item",
        other => other,
    };
    let id = changed.id.parse().unwrap_or_default();
    let (property, value) = (&changed.property, &changed.value);
    let mut event = property_change(object, id, property, value, event_id, occurred_ms);
    if let Some(event) = event.as_object_mut() {
        event.insert("changeSource".to_owned(), json!("INTEGRATION"));
        event.insert("sourceId".to_owned(), json!("186886"));
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_told_as_a_change_by_an_integration() {
        let changed = Changed {
            kind: "companies".to_owned(),
            id: "501".to_owned(),
            property: "name".to_owned(),
            value: String::new(),
        };
        let event = written(&changed, 7, 1);
        for (name, value) in [
            ("subscriptionType", json!("company.propertyChange")),
            ("objectId", json!(501)),
            ("propertyName", json!("name")),
            ("propertyValue", json!("")),
            ("changeSource", json!("INTEGRATION")),
        ] {
            assert_eq!(event.get(name), Some(&value), "{name}");
        }
    }

    #[test]
    fn the_signature_is_the_one_of_hubspots_own_sdk() {
        // HubSpot/hubspot-api-python, tests/spec/utils/test_signature.py
        let signature = signature(
            "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
            "POST",
            "https://www.example.com/webhook_uri",
            "{'example_field':'example_value'}",
            1_693_657_560_000,
        );
        assert_eq!(signature, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=");
    }
}
