//! What Odoo's answers mean: one table, read by name and message, never by status alone.
//!
//! A status says little in Odoo: an unknown field is a 500 that will be a 500 for ever, a lost race is a 500 that goes away, a
//! refused row comes as 200 (see `load.rs`). What is certain is the exception's name, which every error object has. The
//! rows below were recorded from a running Odoo 19.0; a test provokes each of them again on a real one.
//!
//! An error object also has `debug`, a traceback with paths and values. It is dropped here, before anything can log it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::{error::reason, http::Answer};

/// What an answer means, when it is not the value asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Somebody else wrote the same records and won; nothing was changed.
    Contended,
    /// More is asked than it can do now; nothing was changed.
    Busy(Option<Duration>),
    /// It, or a proxy before it, is in trouble of its own; whether something was changed is not known.
    Troubled(u16),
    /// This is no answer of Odoo; what it is instead.
    Strange(String),
    /// The key is wrong, missing or expired.
    KeyRefused,
    /// There is no such database, or no JSON-2 API.
    NoDatabase,
    /// The user may not do this.
    NotAllowed(String),
    /// The record is not there any more.
    Gone(String),
    /// No record has this external id.
    UnknownId,
    /// A business rule says no.
    Refused(String),
    /// Model, method, field or form of value are not known.
    Misfit(String),
}

/// How a row of the table makes a [`Fault`].
#[derive(Clone, Copy, Debug)]
enum Means {
    Contended,
    Busy,
    KeyRefused,
    NotAllowed,
    Gone,
    UnknownId,
    Refused,
    Misfit,
}

/// One row: the exception's name begins so, and its message has this in it.
#[derive(Clone, Copy, Debug)]
struct Rule {
    name: &'static str,
    says: &'static str,
    means: Means,
}

const fn rule(name: &'static str, says: &'static str, means: Means) -> Rule {
    Rule { name, says, means }
}

/// The first row that fits counts.
const RULES: &[Rule] = &[
    // lost races: Odoo tries such a call itself, up to five times, before it gives up
    rule("psycopg2.errors.SerializationFailure", "", Means::Contended),
    rule("psycopg2.errors.DeadlockDetected", "", Means::Contended),
    rule("psycopg2.errors.LockNotAvailable", "", Means::Contended),
    rule("odoo.exceptions.LockError", "", Means::Contended),
    rule("odoo.exceptions.ConcurrencyError", "", Means::Contended),
    // no room, or its database restarts
    rule("psycopg2.pool.PoolError", "", Means::Busy),
    rule("odoo.sql_db.PoolError", "", Means::Busy),
    rule("psycopg2.OperationalError", "", Means::Busy),
    rule("psycopg2.InterfaceError", "", Means::Busy),
    rule("psycopg2.errors.AdminShutdown", "", Means::Busy),
    rule("psycopg2.errors.QueryCanceled", "", Means::Busy),
    // who we are, and what we may
    rule("werkzeug.exceptions.Unauthorized", "", Means::KeyRefused),
    rule("odoo.http.SessionExpiredException", "", Means::KeyRefused),
    rule("odoo.exceptions.AccessDenied", "", Means::KeyRefused),
    rule("odoo.exceptions.AccessError", "", Means::NotAllowed),
    rule("werkzeug.exceptions.Forbidden", "", Means::NotAllowed),
    // what is there
    rule("odoo.exceptions.MissingError", "", Means::Gone),
    rule(
        "builtins.ValueError",
        "External ID not found in the system",
        Means::UnknownId,
    ),
    // what it was told
    rule("odoo.exceptions.ValidationError", "", Means::Refused),
    rule("odoo.exceptions.UserError", "", Means::Refused),
    rule("odoo.exceptions.RedirectWarning", "", Means::Refused),
    rule("werkzeug.exceptions.NotFound", "", Means::Misfit),
    rule("werkzeug.exceptions.BadRequest", "", Means::Misfit),
    rule("werkzeug.exceptions.UnprocessableEntity", "", Means::Misfit),
    rule("psycopg2.", "", Means::Misfit),
    rule("builtins.", "", Means::Misfit),
];

/// What of a message of `load` says that the row lost a race: `load` hides the database's error, so that Odoo does not try
/// again by itself and the text is all there is.
const LOST_RACES: &[&str] = &[
    "could not serialize access",
    "deadlock detected",
    "could not obtain lock on row",
];

/// Odoo's error object, as far as it is kept.
#[derive(Deserialize)]
struct ErrorObject {
    name: String,
    #[serde(default)]
    message: String,
}

/// Whether a message of `load` says that a race was lost.
pub fn is_lost_race(message: &str) -> bool {
    LOST_RACES.iter().any(|text| message.contains(text))
}

/// The value that an answer carries.
///
/// # Errors
///
/// What the answer means in place of a value.
pub(crate) fn read(answer: &Answer) -> Result<Value, Fault> {
    match (answer.status, answer.is_json) {
        (429, _) => Err(Fault::Busy(answer.retry_after)),
        (502..=504, _) => Err(Fault::Troubled(answer.status)),
        (404, false) => Err(Fault::NoDatabase),
        (413, _) => Err(Fault::Misfit("the request is too large for it".to_owned())),
        (415, false) => Err(Fault::Misfit("it takes no JSON at this address".to_owned())),
        (200, true) => {
            serde_json::from_slice(&answer.body).map_err(|_| Fault::Strange("broken JSON".to_owned()))
        }
        (status, true) => Err(serde_json::from_slice::<ErrorObject>(&answer.body)
            .map_or(Fault::Troubled(status), |error| {
                meaning(status, &error.name, &error.message)
            })),
        (500.., false) => Err(Fault::Troubled(answer.status)),
        (status, false) => Err(Fault::Strange(format!(
            "a page that is no JSON (status {status})"
        ))),
    }
}

/// What an error object means. A name that no row knows is trouble: it may pass, and is parked when it does not.
fn meaning(status: u16, name: &str, message: &str) -> Fault {
    let found = RULES
        .iter()
        .find(|rule| name.starts_with(rule.name) && message.contains(rule.says));
    match found.map(|rule| rule.means) {
        Some(Means::Contended) => Fault::Contended,
        Some(Means::Busy) => Fault::Busy(None),
        Some(Means::KeyRefused) => Fault::KeyRefused,
        Some(Means::NotAllowed) => Fault::NotAllowed(reason(message)),
        Some(Means::Gone) => Fault::Gone(reason(message)),
        Some(Means::UnknownId) => Fault::UnknownId,
        Some(Means::Refused) => Fault::Refused(reason(message)),
        Some(Means::Misfit) => Fault::Misfit(reason(message)),
        None => Fault::Troubled(status),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
#[path = "answer/tests.rs"]
mod tests;
