//! What can go wrong between us and a system.
//!
//! Each variant says what is known about the far side, because that decides whether sending again is safe. It says nothing
//! about HTTP: `http.rs` and the connectors' `answer.rs` build these values from it.

use std::{sync::Arc, time::Duration};

use cambist_contract::delivery::NextTry;
use thiserror::Error;

/// The most characters of a system's own sentence that are kept.
///
/// Enough for every message in Odoo's and HubSpot's documents to be understood; a traceback or a payload that a system puts
/// into its message does not fit.
pub const REASON_LIMIT: usize = 200;

/// The shortest wait after a system said that it is busy, where it named none: HubSpot counts by windows of 10 s.
pub const AFTER_BUSY: Duration = Duration::from_secs(10);

/// What was asked of a system was not done, or not surely.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No connection was made. The system has seen nothing.
    #[error("cannot reach {system} at {authority}; is it running, and the address right?")]
    Unreachable {
        /// The system, by its name in the config.
        system: String,
        /// Host and port that were tried.
        authority: String,
        /// What the network said.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The request was sent and no answer came. The system may have acted on it.
    #[error("no answer from {system} within {} s", waited.as_secs())]
    NoAnswer {
        /// The system.
        system: String,
        /// How long the answer was waited for.
        waited: Duration,
        /// What the same again would do.
        again: Again,
    },
    /// The connection broke before the answer was complete. The system may have acted.
    #[error("{system} broke the connection off in the middle of its answer")]
    CutOff {
        /// The system.
        system: String,
        /// What the same again would do.
        again: Again,
        /// What the network said.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The system asked for fewer requests. It has not acted on this one.
    #[error("{system} asks to wait")]
    Busy {
        /// The system.
        system: String,
        /// The wait it named, if it named one.
        wait: Option<Duration>,
    },
    /// It has been in trouble, and is left alone for a while. Nothing was asked of it.
    #[error("{system} is left alone for another {} s, after trouble of its own", wait.as_secs())]
    LeftAlone {
        /// The system.
        system: String,
        /// For how long.
        wait: Duration,
    },
    /// Somebody else wrote the same records at the same time, and won. Nothing was changed by us.
    #[error("{system} was writing the same records of {model} for somebody else")]
    Contended {
        /// The system.
        system: String,
        /// The kind of record.
        model: String,
    },
    /// The system, or a proxy before it, is in trouble of its own.
    #[error("{system} has trouble of its own ({what})")]
    Troubled {
        /// The system.
        system: String,
        /// The HTTP status, or the name that the system gives its trouble.
        what: String,
        /// What the same again would do.
        again: Again,
    },
    /// The answer is none that the system gives: a page of a proxy, or half of something.
    #[error("{what} came in place of an answer of {system}; is there a proxy or a login page between?")]
    Strange {
        /// The system.
        system: String,
        /// What came, by its kind and never its content.
        what: String,
        /// What the same again would do.
        again: Again,
    },
    /// The answer is larger than any that we ask for.
    #[error("the answer of {system} is larger than {limit} bytes; ask for fewer fields")]
    TooLarge {
        /// The system.
        system: String,
        /// The limit.
        limit: usize,
    },
    /// The key is wrong, or no longer valid.
    #[error(
        "{system} does not accept our key; make a new one there and put it where the config's `key` points"
    )]
    KeyRefused {
        /// The system.
        system: String,
    },
    /// The key is valid, and its owner may not do this.
    #[error(
        "our user at {system} may not do this: {reason}; give it the right, or take this out of the flow"
    )]
    NotAllowed {
        /// The system.
        system: String,
        /// The system's own sentence.
        reason: String,
    },
    /// Nobody answers for us at the address.
    #[error(
        "{system} has no such database, or no JSON-2 API (Odoo 19 and later, module `rpc`); check address and database"
    )]
    NoDatabase {
        /// The system.
        system: String,
    },
    /// What is spoken of is not there: never was, was deleted, or is hidden from us.
    #[error("{what} is not in {system}, or not for our user to see")]
    Gone {
        /// The system.
        system: String,
        /// What is not there, by kind and id.
        what: String,
    },
    /// The system read a record and refused it. The same record will be refused again.
    #[error("{system} refused {model} `{external_id}`{}: {reason}", at(field.as_deref()))]
    Refused {
        /// The system.
        system: String,
        /// The kind of record.
        model: String,
        /// Our id of the record.
        external_id: String,
        /// The field it is about, where the system says it.
        field: Option<String>,
        /// The system's own sentence.
        reason: String,
    },
    /// The system does not know what it was asked for: a model, a field, a method, a form of value.
    #[error(
        "{system} does not understand what it was told about {model}: {reason}; check the mapping plugin and which modules are installed"
    )]
    Misfit {
        /// The system.
        system: String,
        /// The kind of record.
        model: String,
        /// The system's own sentence.
        reason: String,
    },
    /// A record is in a state that the action is not done from.
    #[error("{0}")]
    WrongState(Box<WrongState>),
    /// More belongs to an object than is read with it. What can be read would be a part that passes for the whole.
    #[error(
        "{what} of {system} has more {kind} than are read with it; make several of it there, then replay"
    )]
    TooMany {
        /// The system.
        system: String,
        /// The object, by kind and id.
        what: String,
        /// What belongs to it, in the system's words.
        kind: String,
    },
    /// The connector cannot read such an object.
    #[error(
        "{system} has no way to read `{kind}`; take its events out of the flow, or name its fields in the config"
    )]
    Unsupported {
        /// The system.
        system: String,
        /// The kind of object, in the source's words.
        kind: String,
    },
}

/// What sending the same once more would do, where it is not known whether the system has acted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Again {
    /// No harm: it reads, or writes the same values to the same records.
    Harmless,
    /// It would be done twice. The first may be at work for so long yet, and what it does cannot be seen until it has ended.
    Twice {
        /// The longest time that a call of this kind is given.
        at_work: Duration,
    },
}

/// A record is in a state that an action is not done from.
#[derive(Clone, Debug, Error)]
#[error(
    "{system} has {model} `{external_id}` with {found}; `{action}` is done from {from} and leads to {to}{}; put it right \
     there, then replay",
    apart(.difference)
)]
pub struct WrongState {
    /// The system.
    pub system: String,
    /// The kind of record.
    pub model: String,
    /// Our id of the record.
    pub external_id: String,
    /// The action.
    pub action: String,
    /// The state that the action is done from.
    pub from: String,
    /// The state that it leads to.
    pub to: String,
    /// The state found.
    pub found: String,
    /// By how much numbers that were found are off, each with its field; empty where none is.
    pub difference: String,
}

fn apart(difference: &str) -> String {
    match difference.is_empty() {
        true => String::new(),
        false => format!("; found is {difference}"),
    }
}

fn at(field: Option<&str>) -> String {
    field
        .map(|field| format!(", field `{field}`"))
        .unwrap_or_default()
}

impl Again {
    /// What may be done next; `wait` is for what may simply be sent again.
    fn next_try(self, wait: Option<Duration>) -> NextTry {
        match self {
            Self::Harmless => NextTry::SendAgain { not_before: wait },
            Self::Twice { at_work } => NextTry::LookUpFirst { not_before: at_work },
        }
    }
}

impl ConnectError {
    /// What may be done next: the table `failures.txt`, which a test compares, has it for every error.
    pub fn next_try(&self) -> NextTry {
        match self {
            Self::Unreachable { .. } | Self::Contended { .. } => NextTry::SendAgain { not_before: None },
            Self::Busy { wait, .. } => NextTry::SendAgain {
                not_before: Some(wait.unwrap_or(AFTER_BUSY)),
            },
            Self::LeftAlone { wait, .. } => NextTry::SendAgain {
                not_before: Some(*wait),
            },
            // the far side may still be at it: as long again as was waited already
            Self::NoAnswer { again, waited, .. } => again.next_try(Some(*waited)),
            Self::CutOff { again, .. } | Self::Troubled { again, .. } | Self::Strange { again, .. } => {
                again.next_try(None)
            }
            Self::TooLarge { .. }
            | Self::KeyRefused { .. }
            | Self::NotAllowed { .. }
            | Self::NoDatabase { .. }
            | Self::Gone { .. }
            | Self::Refused { .. }
            | Self::Misfit { .. }
            | Self::WrongState(_)
            | Self::TooMany { .. }
            | Self::Unsupported { .. } => NextTry::Park,
        }
    }

    /// The name under which reports and metrics group it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::NoAnswer { .. } => "no-answer",
            Self::CutOff { .. } => "cut-off",
            Self::Busy { .. } => "busy",
            Self::LeftAlone { .. } => "left-alone",
            Self::Contended { .. } => "contended",
            Self::Troubled { .. } => "troubled",
            Self::Strange { .. } => "strange-answer",
            Self::TooLarge { .. } => "too-large",
            Self::KeyRefused { .. } => "key-refused",
            Self::NotAllowed { .. } => "not-allowed",
            Self::NoDatabase { .. } => "no-database",
            Self::Gone { .. } => "gone",
            Self::Refused { .. } => "refused",
            Self::Misfit { .. } => "misfit",
            Self::WrongState(_) => "wrong-state",
            Self::TooMany { .. } => "too-many",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}

/// A system's own sentence, fit to be kept: on one line, without its last dot, at most [`REASON_LIMIT`] characters.
pub(crate) fn reason(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    match line.char_indices().nth(REASON_LIMIT) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_of_unknown_outcome_is_looked_up_when_it_must_have_ended() {
        let system = || "odoo-de".to_owned();
        let at_work = Duration::from_secs(120);
        let again = Again::Twice { at_work };
        let errors = [
            ConnectError::NoAnswer {
                system: system(),
                waited: at_work,
                again,
            },
            ConnectError::CutOff {
                system: system(),
                again,
                source: Arc::new(std::io::Error::other("reset")),
            },
            ConnectError::Troubled {
                system: system(),
                what: "status 502".to_owned(),
                again,
            },
            ConnectError::Strange {
                system: system(),
                what: "a page".to_owned(),
                again,
            },
        ];
        for error in errors {
            let expected = NextTry::LookUpFirst { not_before: at_work };
            assert_eq!(error.next_try(), expected, "{error}");
        }
    }

    #[test]
    fn the_wait_that_a_system_names_is_passed_on_and_ten_seconds_stand_in_for_none() {
        for (wait, not_before) in [(Some(30), 30), (None, 10)] {
            let error = ConnectError::Busy {
                system: "hubspot".to_owned(),
                wait: wait.map(Duration::from_secs),
            };
            let expected = NextTry::SendAgain {
                not_before: Some(Duration::from_secs(not_before)),
            };
            assert_eq!(error.next_try(), expected);
        }
    }

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(reason("No.\n\nOperation:  read\n"), "No. Operation: read");
        let long = reason(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), REASON_LIMIT + 1);
    }

    #[test]
    fn a_refusal_names_system_record_field_and_reason() {
        let error = ConnectError::Refused {
            system: "odoo-de".to_owned(),
            model: "res.partner".to_owned(),
            external_id: "hub.c1".to_owned(),
            field: Some("parent_id".to_owned()),
            reason: reason("No matching record."),
        };
        assert_eq!(
            error.to_string(),
            "odoo-de refused res.partner `hub.c1`, field `parent_id`: No matching record"
        );
        assert_eq!(error.next_try(), NextTry::Park);
    }
}
