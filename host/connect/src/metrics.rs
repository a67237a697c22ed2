//! What connectors count: every call of a system, by the system's name in the config.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

/// Calls of systems, by system and outcome.
const CALLS: &str = "cambist_calls_total";
/// How long they took, by system.
const SECONDS: &str = "cambist_call_seconds";

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
}

/// A call ended.
pub(crate) fn called(system: &str, outcome: &'static str, took: Duration) {
    counter!(CALLS, "system" => system.to_owned(), "outcome" => outcome).increment(1);
    histogram!(SECONDS, "system" => system.to_owned()).record(took);
}
