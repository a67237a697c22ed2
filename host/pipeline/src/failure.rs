//! What stops a message at a stage, and what is done about it.

use std::time::Duration;

use cambist_connect::ConnectError;
use cambist_contract::{delivery::NextTry, fault::Fault, message::MessageId, plugin::CallError};
use cambist_journal::JournalError;
use cambist_registry::RouteError;
use thiserror::Error;

use crate::conflict::Conflict;

/// A stage brought nothing the message could go on with.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The plugin's call brought no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A system at the other end.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Nothing serves the message.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The config does not say where the message belongs.
    #[error("{0}")]
    Unroutable(String),
    /// Ingress took the event in and could not read it.
    #[error(
        "an authentic event of `{system}` cannot be read; see `cambist show --json {id}`, mend what sends it and have it sent again"
    )]
    UnknownEvent {
        /// The system.
        system: String,
        /// The message.
        id: MessageId,
    },
    /// What a stage made could be written to the journal and not read again.
    #[error(
        "what the stage made is nested deeper than {limit} levels; make it flatter where it comes from, then replay the message"
    )]
    TooDeep {
        /// The levels that are taken.
        limit: usize,
    },
    /// Both sides have changed what both may change.
    #[error(transparent)]
    Conflict(Box<Conflict>),
    /// The plugin's answer is well-formed and cannot be true.
    #[error("the plugin's answer cannot be right: {0}")]
    Implausible(String),
    /// What the journal holds of the message cannot be read by this host.
    #[error("what stage `{stage}` left in the journal cannot be read: {detail}")]
    Unreadable {
        /// The stage.
        stage: &'static str,
        /// What serde said; it never quotes data.
        detail: String,
    },
    /// The host ended in the midst of the stage. Whether this message was the cause is not known.
    #[error("the host ended while it worked on this: it was killed, ran out of memory or lost its power")]
    Ended {
        /// How long the target may still be at an action that was asked for and not answered.
        at_work: Option<Duration>,
    },
    /// The work on the message panicked.
    #[error("the work on it panicked, which is a bug of the host; its log says where")]
    Panicked,
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Failure {
    /// For how long the system is left alone, where that alone kept the stage from its end: no attempt was made.
    pub(crate) fn left_alone(&self) -> Option<Duration> {
        match self {
            Self::Connect(ConnectError::LeftAlone { wait, .. }) => Some(*wait),
            _ => None,
        }
    }

    /// What may be done with the message.
    pub(crate) fn next_try(&self) -> NextTry {
        match self {
            Self::Call(error) => error.next_try(),
            Self::Connect(error) => error.next_try(),
            Self::Journal(error) => error.next_try(),
            Self::Route(error) => error.next_try(),
            Self::Ended { at_work: Some(wait) } => NextTry::LookUpFirst { not_before: *wait },
            Self::Ended { at_work: None } | Self::Panicked => NextTry::SendAgain { not_before: None },
            Self::Unroutable(_)
            | Self::UnknownEvent { .. }
            | Self::Conflict(_)
            | Self::TooDeep { .. }
            | Self::Implausible(_)
            | Self::Unreadable { .. } => NextTry::Park,
        }
    }

    /// The group a report puts it in.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Call(CallError::Fault(Fault::Invalid(_))) => "invalid",
            Self::Call(CallError::Fault(_)) => "plugin-fault",
            Self::Call(CallError::Trapped(_)) => "plugin-trapped",
            Self::Call(CallError::Limit { .. }) => "plugin-limit",
            Self::Call(CallError::BadAnswer(_)) | Self::Implausible(_) => "plugin-answer",
            Self::Call(CallError::Unsayable(_)) => "plugin-input",
            Self::Call(CallError::Host(_)) | Self::Route(RouteError::Trouble { .. }) => "host",
            Self::Panicked => "host",
            Self::Connect(error) => error.code(),
            Self::Route(RouteError::Killed { .. }) => "plugin-killed",
            Self::Route(_) | Self::Unroutable(_) => "no-route",
            Self::UnknownEvent { .. } => "unreadable",
            Self::Conflict(_) => "conflict",
            Self::TooDeep { .. } => "too-deep",
            Self::Ended { .. } => "host-ended",
            Self::Unreadable { .. } | Self::Journal(_) => "journal",
        }
    }
}
