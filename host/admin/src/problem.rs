//! Problem details for HTTP APIs (RFC 9457): the form of every refusal.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::answer;

/// The media type of RFC 9457, section 3.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// One refusal, before it is written.
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
    /// When to ask again.
    pub(crate) retry_after: Option<Duration>,
    /// The plugins without a live revision, where that is the problem.
    pub(crate) missing: Vec<answer::Missing>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let members = answer::Problem {
            r#type: format!("urn:cambist:problem:{}", self.code),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            missing: self.missing,
        };
        let mut response = (self.status, axum::Json(members)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: a 401 names the scheme
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            // whole seconds, rounded up
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
