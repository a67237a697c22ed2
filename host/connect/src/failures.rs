//! The table of failures, `failures.txt`: for each that can happen, whether it is sent again, looked up first or parked, and
//! what the system's line makes of it.
//!
//! It is written out anew from the code and compared as a whole, so an error without a row, a row of Odoo's answers that none
//! follows from, or another consequence than the table's fails,
//! and shows what the table would have to be.

use std::{collections::BTreeSet, fmt::Write as _, num::NonZeroU32, sync::Arc, time::Duration};

use cambist_contract::{delivery::NextTry, secret::Secret};

use crate::{
    ConnectError,
    breaker::Terms,
    error::{Again, WrongState},
    http::{self, Answer},
    hubspot::client::HubSpotClient,
    line::{Bounds, Line, Sign},
    odoo::{
        OdooClient,
        answer::{self, Fault, HIDDEN, RULES},
        client::{About, Kind},
    },
    options::Options,
};

const TABLE: &str = include_str!("failures.txt");

/// How long a call of the samples is given.
const GIVEN: Duration = Duration::from_secs(120);

const TWICE: Again = Again::Twice { at_work: GIVEN };

fn far() -> String {
    "far".to_owned()
}

/// Every error of a code, once for each thing that what follows depends on.
fn samples(code: &str) -> Vec<(&'static str, ConnectError)> {
    let (system, text) = (far, String::new);
    let both = |make: &dyn Fn(Again) -> ConnectError| {
        vec![
            ("to repeat does no harm", make(Again::Harmless)),
            ("would be done twice", make(TWICE)),
        ]
    };
    let one = |error| vec![("", error)];
    match code {
        "unreachable" => one(ConnectError::Unreachable {
            system: system(),
            authority: text(),
            source: Arc::new(std::io::Error::other("")),
        }),
        "no-answer" => both(&|again| ConnectError::NoAnswer {
            system: system(),
            waited: GIVEN,
            again,
        }),
        "cut-off" => both(&|again| ConnectError::CutOff {
            system: system(),
            again,
            source: Arc::new(std::io::Error::other("")),
        }),
        "busy" => [
            ("names no wait", None),
            ("names 30s", Some(Duration::from_secs(30))),
        ]
        .map(|(case, wait)| {
            (
                case,
                ConnectError::Busy {
                    system: system(),
                    wait,
                },
            )
        })
        .into(),
        "left-alone" => one(ConnectError::LeftAlone {
            system: system(),
            wait: Duration::from_secs(30),
        }),
        "contended" => one(ConnectError::Contended {
            system: system(),
            model: text(),
        }),
        "troubled" => both(&|again| ConnectError::Troubled {
            system: system(),
            what: text(),
            again,
        }),
        "strange-answer" => both(&|again| ConnectError::Strange {
            system: system(),
            what: text(),
            again,
        }),
        "too-large" => one(ConnectError::TooLarge {
            system: system(),
            limit: 1,
        }),
        "key-refused" => one(ConnectError::KeyRefused { system: system() }),
        "not-allowed" => one(ConnectError::NotAllowed {
            system: system(),
            reason: text(),
        }),
        "no-database" => one(ConnectError::NoDatabase { system: system() }),
        "gone" => one(ConnectError::Gone {
            system: system(),
            what: text(),
        }),
        "refused" => one(ConnectError::Refused {
            system: system(),
            model: text(),
            external_id: text(),
            field: None,
            reason: text(),
        }),
        "misfit" => one(ConnectError::Misfit {
            system: system(),
            model: text(),
            reason: text(),
        }),
        "wrong-state" => one(ConnectError::WrongState(Box::new(WrongState {
            system: system(),
            model: text(),
            external_id: text(),
            action: text(),
            from: text(),
            to: text(),
            found: text(),
            difference: String::new(),
        }))),
        "too-many" => one(ConnectError::TooMany {
            system: system(),
            what: text(),
            kind: text(),
        }),
        "unsupported" => one(ConnectError::Unsupported {
            system: system(),
            kind: text(),
        }),
        other => unreachable!("`{other}` has no sample here, and so no row in failures.txt"),
    }
}

/// The codes of all errors, as `ConnectError::code` has them.
fn codes() -> Vec<&'static str> {
    let source = include_str!("error.rs");
    let code = source.split_once("pub fn code(").unwrap().1;
    let code = code.split_once("\n    }\n").unwrap().0;
    code.lines()
        .filter_map(|line| line.split_once("=> \"")?.1.split_once('"'))
        .map(|(code, _)| code)
        .collect()
}

fn then(error: &ConnectError) -> String {
    match error.next_try() {
        NextTry::SendAgain { not_before: None } => "send again".to_owned(),
        NextTry::SendAgain {
            not_before: Some(wait),
        } => format!("send again after {}s", wait.as_secs()),
        NextTry::LookUpFirst { not_before } => format!("look up after {}s", not_before.as_secs()),
        NextTry::Park => "park".to_owned(),
    }
}

/// What it says of the system.
fn sign(error: &ConnectError) -> &'static str {
    match Sign::of(error) {
        None => "nothing",
        Some(Sign::Well) => "well",
        Some(Sign::Strained) => "strained",
        Some(Sign::Busy(_)) => "busy",
        Some(Sign::Silent) => "silent",
        Some(Sign::Troubled) => "troubled",
    }
}

fn parts() -> (http::Client, Secret, Line) {
    let bounds = Bounds {
        at_once: NonZeroU32::MIN,
        rate: None,
        breaker: Terms::default(),
    };
    let key = Secret::parse("hunter2").unwrap();
    (http::Client::new(None).unwrap(), key, Line::new("far", bounds))
}

fn odoo() -> OdooClient {
    let text = "[systems.far]\nkind = \"odoo\"\naddress = \"http://127.0.0.1\"\ndatabase = \"d\"\nkey = { env = \"K\" }";
    let options: Options = toml::from_str(text).unwrap();
    let Some(crate::options::System::Odoo(options)) = options.systems.get("far") else {
        unreachable!("it is one")
    };
    let (client, key, line) = parts();
    crate::odoo::connect(client, "far", options, &key, line).unwrap()
}

/// What follows from a fault of Odoo: its code, then for writes, then for actions that must not be done twice.
fn of_fault(client: &OdooClient, fault: &Fault) -> String {
    let about = About {
        model: "m",
        external_id: "x",
    };
    let [write, act] = [Kind::Write, Kind::Act].map(|kind| client.error(fault.clone(), about, kind));
    format!("{} | {} | {}", write.code(), then(&write), then(&act))
}

fn answer(status: u16, is_json: bool) -> Answer {
    Answer {
        status,
        is_json,
        retry_after: None,
        body: b"?".to_vec(),
    }
}

fn form(is_json: bool) -> &'static str {
    if is_json { "JSON" } else { "no JSON" }
}

/// The whole table, as the code has it.
fn table() -> String {
    let mut table = String::from(
        "# What is done after each failure. A test writes this table out from the code and compares it (failures.rs).\n",
    );
    table.push_str("\n# Every error: code | case | what is done | what it says of the system\n");
    for code in codes() {
        for (case, error) in samples(code) {
            assert_eq!(error.code(), code);
            writeln!(table, "{code} | {case} | {} | {}", then(&error), sign(&error)).unwrap();
        }
    }
    let client = odoo();
    table.push_str(
        "\n# Odoo, by exception: name | its message has | code | after a write | after an action\n",
    );
    for rule in RULES {
        let fault = answer::meaning(500, rule.name, rule.says);
        writeln!(
            table,
            "{} | {} | {}",
            rule.name,
            rule.says,
            of_fault(&client, &fault)
        )
        .unwrap();
    }
    let unknown = answer::meaning(500, "somebody.elses.Error", "");
    writeln!(table, "any other | | {}", of_fault(&client, &unknown)).unwrap();
    table
        .push_str("\n# Odoo, of a row of `load`: its message has | code | after a write | after an action\n");
    for (text, _) in HIDDEN {
        let fault = answer::passing_in_load(text).unwrap();
        writeln!(table, "{text} | {}", of_fault(&client, &fault)).unwrap();
    }
    table.push_str("\n# Odoo, by status alone: status | form | code | after a write | after an action\n");
    for status in [200, 302, 400, 404, 413, 415, 429, 500, 502, 503, 504] {
        for is_json in [true, false] {
            let fault = answer::read(&answer(status, is_json)).unwrap_err();
            writeln!(
                table,
                "{status} | {} | {}",
                form(is_json),
                of_fault(&client, &fault)
            )
            .unwrap();
        }
    }
    let (client, key, line) = parts();
    let hubspot = HubSpotClient::new(
        client,
        "far",
        "http://127.0.0.1".parse().unwrap(),
        &key,
        GIVEN,
        line,
    )
    .unwrap();
    table.push_str("\n# HubSpot, by status: status | form | code | what is done\n");
    for status in [
        200, 207, 302, 400, 401, 403, 404, 409, 414, 423, 429, 477, 500, 502, 503, 504, 521, 524,
    ] {
        for is_json in [true, false] {
            let error = hubspot.meaning(&answer(status, is_json), "it").unwrap_err();
            writeln!(
                table,
                "{status} | {} | {} | {}",
                form(is_json),
                error.code(),
                then(&error)
            )
            .unwrap();
        }
    }
    table
}

#[test]
fn what_follows_from_each_failure_is_what_the_table_says() {
    let table = table();
    let another = table
        .lines()
        .zip(TABLE.lines())
        .find(|(line, expected)| line != expected);
    assert!(
        table == TABLE,
        "{another:?} differ, or its length; by the code failures.txt would be:\n{table}"
    );
}

#[test]
fn every_code_is_one_errors_alone() {
    let codes = codes();
    assert!(codes.len() >= 17, "{codes:?}");
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
}

#[test]
fn no_row_of_odoos_exceptions_stands_in_the_shadow_of_an_earlier_one() {
    for (at, rule) in RULES.iter().enumerate() {
        let mut earlier = RULES.iter().take(at);
        let shadow =
            earlier.find(|earlier| rule.name.starts_with(earlier.name) && rule.says.contains(earlier.says));
        assert!(shadow.is_none(), "{} | {} is never reached", rule.name, rule.says);
    }
}
