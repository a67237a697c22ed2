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
    /// It, or a proxy before it, is in trouble of its own, by this name; whether something was changed is not known.
    Troubled(String),
    /// It is in trouble of its own, by this name, and its database has taken everything back.
    TakenBack(String),
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
    TakenBack,
    Troubled,
    KeyRefused,
    NotAllowed,
    Gone,
    UnknownId,
    Refused,
    Misfit,
}

/// One row: the exception's name begins so, and its message has this in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    means: Means,
}

const fn rule(name: &'static str, says: &'static str, means: Means) -> Rule {
    Rule { name, says, means }
}

/// PostgreSQL's words for a second one of what there may be one of.
const DUPLICATE: &str = "duplicate key value violates unique constraint";

/// The first row that fits counts. What follows from each is in `failures.txt`, which a test compares.
pub(crate) const RULES: &[Rule] = &[
    // lost races: Odoo tries such a call itself, up to five times, before it gives up
    rule("psycopg2.errors.SerializationFailure", "", Means::Contended),
    rule("psycopg2.errors.DeadlockDetected", "", Means::Contended),
    rule("psycopg2.errors.LockNotAvailable", "", Means::Contended),
    rule(
        "psycopg2.extensions.TransactionRollbackError",
        "",
        Means::Contended,
    ),
    rule("odoo.exceptions.LockError", "", Means::Contended),
    rule("odoo.exceptions.ConcurrencyError", "", Means::Contended),
    // What Odoo looks for and makes beside a record, such as the PAN of an Indian customer, was made by somebody else in
    // between; it is found the next time. Of values that a record itself may not share Odoo speaks in words of its own.
    rule("psycopg2.errors.UniqueViolation", "", Means::Contended),
    rule("odoo.exceptions.ValidationError", DUPLICATE, Means::Contended),
    // no connection to its database: none is free, or the database is down
    rule("psycopg2.pool.PoolError", "", Means::Busy),
    rule("odoo.sql_db.PoolError", "", Means::Busy),
    rule(
        "psycopg2.OperationalError",
        "connection to server at",
        Means::Busy,
    ),
    rule(
        "psycopg2.OperationalError",
        "connection to server on",
        Means::Busy,
    ),
    rule("psycopg2.errors.TooManyConnections", "", Means::Busy),
    rule("psycopg2.errors.CannotConnectNow", "", Means::Busy),
    // its database gave a statement up, and with it the transaction
    rule("psycopg2.errors.DiskFull", "", Means::TakenBack),
    rule("psycopg2.errors.OutOfMemory", "", Means::TakenBack),
    rule("psycopg2.errors.InsufficientResources", "", Means::TakenBack),
    rule("psycopg2.errors.ReadOnlySqlTransaction", "", Means::TakenBack),
    rule("psycopg2.errors.InFailedSqlTransaction", "", Means::TakenBack),
    rule("psycopg2.errors.QueryCanceled", "", Means::TakenBack),
    rule("psycopg2.extensions.QueryCanceledError", "", Means::TakenBack),
    rule(
        "psycopg2.errors.IdleInTransactionSessionTimeout",
        "",
        Means::TakenBack,
    ),
    // its connection broke, perhaps between the commit and the word of it
    rule("psycopg2.errors.AdminShutdown", "", Means::Troubled),
    rule("psycopg2.errors.CrashShutdown", "", Means::Troubled),
    rule("psycopg2.errors.DatabaseDropped", "", Means::Troubled),
    rule("psycopg2.errors.IoError", "", Means::Troubled),
    rule("psycopg2.errors.Connection", "", Means::Troubled),
    rule("psycopg2.OperationalError", "", Means::Troubled),
    rule("psycopg2.InterfaceError", "", Means::Troubled),
    // its own limits, which may strike after the commit as well (`signal_time_expired_handler` in odoo/service/server.py)
    rule("builtins.Exception", "CPU time limit exceeded", Means::Troubled),
    rule("builtins.MemoryError", "", Means::Troubled),
    // its machine: files, mail servers, whatever it reaches
    rule("builtins.OSError", "", Means::Troubled),
    rule("builtins.TimeoutError", "", Means::Troubled),
    rule("builtins.Connection", "", Means::Troubled),
    rule("builtins.BrokenPipeError", "", Means::Troubled),
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

/// By what of a message of `load` an exception is known that has nothing to do with the row.
///
/// `load` hides exceptions: Odoo does not try such a call again by itself, and the text is all there is. Of those that it did
/// not expect the text has the class, `<class 'MemoryError'>`; of those of the database it has PostgreSQL's own words, which
/// are these as long as its `lc_messages` is English.
pub(crate) const HIDDEN: &[(&str, &str)] = &[
    (
        "could not serialize access",
        "psycopg2.errors.SerializationFailure",
    ),
    ("deadlock detected", "psycopg2.errors.DeadlockDetected"),
    ("could not obtain lock on row", "psycopg2.errors.LockNotAvailable"),
    (
        "canceling statement due to lock timeout",
        "psycopg2.errors.LockNotAvailable",
    ),
    ("Cannot grab a lock on records", "odoo.exceptions.LockError"),
    (DUPLICATE, "psycopg2.errors.UniqueViolation"),
    ("canceling statement due to", "psycopg2.errors.QueryCanceled"),
    (
        "current transaction is aborted",
        "psycopg2.errors.InFailedSqlTransaction",
    ),
    (
        "in a read-only transaction",
        "psycopg2.errors.ReadOnlySqlTransaction",
    ),
    ("No space left on device", "psycopg2.errors.DiskFull"),
    ("out of memory", "psycopg2.errors.OutOfMemory"),
];

/// Odoo's error object, as far as it is kept.
#[derive(Deserialize)]
struct ErrorObject {
    name: String,
    #[serde(default)]
    message: String,
}

/// What a message of `load` says that has nothing to do with the row it names; none when it is about the row.
pub(crate) fn passing_in_load(message: &str) -> Option<Fault> {
    let by_text = || {
        let found = HIDDEN.iter().find(|(text, _)| message.contains(text));
        found.map(|(_, name)| (*name).to_owned())
    };
    let fault = meaning(200, &class_in(message).or_else(by_text)?, message);
    let passes = matches!(
        fault,
        Fault::Contended | Fault::Busy(_) | Fault::Troubled(_) | Fault::TakenBack(_)
    );
    passes.then_some(fault)
}

/// The name of the class that a message quotes as Python does, in the form that error objects have.
fn class_in(message: &str) -> Option<String> {
    let (name, _) = message.split_once("<class '")?.1.split_once("'>")?;
    Some(match name.contains('.') {
        true => name.to_owned(),
        false => format!("builtins.{name}"),
    })
}

/// The value that an answer carries.
///
/// # Errors
///
/// What the answer means in place of a value.
pub(crate) fn read(answer: &Answer) -> Result<Value, Fault> {
    match (answer.status, answer.is_json) {
        (429, _) => Err(Fault::Busy(answer.retry_after)),
        (502..=504, _) => Err(troubled(answer.status)),
        (404, false) => Err(Fault::NoDatabase),
        (413, _) => Err(Fault::Misfit("the request is too large for it".to_owned())),
        (415, false) => Err(Fault::Misfit("it takes no JSON at this address".to_owned())),
        (200, true) => {
            serde_json::from_slice(&answer.body).map_err(|_| Fault::Strange("broken JSON".to_owned()))
        }
        (status, true) => Err(serde_json::from_slice::<ErrorObject>(&answer.body)
            .map_or(troubled(status), |error| {
                meaning(status, &error.name, &error.message)
            })),
        (500.., false) => Err(troubled(answer.status)),
        (status, false) => Err(Fault::Strange(format!(
            "a page that is no JSON (status {status})"
        ))),
    }
}

/// What an error object means. A name that no row knows is trouble: it may pass, and is parked when it does not.
pub(crate) fn meaning(status: u16, name: &str, message: &str) -> Fault {
    let found = RULES
        .iter()
        .find(|rule| name.starts_with(rule.name) && message.contains(rule.says));
    let Some(rule) = found else {
        return troubled(status);
    };
    // of trouble the name is kept, which is none of a stranger's: a row of the table knows it
    match rule.means {
        Means::Contended => Fault::Contended,
        Means::Busy => Fault::Busy(None),
        Means::TakenBack => Fault::TakenBack(reason(name)),
        Means::Troubled => Fault::Troubled(reason(name)),
        Means::KeyRefused => Fault::KeyRefused,
        Means::NotAllowed => Fault::NotAllowed(reason(message)),
        Means::Gone => Fault::Gone(reason(message)),
        Means::UnknownId => Fault::UnknownId,
        Means::Refused => Fault::Refused(reason(message)),
        Means::Misfit => Fault::Misfit(reason(message)),
    }
}

fn troubled(status: u16) -> Fault {
    Fault::Troubled(format!("status {status}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
#[path = "answer/tests.rs"]
mod tests;
