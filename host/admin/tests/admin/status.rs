//! How the host stands, on one page.

use cambist_contract::stage::Stage;
use cambist_journal::Event;
use serde_json::json;

use crate::double::{Site, parked};

#[tokio::test]
async fn what_is_left_rests_and_is_left_alone_is_on_one_page() {
    let site = Site::new();
    site.receive(4).await;
    site.record(1, vec![parked(Stage::Read)]).await;
    site.record(2, vec![Event::Done]).await;

    let answer = site.get("/api/status").await;
    assert_eq!(answer.status, 200);
    let told = answer.json();
    let expected = json!({"due": 2, "resting": 1, "ended": 1, "ended-per-minute": 0});
    for (name, count) in expected.as_object().unwrap() {
        assert_eq!(told[name], *count, "{name}");
    }
    assert!(
        told.get("seconds-left").is_none(),
        "nobody knows yet how fast it goes"
    );
    assert_eq!(told["backlogs"][0]["system"], "crm");
    assert_eq!(told["backlogs"][0]["due"], 2);
    assert_eq!(
        told["systems"],
        json!([{"system": "odoo", "state": "left-alone", "seconds": 7, "at-once": 1, "at-once-most": 2}])
    );
    assert_eq!(told["parked"][0]["messages"], 1);
    assert!(told["journal"].get("trouble").is_none());
    assert!(told["journal"].get("oldest-due").is_some());
}

#[tokio::test]
async fn scrapers_are_told_of_each_backlog() {
    let site = Site::new();
    let _guard = metrics::set_default_local_recorder(site.recorder.as_ref());
    site.receive(2).await;
    let text = site.look("/metrics").await.text;
    for line in [
        "cambist_backlog_messages{flow=\"\",of=\"crm\"} 2",
        "cambist_backlog_seconds_left{flow=\"\",of=\"crm\"} -1",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in\n{text}");
    }
}
