//! Problem details for HTTP APIs (RFC 9457): the form of every refusal.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

/// The media type of RFC 9457, section 3.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// One refusal, as the sender reads it.
#[derive(Debug)]
pub(crate) struct Problem {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// The problem's name: the last part of its `type`.
    pub(crate) code: &'static str,
    /// What kind of problem it is; the same for every occurrence.
    pub(crate) title: &'static str,
    /// What to do about this one.
    pub(crate) detail: String,
    /// When to send again.
    pub(crate) retry_after: Option<Duration>,
}

/// The members of RFC 9457, section 3.1. `instance` is left out: it would repeat
/// an address that may hold a token.
#[derive(Serialize)]
struct Members<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let members = Members {
            r#type: format!("urn:cambist:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
        };
        let mut response = (self.status, axum::Json(members)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if let Some(wait) = self.retry_after {
            insert_seconds(headers, header::RETRY_AFTER, wait);
        }
        response
    }
}

/// Whole seconds, rounded up, and never zero: a sender that comes back at once
/// meets the same trouble.
fn insert_seconds(headers: &mut http::HeaderMap, name: HeaderName, wait: Duration) {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    headers.insert(
        name,
        HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)),
    );
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_whole_seconds_rounded_up() {
        for (millis, text) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (30_000, "30")] {
            let mut headers = http::HeaderMap::new();
            insert_seconds(&mut headers, header::RETRY_AFTER, Duration::from_millis(millis));
            assert_eq!(headers[header::RETRY_AFTER], text);
        }
    }
}
