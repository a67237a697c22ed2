//! What a sender is told: the one map from rejections to answers, and the
//! answer to a call that was taken.
//!
//! Our own trouble is never 4xx, and a refused proof never says which part did
//! not fit.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use cambist_journal::JournalError;
use http::StatusCode;
use serde::Serialize;

use crate::{
    problem::Problem,
    rejection::{Doubt, Rejection},
};

/// When to send again while the journal is in trouble. A full disk or a slow one
/// does not pass in a second, and HubSpot keeps ten attempts over a day.
const JOURNAL_WAIT: Duration = Duration::from_secs(30);

/// When to send again while all hands are busy: calls take milliseconds.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// A call was taken, and is durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Taken {
    /// Events that are new.
    pub(crate) accepted: usize,
    /// Events that were there before.
    pub(crate) duplicates: usize,
}

impl IntoResponse for Taken {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, axum::Json(self)).into_response()
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.problem().into_response()
    }
}

impl Rejection {
    /// What the sender reads.
    pub(crate) fn problem(&self) -> Problem {
        let (status, code, title, detail) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "nothing is received here",
                "check the address against the config".to_owned(),
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "only POST is taken here",
                "send the event with POST".to_owned(),
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "only plain JSON is taken here",
                "send `content-type: application/json` and no content encoding".to_owned(),
            ),
            Self::TooLarge { limit } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "the call is too large",
                format!("send at most {limit} bytes"),
            ),
            Self::TooMany { limit } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-many-events",
                "the call has too many events",
                format!("send at most {limit} events in one call"),
            ),
            Self::Slow { limit } => (
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                "the body took too long to arrive",
                format!("send it within {} ms", limit.as_millis()),
            ),
            // Not 400: a line that broke is a passing fault, and HubSpot does not send again after 400.
            Self::BrokenOff => (
                StatusCode::REQUEST_TIMEOUT,
                "broken-off",
                "the body broke off",
                "send it again, whole".to_owned(),
            ),
            Self::NotAuthentic(_) => (
                StatusCode::UNAUTHORIZED,
                "not-authentic",
                "the sender did not prove who it is",
                "check the secret, the signed address and the clock".to_owned(),
            ),
            Self::Unreadable(flaw) => (
                StatusCode::BAD_REQUEST,
                "unreadable",
                "the body cannot be read",
                flaw.to_string(),
            ),
            Self::TooFast { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-fast",
                "the system calls faster than its rate",
                "send again after the time in `retry-after`".to_owned(),
            ),
            Self::Busy | Self::Journal(_) | Self::JournalSlow { .. } => {
                let (code, title) = self.unavailable();
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    code,
                    title,
                    "the fault is ours; send again after the time in `retry-after`".to_owned(),
                )
            }
            Self::Defect => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "defect",
                "the call cannot be taken",
                "the fault is ours; send again later".to_owned(),
            ),
        };
        Problem {
            status,
            code,
            title,
            detail,
            retry_after: self.retry_after(),
        }
    }

    /// Why a call cannot be taken now, as far as it is a sender's business: who hears it from
    /// a sender knows where to look.
    fn unavailable(&self) -> (&'static str, &'static str) {
        match self {
            Self::Journal(JournalError::Full { .. }) => {
                ("journal-full", "there is no room on our disk to keep the call")
            }
            Self::Journal(JournalError::ReadOnly { .. }) => (
                "journal-read-only",
                "our disk is read-only, so the call cannot be kept",
            ),
            Self::Journal(JournalError::Damaged { .. }) => (
                "journal-damaged",
                "our journal is damaged, so the call cannot be kept",
            ),
            Self::Journal(_) => ("journal", "the call cannot be kept now"),
            Self::JournalSlow { .. } => ("journal-slow", "our disk is too slow to keep the call in time"),
            _ => ("unavailable", "the call cannot be taken now"),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooFast { wait } => Some(*wait),
            Self::Busy => Some(BUSY_WAIT),
            Self::Journal(_) | Self::JournalSlow { .. } | Self::Defect => Some(JOURNAL_WAIT),
            Self::NotFound
            | Self::Method
            | Self::MediaType
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Slow { .. }
            | Self::BrokenOff
            | Self::NotAuthentic(_)
            | Self::Unreadable(_) => None,
        }
    }

    /// The label under which it is counted; here doubts are told apart.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Method => "method",
            Self::MediaType => "media-type",
            Self::TooLarge { .. } => "too-large",
            Self::TooMany { .. } => "too-many-events",
            Self::Slow { .. } => "too-slow",
            Self::BrokenOff => "broken-off",
            Self::NotAuthentic(Doubt::NoProof) => "no-proof",
            Self::NotAuthentic(Doubt::Forged) => "forged",
            Self::NotAuthentic(Doubt::Stale) => "stale",
            Self::Unreadable(_) => "unreadable",
            Self::TooFast { .. } => "too-fast",
            Self::Busy => "busy",
            Self::Journal(_) => "journal",
            Self::JournalSlow { .. } => "journal-slow",
            Self::Defect => "defect",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_trouble_is_never_a_4xx_and_says_when_to_send_again() {
        let own = [
            Rejection::Busy,
            Rejection::Journal(JournalError::Full {
                path: "/var/lib/secret-place".to_owned(),
            }),
            Rejection::JournalSlow {
                limit: Duration::from_secs(4),
            },
            Rejection::Defect,
        ];
        for rejection in own {
            let problem = rejection.problem();
            assert!(problem.status.is_server_error(), "{rejection:?}");
            assert!(problem.retry_after.is_some(), "{rejection:?}");
            assert!(
                !problem.detail.contains("secret-place"),
                "the answer names no path of ours"
            );
        }
    }

    #[test]
    fn a_refused_proof_does_not_say_which_part() {
        let told = |doubt| {
            let problem = Rejection::NotAuthentic(doubt).problem();
            (problem.status, problem.code, problem.title, problem.detail)
        };
        assert_eq!(told(Doubt::NoProof), told(Doubt::Forged));
        assert_eq!(told(Doubt::Forged), told(Doubt::Stale));
    }
}
