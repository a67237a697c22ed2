//! Standard Webhooks 1.0: one signed event a call.
//!
//! The specification's own crate makes the expected signature. What its 1.0.1
//! leaves open is closed here: an empty secret, several secrets at once, a clock
//! that is an input, an id with a dot in it (the signed text is `id.time.body`, so
//! a dot would let one signature stand for two calls), a time that is written in
//! another way than it is signed, and a body that is not UTF-8. Only `v1`
//! signatures are taken; `v1a` is not in the crate.
//!
//! Senders keep trying for days and show their owner what they were answered, so
//! that here, other than for HubSpot, a body that is not JSON is refused.

use cambist_contract::secret::Secret;
use jiff::Timestamp;
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;

use crate::{
    call::{Call, Event, is_name},
    headers::only,
    options::StandardWebhooks as Options,
    rejection::{Doubt, Flaw, Rejection},
    window,
};

/// Bytes of a secret: what the specification asks for.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The version of signature that is taken, as it stands before a signature.
const VERSION: &str = "v1,";

/// Most signatures of one call that are looked at. A sender lists one for each
/// secret that it rotates; two are usual.
const SIGNATURES: usize = 16;

/// Where the specification puts the time at which an event happened.
const TIME: &str = "/timestamp";

/// Takes the calls of one sender.
pub(crate) struct Standard {
    keys: Vec<Webhook>,
    event: String,
    object: Option<String>,
    id: String,
}

/// A text is not a signing secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
pub enum SecretForm {
    /// It is not base64.
    #[error("is not `whsec_` and base64")]
    NotBase64,
    /// It is too short or too long.
    #[error("has {0} bytes; the specification asks for 24 to 64")]
    Length(usize),
}

/// Reads one secret.
pub(crate) fn key(secret: &Secret) -> Result<Webhook, SecretForm> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = secret.expose();
    let bytes = STANDARD
        .decode(text.strip_prefix("whsec_").unwrap_or(text))
        .map_err(|_| SecretForm::NotBase64)?;
    if !SECRET_BYTES.contains(&bytes.len()) {
        return Err(SecretForm::Length(bytes.len()));
    }
    Webhook::from_bytes(bytes).map_err(|_| SecretForm::NotBase64)
}

impl Standard {
    /// Takes calls that are signed with one of `keys`.
    pub(crate) fn new(keys: Vec<Webhook>, options: &Options) -> Self {
        Self {
            keys,
            event: options.event.clone(),
            object: options.object.clone(),
            id: options.id.clone(),
        }
    }

    /// Checks the signature, then its age, so that only a true signature can be
    /// called stale. Looks at every secret and every signature.
    pub(crate) fn authenticate(&self, call: &Call<'_>) -> Result<(), Rejection> {
        // The crate signs text only. No JSON text is anything but UTF-8, so nothing good is refused.
        call.text().map_err(Rejection::Unreadable)?;
        self.verify(call).map_err(Rejection::NotAuthentic)
    }

    fn verify(&self, call: &Call<'_>) -> Result<(), Doubt> {
        let id = id(call).ok_or(Doubt::NoProof)?;
        let time = only(call.headers, HEADER_WEBHOOK_TIMESTAMP).ok_or(Doubt::NoProof)?;
        let seconds = time.parse::<i64>().map_err(|_| Doubt::NoProof)?;
        // The crate signs the number. Another way of writing it would pass for the same call.
        if seconds.to_string() != time {
            return Err(Doubt::NoProof);
        }
        let signatures = only(call.headers, HEADER_WEBHOOK_SIGNATURE).ok_or(Doubt::NoProof)?;
        let mut fits = Choice::from(0);
        for key in &self.keys {
            let expected = key.sign(id, seconds, &call.body).map_err(|_| Doubt::NoProof)?;
            for claimed in signatures
                .split(' ')
                .filter(|one| one.starts_with(VERSION))
                .take(SIGNATURES)
            {
                fits |= claimed.as_bytes().ct_eq(expected.as_bytes());
            }
        }
        if !bool::from(fits) {
            return Err(Doubt::Forged);
        }
        window::check(seconds.saturating_mul(1000), call.received_at)
    }

    /// Reads the one event of an authentic call. What is JSON but has no event or
    /// no object where the options say is an event that cannot be read.
    pub(crate) fn split(&self, call: &Call<'_>) -> Result<Vec<Event>, Rejection> {
        let text = call.text().map_err(Rejection::Unreadable)?;
        let json: Value = serde_json::from_str(text).map_err(|_| Rejection::Unreadable(Flaw::NotJson))?;
        let dedupe = id(call).unwrap_or_default();
        let occurred_at = time(&json)
            .or_else(|| signed_at(call))
            .unwrap_or(call.received_at);
        let event = self.read(&json).map(|(event, object_kind, object_id)| Event {
            event,
            object_kind,
            object_id,
            dedupe: dedupe.to_owned(),
            occurred_at,
            body: text.to_owned(),
        });
        let event = event.unwrap_or_else(|| {
            let named = json.pointer(&self.event).and_then(Value::as_str);
            let unknown = Event::unknown(named, dedupe, occurred_at, text.to_owned());
            Event {
                dedupe: dedupe.to_owned(),
                ..unknown
            }
        });
        Ok(vec![event])
    }

    /// Event, kind and id.
    fn read(&self, json: &Value) -> Option<(String, String, String)> {
        let name = |pointer: &str| {
            json.pointer(pointer)
                .and_then(Value::as_str)
                .filter(|text| is_name(text))
        };
        let event = name(&self.event)?;
        let kind = match &self.object {
            Some(pointer) => name(pointer)?,
            None => event.rsplit_once('.').map_or(event, |(kind, _)| kind),
        };
        let id = match json.pointer(&self.id)? {
            Value::String(text) if is_name(text) => text.clone(),
            Value::Number(number) if number.is_u64() || number.is_i64() => number.to_string(),
            _ => return None,
        };
        is_name(kind).then(|| (event.to_owned(), kind.to_owned(), id))
    }
}

/// The sender's id for the event: the same at every attempt.
fn id<'c>(call: &Call<'c>) -> Option<&'c str> {
    only(call.headers, HEADER_WEBHOOK_ID).filter(|id| is_name(id) && !id.contains('.'))
}

/// When it happened, where the body says so.
fn time(json: &Value) -> Option<Timestamp> {
    json.pointer(TIME)?.as_str()?.parse().ok()
}

/// When this attempt was signed.
fn signed_at(call: &Call<'_>) -> Option<Timestamp> {
    let seconds = only(call.headers, HEADER_WEBHOOK_TIMESTAMP)?.parse().ok()?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use axum::body::Bytes;
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::*;

    // The vector of the specification's own library for Rust.
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const SECONDS: &str = "1649367553";
    const BODY: &str = r#"{"email":"test@example.com","username":"test_user"}"#;
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    fn sender(secrets: &[&str]) -> Standard {
        let keys = secrets
            .iter()
            .map(|text| key(&Secret::parse(text).unwrap()).unwrap())
            .collect();
        let options = serde_json::from_str(r#"{"secrets": []}"#).unwrap();
        Standard::new(keys, &options)
    }

    fn check_at(offset: i64, id: &str, seconds: &str, signature: &str, body: &[u8]) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("webhook-id", id),
            ("webhook-timestamp", seconds),
            ("webhook-signature", signature),
        ] {
            headers.insert(name, value.parse().map_err(|_| "no header value".to_owned())?);
        }
        let received_at = Timestamp::from_second(1_649_367_553 + offset).unwrap();
        let body = Bytes::copy_from_slice(body);
        let call = Call {
            system: "a",
            path_and_query: "/in/a",
            headers: &headers,
            body,
            received_at,
        };
        sender(&[SECRET])
            .authenticate(&call)
            .map_err(|rejection| rejection.reason().to_owned())
    }

    fn check(id: &str, seconds: &str, signature: &str, body: &[u8]) -> Result<(), String> {
        check_at(0, id, seconds, signature, body)
    }

    #[test]
    fn the_vector_of_the_specification_fits() {
        assert_eq!(check(ID, SECONDS, SIGNATURE, BODY.as_bytes()), Ok(()));
    }

    #[test]
    fn five_minutes_both_ways() {
        for (offset, good) in [(-301, false), (-300, true), (300, true), (301, false)] {
            let result = check_at(offset, ID, SECONDS, SIGNATURE, BODY.as_bytes());
            assert_eq!(
                result,
                if good { Ok(()) } else { Err("stale".to_owned()) },
                "{offset}"
            );
        }
    }

    #[test]
    fn one_good_signature_among_others_will_do() {
        let other = "v1,AAAA4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        let list = format!("v1a,x {other} {SIGNATURE}");
        assert_eq!(check(ID, SECONDS, &list, BODY.as_bytes()), Ok(()));
        assert_eq!(
            check(ID, SECONDS, other, BODY.as_bytes()),
            Err("forged".to_owned())
        );
        let unversioned = SIGNATURE.strip_prefix("v1,").unwrap();
        for wrong in [
            "",
            "v1,",
            unversioned,
            &format!("v1a,{unversioned}"),
            &format!("v2,{unversioned}"),
        ] {
            assert!(check(ID, SECONDS, wrong, BODY.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_id_or_a_time_in_another_form_is_no_proof() {
        for (id, seconds) in [
            ("", SECONDS),
            ("msg.1", SECONDS),
            (ID, ""),
            (ID, "+1649367553"),
            (ID, "01649367553"),
            (ID, "1649367553.0"),
            (ID, "9999999999999999999999"),
        ] {
            let result = check(id, seconds, SIGNATURE, BODY.as_bytes());
            assert_eq!(result, Err("no-proof".to_owned()), "{id} {seconds}");
        }
    }

    #[test]
    fn a_secret_that_is_empty_short_or_no_base64_is_refused() {
        let form = |text: &str| key(&Secret::parse(text).unwrap()).err();
        assert_eq!(form("whsec_"), Some(SecretForm::Length(0)));
        assert_eq!(form("whsec_aHVudGVyMg=="), Some(SecretForm::Length(7)));
        assert_eq!(form("whsec_***"), Some(SecretForm::NotBase64));
        assert_eq!(form(SECRET), None);
    }

    #[test]
    fn a_body_that_is_no_text_is_refused() {
        assert_eq!(
            check(ID, SECONDS, SIGNATURE, b"\xff{}"),
            Err("unreadable".to_owned())
        );
    }

    fn split(body: &str) -> Event {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", SECONDS.parse().unwrap());
        let received_at = Timestamp::UNIX_EPOCH;
        let body = Bytes::copy_from_slice(body.as_bytes());
        let call = Call {
            system: "a",
            path_and_query: "/in/a",
            headers: &headers,
            body,
            received_at,
        };
        sender(&[SECRET]).split(&call).unwrap().remove(0)
    }

    #[test]
    fn the_object_is_where_the_defaults_say() {
        let event =
            split(r#"{"type":"invoice.line.paid","timestamp":"2026-11-21T10:00:00Z","data":{"id":42}}"#);
        assert_eq!(event.event, "invoice.line.paid");
        assert_eq!(
            (event.object_kind.as_str(), event.object_id.as_str()),
            ("invoice.line", "42")
        );
        assert_eq!(
            (event.dedupe.as_str(), event.occurred_at.to_string().as_str()),
            (ID, "2026-11-21T10:00:00Z")
        );
    }

    #[test]
    fn an_event_without_an_object_is_kept() {
        let event = split(BODY);
        assert_eq!(
            (event.event.as_str(), event.object_kind.as_str()),
            ("unknown", "unknown")
        );
        assert_eq!((event.dedupe.as_str(), event.body.as_str()), (ID, BODY));
        assert_eq!(event.occurred_at.as_second().to_string(), SECONDS);
    }

    proptest! {
        #[test]
        fn a_flipped_byte_anywhere_is_refused(part in 0..4usize, at in any::<prop::sample::Index>(), bit in 0..7u8) {
            let mut parts = [ID, SECONDS, SIGNATURE, BODY].map(|text| text.as_bytes().to_vec());
            let at = at.index(parts[part].len());
            parts[part][at] ^= 1 << bit;
            let [id, seconds, signature, body] = parts.map(|bytes| String::from_utf8(bytes).unwrap());
            prop_assert!(check(&id, &seconds, &signature, body.as_bytes()).is_err());
        }
    }
}
