//! What connectors count, by the system's name in the config: every call of it, and how much is asked of it.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::breaker::Change;

/// Calls of systems, by system and outcome.
const CALLS: &str = "cambist_calls_total";
/// How long they took, by system.
const SECONDS: &str = "cambist_call_seconds";
/// Rows that went in one call, by system.
const ROWS: &str = "cambist_load_rows";
/// Whether systems are asked.
const BREAKER: &str = "cambist_breaker_state";
/// How many may be at them.
const AT_ONCE: &str = "cambist_system_at_once";

/// Tells the recorder what each metric means. Once, after it is installed.
pub fn describe() {
    describe_counter!(
        CALLS,
        Unit::Count,
        "Calls of systems, by system and outcome: 2xx, 4xx, 5xx, or what kept an answer from coming"
    );
    describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "Time of a call, answer included, by system"
    );
    describe_histogram!(
        ROWS,
        Unit::Count,
        "Rows that plans wrote together in one call, by system"
    );
    describe_gauge!(
        BREAKER,
        "Whether a system is asked: 0 it is, 1 it is tried by one message at a time, 2 it is left alone"
    );
    describe_gauge!(
        AT_ONCE,
        "Reads, or steps of plans, that may be at a system at once now, by system"
    );
}

/// A call ended.
pub(crate) fn called(system: &str, outcome: &'static str, took: Duration) {
    counter!(CALLS, "system" => system.to_owned(), "outcome" => outcome).increment(1);
    histogram!(SECONDS, "system" => system.to_owned()).record(took);
}

/// So many rows of plans go in one call.
pub(crate) fn loaded(system: &str, rows: usize) {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    histogram!(ROWS, "system" => system.to_owned()).record(rows);
}

/// A system's breaker has come to be this.
pub(crate) fn breaker(system: &str, change: Change) {
    let state = match change {
        Change::Closed => 0,
        Change::Tries => 1,
        Change::Opened { .. } => 2,
    };
    gauge!(BREAKER, "system" => system.to_owned()).set(state);
}

/// So many may be at a system at once now.
pub(crate) fn at_once(system: &str, number: u32) {
    gauge!(AT_ONCE, "system" => system.to_owned()).set(number);
}
