//! What ingress counts: every metric, its labels and its meaning.
//!
//! The label `system` has the names in the config, and [`UNKNOWN_SYSTEM`] for every
//! other, so that nobody outside can make new series.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

/// The label of calls that name no system in the config. No system may have it.
pub const UNKNOWN_SYSTEM: &str = "unknown";

/// Events of authentic calls that the journal has, duplicates included.
const RECEIVED: &str = "cambist_received_total";
/// Events of those that were there before.
const DUPLICATES: &str = "cambist_duplicates_total";
/// Calls that were not taken, by reason.
const REJECTED: &str = "cambist_rejected_total";
/// Seconds from a call's headers to its answer.
const SECONDS: &str = "cambist_ingress_seconds";

/// Tells the recorder what each metric means. Once, after it is installed.
pub fn describe() {
    describe_counter!(
        RECEIVED,
        Unit::Count,
        "Events made durable, duplicates included, by system"
    );
    describe_counter!(
        DUPLICATES,
        Unit::Count,
        "Events that had been received before, by system"
    );
    describe_counter!(
        REJECTED,
        Unit::Count,
        "Calls that were not taken, by system and reason"
    );
    describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "Time from a call's headers to its answer, by system"
    );
}

pub(crate) fn taken(system: &str, events: usize, duplicates: usize) {
    counter!(RECEIVED, "system" => system.to_owned()).increment(events as u64);
    counter!(DUPLICATES, "system" => system.to_owned()).increment(duplicates as u64);
}

pub(crate) fn rejected(system: &str, reason: &'static str) {
    counter!(REJECTED, "system" => system.to_owned(), "reason" => reason).increment(1);
}

pub(crate) fn answered(system: &str, after: Duration) {
    histogram!(SECONDS, "system" => system.to_owned()).record(after);
}
