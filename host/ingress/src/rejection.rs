//! Everything for which a call is not taken.
//!
//! Each variant says what we know, in our own words, for the log. What the sender
//! is told is in [`answer`](crate::answer), and is less.

use std::time::Duration;

use cambist_journal::JournalError;
use thiserror::Error;

/// A call was not taken; the journal has nothing of it, except where it says so.
#[derive(Debug, Error)]
pub(crate) enum Rejection {
    /// No such system, or the token of another one, or the wrong kind of address.
    #[error("no system has this address")]
    NotFound,
    /// It was not a POST.
    #[error("only POST is taken here")]
    Method,
    /// The body is not declared as plain JSON.
    #[error("the body is not declared as plain JSON")]
    MediaType,
    /// The body has more bytes than are taken.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The batch has more events than are taken.
    #[error("the batch has more than {limit} events")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The body did not arrive in time.
    #[error("the body did not arrive within {} ms", limit.as_millis())]
    Slow {
        /// The limit.
        limit: Duration,
    },
    /// The body broke off.
    #[error("the body broke off")]
    BrokenOff,
    /// The sender did not prove who it is.
    #[error("the sender did not prove who it is: {0}")]
    NotAuthentic(Doubt),
    /// The body is not what this kind of sender sends, and the sender sees the
    /// refusal.
    #[error("the body cannot be read: {0}")]
    Unreadable(Flaw),
    /// The system calls faster than its rate.
    #[error("the system calls faster than its rate")]
    TooFast {
        /// How long until its next call fits the rate.
        wait: Duration,
    },
    /// As many calls as can be worked on at once are being worked on.
    #[error("too many calls at once")]
    Busy,
    /// The journal cannot take it.
    #[error("the journal did not take it: {0}")]
    Journal(JournalError),
    /// The journal has not answered in time. It may take the call yet; the
    /// sender's second attempt will be a duplicate then.
    #[error("the journal did not answer within {} ms", limit.as_millis())]
    JournalSlow {
        /// The limit.
        limit: Duration,
    },
    /// A defect of ours.
    #[error("a defect in the host; please report it")]
    Defect,
}

/// Why a sender is doubted. Only the log and the metrics tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
pub(crate) enum Doubt {
    /// A header that the scheme needs is not there, twice there or not of its form.
    #[error("a signature header is missing or malformed")]
    NoProof,
    /// The signature is of no secret we know.
    #[error("the signature does not fit")]
    Forged,
    /// The signature is right, but too old or too far ahead: a replay, or a clock
    /// that is wrong, theirs or ours.
    #[error("the signature fits, but its time is more than five minutes off; check the clocks")]
    Stale,
}

/// What is wrong with a body. Never a piece of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
pub(crate) enum Flaw {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("it is not JSON")]
    NotJson,
    /// JSON, but not an object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// A field is missing or not of its form.
    #[error("`{0}` is missing or malformed")]
    Field(&'static str),
}
