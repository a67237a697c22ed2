//! What is counted.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::report::Report;

const DIFFERENCES: &str = "cambist_reconcile_differences";
const UNDER_WAY: &str = "cambist_reconcile_under_way";
const AT: &str = "cambist_reconcile_timestamp_seconds";
const FAILED: &str = "cambist_reconcile_failures_total";

/// Describes them to the recorder.
pub fn describe() {
    describe_gauge!(
        DIFFERENCES,
        "What differed between the two sides of a region's month when they were compared last."
    );
    describe_gauge!(UNDER_WAY, "What differed then and was on its way.");
    describe_gauge!(AT, "When the two sides of a region were compared last.");
    describe_counter!(FAILED, "Comparisons that did not come to an end, by flow.");
}

/// Months that a report is told of as: the newest one, and all before it.
pub(crate) fn compared(report: &Report, is_newest: bool) {
    let month = if is_newest { "this" } else { "before" };
    let labels = [
        ("flow", report.flow.clone()),
        ("region", report.region.clone()),
        ("month", month.to_owned()),
    ];
    gauge!(DIFFERENCES, &labels).set(approximately(report.differ()));
    gauge!(UNDER_WAY, &labels).set(approximately(report.under_way.len() as u64));
    let labels = [("flow", report.flow.clone()), ("region", report.region.clone())];
    gauge!(AT, &labels).set(approximately(report.at.as_second().unsigned_abs()));
}

pub(crate) fn failed(flow: &str) {
    counter!(FAILED, "flow" => flow.to_owned()).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "what a gauge holds; exact up to 2^53")]
fn approximately(count: u64) -> f64 {
    count as f64
}
