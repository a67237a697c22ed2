//! The API for operators: a file for each resource, named as in the address, and
//! here what all of them share.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    response::Response,
};
use cambist_contract::message::MessageId;
use http::{HeaderValue, header, request::Parts};
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;

pub(crate) mod config;
pub(crate) mod journal;
pub(crate) mod links;
pub(crate) mod messages;
pub(crate) mod parked;
pub(crate) mod plugins;
pub(crate) mod reconcile;
pub(crate) mod replays;
pub(crate) mod status;
pub(crate) mod trace;

/// Longest name of a person or a role, in bytes.
const NAME_LIMIT: usize = 200;

/// Longest reason, in bytes: a few sentences.
const REASON_LIMIT: usize = 1_000;

/// No cache on the way keeps what operators see.
pub(crate) async fn no_store(mut response: Response) -> Response {
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}

/// A body as JSON, whatever its declared type; what cannot be read is told as a
/// problem.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Refusal::Body)?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Refusal::Unreadable(format!("the body: {error}")))
    }
}

/// The query; what cannot be read is told as a problem.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(asked)| Self(asked))
            .map_err(|error| Refusal::Unreadable(format!("the query: {}", error.body_text())))
    }
}

/// The message that the address names; text that is none names no message.
pub(crate) struct Id(pub(crate) MessageId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        Path::<String>::from_request_parts(parts, state)
            .await
            .map(|Path(id)| Self(MessageId::from_text(id)))
            .map_err(|_| Refusal::UnknownMessage)
    }
}

/// A name that can stand in the evidence.
pub(crate) fn name(member: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.len() > NAME_LIMIT || text.chars().any(char::is_control) {
        return Err(Refusal::Unreadable(format!(
            "the body: `{member}` is a name of 1 to {NAME_LIMIT} bytes without control characters"
        )));
    }
    Ok(text.to_owned())
}

/// A reason that can stand in the evidence.
pub(crate) fn reason(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.len() > REASON_LIMIT {
        let text = format!("`reason` says in 1 to {REASON_LIMIT} bytes why");
        return Err(Refusal::Unreadable(text));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_visible() {
        for wrong in ["", "  ", "a\nb", &"x".repeat(NAME_LIMIT + 1)] {
            assert!(name("by", wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(name("by", " Zoë Müller ").unwrap(), "Zoë Müller");
    }
}
