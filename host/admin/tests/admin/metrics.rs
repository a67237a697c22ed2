//! What scrapers are told.

use cambist_contract::stage::Stage;
use cambist_journal::Event;

use crate::double::{PAYLOAD, Site, parked};

#[tokio::test]
async fn messages_by_state_and_the_lag_are_shown_and_described() {
    let site = Site::new();
    let _guard = metrics::set_default_local_recorder(site.recorder.as_ref());
    cambist_admin::metrics::describe();
    site.receive(4).await;
    site.record(1, vec![parked(Stage::Read)]).await;
    site.record(2, vec![Event::Done]).await;
    site.look("/api/plugins").await;

    let answer = site.look("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    for line in [
        "cambist_messages{state=\"due\"} 2",
        "cambist_messages{state=\"parked\"} 1",
        "cambist_messages{state=\"done\"} 1",
        "cambist_messages{state=\"held\"} 0",
        // number 3 was received 3 seconds after the start, and it is 60 seconds after it
        "cambist_journal_lag_seconds 57",
        "cambist_journal_up 1",
        "cambist_admin_refused_total{reason=\"unauthorized\"} 1",
    ] {
        assert!(
            answer.text.lines().any(|told| told == line),
            "{line} in\n{}",
            answer.text
        );
    }
    for name in [
        "cambist_messages",
        "cambist_journal_lag_seconds",
        "cambist_journal_up",
        "cambist_admin_refused_total",
    ] {
        assert!(answer.text.contains(&format!("# HELP {name} ")), "{name}");
    }
    assert!(!answer.text.contains(PAYLOAD));
}

#[tokio::test]
async fn a_state_that_empties_goes_to_zero_and_the_lag_with_it() {
    let site = Site::new();
    let _guard = metrics::set_default_local_recorder(site.recorder.as_ref());
    site.receive(1).await;
    let before = site.look("/metrics").await.text;
    assert!(before.contains("cambist_messages{state=\"due\"} 1"), "{before}");
    site.record(1, vec![Event::Done]).await;
    let after = site.look("/metrics").await.text;
    assert!(after.contains("cambist_messages{state=\"due\"} 0"), "{after}");
    assert!(after.contains("cambist_journal_lag_seconds 0"), "{after}");
}
