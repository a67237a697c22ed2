//! HubSpot: its v3 signature, and its batches of thin events.
//!
//! A call holds up to a hundred events; each becomes a message of its own. HubSpot
//! sends again after a network fault or an answer other than 2xx, 400, 401, 403,
//! 404 and 405, in another batch and another order, so every event carries its own
//! deduplication key. An authentic call is never answered 400: the event would be
//! gone for good.

mod event;
mod signature;

use cambist_contract::secret::Secret;
use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;

use self::signature::Key;
use crate::{
    call::{Call, Event},
    headers::only,
    rejection::{Doubt, Rejection},
    window,
};

/// The signature's header.
const SIGNATURE: &str = "x-hubspot-signature-v3";
/// The header with the time at which the call was signed, in milliseconds.
const TIMESTAMP: &str = "x-hubspot-request-timestamp";

/// Takes the calls of one HubSpot app.
pub(crate) struct HubSpot {
    keys: Vec<Key>,
    /// The public address without its last slash; what was called stands behind it.
    base: String,
    batch_limit: usize,
}

impl HubSpot {
    /// Takes calls that are signed with one of `secrets` and were made to an
    /// address under `public_url`.
    pub(crate) fn new(secrets: &[Secret], public_url: &Url, batch_limit: usize) -> Self {
        Self {
            keys: secrets
                .iter()
                .filter_map(|secret| Key::new(secret.expose().as_bytes()))
                .collect(),
            base: public_url.as_str().trim_end_matches('/').to_owned(),
            batch_limit,
        }
    }

    /// Checks the signature, then its age, so that only a true signature can be
    /// called stale.
    pub(crate) fn authenticate(&self, call: &Call<'_>) -> Result<(), Doubt> {
        let signature = only(call.headers, SIGNATURE).ok_or(Doubt::NoProof)?;
        let timestamp = only(call.headers, TIMESTAMP).ok_or(Doubt::NoProof)?;
        let signed_ms = millis(timestamp).ok_or(Doubt::NoProof)?;
        let uri = format!("{}{}", self.base, call.path_and_query);
        signature::verify(&self.keys, "POST", &uri, &call.body, timestamp, signature)?;
        window::check(signed_ms, call.received_at)
    }

    /// Splits an authentic call into its events.
    ///
    /// What is not a JSON array is one event that cannot be read; so is every
    /// element that is not an event. A workflow's webhook that was pointed here by
    /// mistake is seen by a person that way, instead of vanishing.
    pub(crate) fn split(&self, call: &Call<'_>) -> Result<Vec<Event>, Rejection> {
        let Ok(text) = call.text() else {
            return Ok(vec![event::not_text(&call.body, call.received_at)]);
        };
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(text) else {
            return Ok(vec![event::unreadable(text, call.received_at)]);
        };
        if elements.len() > self.batch_limit {
            return Err(Rejection::TooMany {
                limit: self.batch_limit,
            });
        }
        Ok(elements
            .iter()
            .map(|element| event::read(element.get(), call.received_at))
            .collect())
    }
}

/// Milliseconds since 1970, digits only.
fn millis(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let millis = digits.then(|| text.parse().ok())??;
    Timestamp::from_millisecond(millis).ok()?;
    Some(millis)
}
