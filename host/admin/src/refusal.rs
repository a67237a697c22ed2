//! Everything for which a call is refused, and the one map from errors to answers.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use cambist_contract::limits::MAX_COMPONENT;
use cambist_journal::JournalError;
use cambist_registry::RolloutError;
use http::StatusCode;
use thiserror::Error;

use crate::{answer::Missing, problem::Problem};

/// When to ask again while the journal is in trouble: a full disk or a slow one
/// does not pass in a second.
const JOURNAL_WAIT: Duration = Duration::from_secs(30);

/// When to ask again while another check of the journal runs: a million entries
/// take seconds.
const VERIFY_WAIT: Duration = Duration::from_secs(10);

/// When to ask again for a plugin: one that is put into the folder is live within
/// a second.
const PLUGIN_WAIT: Duration = Duration::from_secs(5);

/// A call was refused; nothing was written.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    /// No such address.
    #[error("no such address")]
    NotFound,
    /// The address takes other methods.
    #[error("the address takes other methods")]
    Method,
    /// The right token was not sent.
    #[error("the right token was not sent")]
    Unauthorized,
    /// Wrong tokens come faster than they are answered.
    #[error("too many attempts without the right token")]
    TooManyAttempts {
        /// How long until the next one is answered.
        wait: Duration,
    },
    /// What was asked cannot be read. Carries what is wrong, for the caller alone.
    #[error("the call cannot be read")]
    Unreadable(String),
    /// The body is too large, or broke off.
    #[error("the body is too large or broke off")]
    Body,
    /// A component is too large, or broke off.
    #[error("the component is too large or broke off")]
    Component,
    /// No message has this id.
    #[error("no message has this id")]
    UnknownMessage,
    /// Nothing is linked.
    #[error("there is no such link")]
    NotLinked,
    /// No order to replay has this number.
    #[error("no replay has this number")]
    UnknownReplay,
    /// No message has touched this record of a target.
    #[error("no message has touched this record")]
    Untouched,
    /// The journal did not do it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal did not answer in time.
    #[error("the journal did not answer within {} ms", limit.as_millis())]
    JournalSlow {
        /// How long it was waited for.
        limit: Duration,
    },
    /// The journal is being checked for somebody else.
    #[error("the journal is being checked already")]
    Verifying,
    /// Bindings name plugins that have no live revision.
    #[error("plugins have no live revision")]
    NotReady {
        /// Which, and why.
        missing: Vec<Missing>,
    },
    /// A step with a plugin could not be taken.
    #[error(transparent)]
    Rollout(RolloutError),
    /// The config does not pass: everything that is wrong with it.
    #[error("the config does not pass, and the old one holds")]
    Config(Vec<String>),
    /// Both sides could not be compared: a system could not be asked.
    #[error("both sides could not be compared")]
    NotReconciled(String),
    /// A defect of ours.
    #[error("a defect in the host; please report it")]
    Defect,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = self.problem();
        // whoever probes a host that is not ready asks every few seconds, and the
        // registry has logged why
        let is_known = matches!(self, Self::NotReady { .. } | Self::Verifying);
        if problem.status.is_server_error() && !is_known {
            tracing::error!(reason = problem.code, "the admin side refused a call: {self}");
        }
        problem.into_response()
    }
}

impl Refusal {
    /// What the caller reads.
    pub(crate) fn problem(&self) -> Problem {
        let (status, code, title, detail) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "there is nothing here",
                "openapi.json lists the addresses".to_owned(),
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "the address takes another method",
                "openapi.json lists the methods of each address".to_owned(),
            ),
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "the call needs the token",
                "send `Authorization: Bearer` and the token that the config names".to_owned(),
            ),
            Self::TooManyAttempts { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-attempts",
                "too many calls without the right token",
                "send the right token, which passes at once, or wait".to_owned(),
            ),
            Self::Unreadable(what) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "unreadable",
                "the call cannot be read",
                what.clone(),
            ),
            Self::Body => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "the body is too large or broke off",
                "send a JSON object with the few members that the address takes".to_owned(),
            ),
            Self::Component => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "the component is too large or broke off",
                format!(
                    "a component has at most {MAX_COMPONENT} bytes; leave out what it does not need, or send it again"
                ),
            ),
            Self::UnknownMessage | Self::Journal(JournalError::Unknown(_)) => (
                StatusCode::NOT_FOUND,
                "unknown-message",
                "no message has this id",
                "`GET /api/messages` lists ids".to_owned(),
            ),
            Self::NotLinked => (
                StatusCode::NOT_FOUND,
                "not-linked",
                "there is no such link",
                "`GET /api/links` tells which there are; objects are named as `GET /api/messages` does, or by the contract's word"
                    .to_owned(),
            ),
            Self::UnknownReplay => (
                StatusCode::NOT_FOUND,
                "unknown-replay",
                "no replay has this number",
                "`GET /api/replays` lists numbers".to_owned(),
            ),
            Self::Untouched => (
                StatusCode::NOT_FOUND,
                "untouched",
                "no message has touched this record",
                "the target's name is the one in the config, the id the target's own or our external one"
                    .to_owned(),
            ),
            Self::Journal(JournalError::OutOfTurn { state, event, .. }) => (
                StatusCode::CONFLICT,
                "out-of-turn",
                "the message is not in a state for this",
                format!("it is {state} and cannot be {event} now; look at it again"),
            ),
            Self::Journal(JournalError::Broken { place, detail }) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "journal-broken",
                "the journal was changed or damaged",
                format!("entry {place} does not fit the chain: {detail}; keep the file, restore a copy"),
            ),
            Self::Journal(JournalError::Full { .. }) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "journal-full",
                "the journal has no space left",
                "free some on its disk; the host goes on by itself".to_owned(),
            ),
            Self::Journal(JournalError::ReadOnly { .. }) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "journal-read-only",
                "the journal's disk is read-only",
                "mount it for writing; the host goes on by itself".to_owned(),
            ),
            Self::Journal(JournalError::Damaged { .. }) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "journal-damaged",
                "the journal's file is damaged",
                "stop the host and keep the file, then `cambist journal verify` and `restore`".to_owned(),
            ),
            // The text names a path of ours: it is for the log.
            Self::Journal(_) | Self::JournalSlow { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "journal",
                "the journal cannot be used now",
                "the host's log says why".to_owned(),
            ),
            Self::Verifying => (
                StatusCode::SERVICE_UNAVAILABLE,
                "verifying",
                "the journal is being checked already",
                "ask again when that is done".to_owned(),
            ),
            Self::NotReady { missing } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not-ready",
                "plugins that bindings name have no live revision",
                missing
                    .iter()
                    .map(|missing| format!("{}: {}", missing.plugin, missing.reason))
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
            Self::Config(problems) => (
                StatusCode::CONFLICT,
                "config-refused",
                "the config does not pass, and the old one holds",
                problems.join("\n"),
            ),
            Self::Rollout(error) => {
                let (status, code, title) = match error {
                    RolloutError::NoPlugin(_)
                    | RolloutError::Unbound(_)
                    | RolloutError::NoComponent { .. }
                    | RolloutError::NoRevision { .. }
                    | RolloutError::None { .. } => (
                        StatusCode::NOT_FOUND,
                        "unknown-component",
                        "no such plugin or component",
                    ),
                    RolloutError::Ambiguous { .. } | RolloutError::AmbiguousRevision { .. } => (
                        StatusCode::CONFLICT,
                        "ambiguous-component",
                        "several components or revisions are meant",
                    ),
                    RolloutError::NotAsItWas { .. } => (
                        StatusCode::CONFLICT,
                        "not-as-it-was",
                        "the older revisions cannot serve as they were",
                    ),
                    RolloutError::Refused { .. } => (
                        StatusCode::CONFLICT,
                        "component-refused",
                        "the component does not pass its checks",
                    ),
                    RolloutError::NothingLive(_) | RolloutError::IsLive { .. } => (
                        StatusCode::CONFLICT,
                        "nothing-beside",
                        "the component cannot stand beside the live one",
                    ),
                    RolloutError::NoShare => (
                        StatusCode::UNPROCESSABLE_ENTITY,
                        "no-share",
                        "there is no such share",
                    ),
                    RolloutError::Trouble(_) => (
                        StatusCode::SERVICE_UNAVAILABLE,
                        "rollout",
                        "the step could not be taken now",
                    ),
                };
                // what the system said may name a path of ours: it is for the log
                let detail = match error {
                    RolloutError::Trouble(_) => "nothing was changed; the host's log says why".to_owned(),
                    error => error.to_string(),
                };
                (status, code, title, detail)
            }
            Self::NotReconciled(why) => (
                StatusCode::BAD_GATEWAY,
                "not-reconciled",
                "both sides could not be compared",
                why.clone(),
            ),
            Self::Defect => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "defect",
                "a defect in the host",
                "please report it with the host's log".to_owned(),
            ),
        };
        Problem {
            status,
            code,
            title,
            detail,
            retry_after: self.retry_after(status),
            missing: match self {
                Self::NotReady { missing } => missing.clone(),
                _ => Vec::new(),
            },
        }
    }

    /// When to ask again, where waiting helps.
    fn retry_after(&self, status: StatusCode) -> Option<Duration> {
        match self {
            Self::TooManyAttempts { wait } => Some(*wait),
            Self::Verifying => Some(VERIFY_WAIT),
            Self::NotReady { .. } => Some(PLUGIN_WAIT),
            _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(JOURNAL_WAIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_of_the_journal_is_503_and_names_no_path() {
        let path = "/var/lib/secret-place".to_owned();
        let detail = "disk I/O error".to_owned();
        for error in [
            JournalError::Full { path: path.clone() },
            JournalError::ReadOnly { path: path.clone() },
            JournalError::Locked { path: path.clone() },
            JournalError::Store { path, detail },
        ] {
            let problem = Refusal::from(error).problem();
            assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(problem.retry_after.is_some());
            assert!(!problem.detail.contains("secret-place"));
        }
    }
    #[test]
    fn a_broken_chain_is_no_passing_trouble_and_names_the_entry() {
        let detail = "its digest is another".to_owned();
        let problem = Refusal::from(JournalError::Broken { place: 7, detail }).problem();
        assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(problem.code, "journal-broken");
        assert!(problem.detail.starts_with("entry 7 "), "{}", problem.detail);
        assert!(problem.retry_after.is_none());
    }
}
