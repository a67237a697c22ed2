//! For scrapers: what was counted, with what is only known by asking; and what
//! admin itself counts.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use cambist_journal::{
    JournalError,
    journal::{Backlog, Counts},
};
use http::header;
use jiff::Timestamp;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::{Admin, api::messages::STATES, health::JOURNAL_TIME, progress::Pace, refusal::Refusal};

/// Messages by state.
const MESSAGES: &str = "cambist_messages";
/// Messages that wait behind one of their key that rests.
const BEHIND: &str = "cambist_messages_behind";
/// Seconds since the receipt of the message that has been due the longest.
const LAG: &str = "cambist_journal_lag_seconds";
/// Messages that are due, by flow and region.
const BACKLOG: &str = "cambist_backlog_messages";
/// Messages that end in a minute, by flow and region.
const PER_MINUTE: &str = "cambist_backlog_ended_per_minute";
/// Seconds until what is due has ended, by flow and region.
const SECONDS_LEFT: &str = "cambist_backlog_seconds_left";
/// 1 when the journal answered this scrape, 0 when not.
const UP: &str = "cambist_journal_up";
/// Calls to the API that were refused for their token, by reason.
const REFUSED: &str = "cambist_admin_refused_total";

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Tells the recorder what each metric means. Once, after it is installed.
pub fn describe() {
    describe_gauge!(MESSAGES, Unit::Count, "Messages in the journal, by state");
    describe_gauge!(
        BEHIND,
        Unit::Count,
        "Messages that are due and wait behind one of their key that is parked, held or waiting"
    );
    describe_gauge!(
        LAG,
        Unit::Seconds,
        "Time since the message that has been due the longest was received"
    );
    describe_gauge!(
        BACKLOG,
        Unit::Count,
        "Messages that are due, by flow and region; without a flow those of a system that are not looked at yet"
    );
    describe_gauge!(
        PER_MINUTE,
        Unit::Count,
        "Messages that end in a minute, at the rate of the last one"
    );
    describe_gauge!(
        SECONDS_LEFT,
        Unit::Seconds,
        "Time until what is due has ended at that rate; -1 where nothing ended in the last minute"
    );
    describe_gauge!(
        UP,
        Unit::Count,
        "1 when the journal answered this scrape; at 0 the gauges of messages and lag are old"
    );
    describe_counter!(
        REFUSED,
        Unit::Count,
        "Calls to the API refused for their token, by reason"
    );
}

/// `GET /metrics`. Answers without the journal too: what was counted says why it
/// does not answer.
pub(crate) async fn render(State(admin): State<Arc<Admin>>) -> Response {
    let asked = async { Ok((admin.journal.counts().await?, admin.journal.standing().await?)) };
    match tokio::time::timeout(JOURNAL_TIME, asked).await {
        Ok(Ok((counts, standing))) => {
            let now = (admin.clock)();
            show(&counts, now);
            for standing in &standing {
                backlog(&standing.backlog, admin.progress.of(standing, now));
            }
            gauge!(UP).set(1.0);
        }
        Ok(Err(error)) => {
            let error: JournalError = error;
            tracing::error!("the journal could not be counted: {error}");
            gauge!(UP).set(0.0);
        }
        Err(_) => {
            tracing::error!("the journal could not be counted in time");
            gauge!(UP).set(0.0);
        }
    }
    ([(header::CONTENT_TYPE, TEXT)], admin.metrics.render()).into_response()
}

/// Every state is shown, also one that no message is in: a series that ends would
/// keep its last value in graphs.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge, and counts are far below 2^53"
)]
fn show(counts: &Counts, now: Timestamp) {
    for state in STATES {
        let count = counts.by_state.get(state).copied().unwrap_or_default();
        gauge!(MESSAGES, "state" => state).set(count as f64);
    }
    gauge!(BEHIND).set(counts.behind as f64);
    let lag = counts
        .oldest_due
        .map(|since| now.duration_since(since).as_secs_f64().max(0.0));
    gauge!(LAG).set(lag.unwrap_or_default());
}

/// What is left of a backlog. One that has come to its end stays, at zero.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge, and counts are far below 2^53"
)]
fn backlog(backlog: &Backlog, pace: Pace) {
    let flow = backlog.flow.clone().unwrap_or_default();
    let labels = [("flow", flow), ("of", backlog.of.clone())];
    gauge!(BACKLOG, &labels).set(pace.due as f64);
    gauge!(PER_MINUTE, &labels).set(pace.per_minute as f64);
    let left = pace.seconds_left().map_or(-1.0, |seconds| seconds as f64);
    gauge!(SECONDS_LEFT, &labels).set(left);
}

/// Counts a call that was refused for its token.
pub(crate) fn refused(refusal: &Refusal) {
    counter!(REFUSED, "reason" => refusal.problem().code).increment(1);
}
