//! Reading a body: declared as JSON, whole, small enough, in time.
//!
//! Nothing is parsed here.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use http::{HeaderMap, StatusCode, header};

use crate::{headers::only, rejection::Rejection};

/// What a body may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes.
    pub(crate) bytes: usize,
    /// Time from the end of the headers to the end of the body.
    pub(crate) time: Duration,
}

/// Refuses what is not declared as plain JSON. A compressed body is not taken: its
/// real size is not known before the work is done.
pub(crate) fn check_media_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let json = only(headers, header::CONTENT_TYPE.as_str()).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
            || essence
                .to_ascii_lowercase()
                .strip_prefix("application/")
                .is_some_and(|sub| sub.ends_with("+json"))
    });
    let plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if json && plain {
        Ok(())
    } else {
        Err(Rejection::MediaType)
    }
}

/// Reads the whole body. The router's body limit holds while it is read; a body
/// that declares itself too large is not read at all.
pub(crate) async fn read(request: Request, limits: Limits) -> Result<Bytes, Rejection> {
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if declared.is_some_and(|declared| declared > limits.bytes) {
        return Err(Rejection::TooLarge { limit: limits.bytes });
    }
    match tokio::time::timeout(limits.time, Bytes::from_request(request, &())).await {
        Err(_) => Err(Rejection::Slow { limit: limits.time }),
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Rejection::TooLarge { limit: limits.bytes })
        }
        Ok(Err(_)) => Err(Rejection::BrokenOff),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn plain_json_under_all_its_names_is_taken() {
        let accepts = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().unwrap());
            }
            check_media_type(&headers).is_ok()
        };
        assert!(accepts(&[("content-type", "application/json")]));
        assert!(accepts(&[("content-type", "Application/JSON; charset=UTF-8")]));
        assert!(accepts(&[("content-type", "application/cloudevents+json")]));
        assert!(accepts(&[
            ("content-type", "application/json"),
            ("content-encoding", "identity")
        ]));
        assert!(!accepts(&[]));
        assert!(!accepts(&[("content-type", "text/json")]));
        assert!(!accepts(&[("content-type", "application/jsonp")]));
        assert!(!accepts(&[("content-type", "application/x-www-form-urlencoded")]));
        assert!(!accepts(&[
            ("content-type", "application/json"),
            ("content-encoding", "gzip")
        ]));
    }
}
