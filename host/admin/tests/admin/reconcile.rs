//! Both sides compared because somebody asks.

use cambist_journal::{Reports as _, reports::Report};
use http::StatusCode;
use serde_json::json;

use crate::double::{Site, at};

#[tokio::test]
async fn what_is_asked_for_is_compared_and_told() {
    let site = Site::new();
    let body = json!({"flow": "deals", "region": "de"});
    let answer = site.post("/api/reconcile", body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({"reports": [{"flow": "deals", "region": "de"}]})
    );
}

#[tokio::test]
async fn what_is_not_compared_and_a_system_that_is_silent_are_told_apart() {
    let site = Site::new();
    let answer = site
        .post("/api/reconcile", json!({"flow": "nobody"}).to_string())
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("nothing is compared"), "{}", answer.text);
    let answer = site
        .post("/api/reconcile", json!({"flow": "dead"}).to_string())
        .await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.text.contains("does not answer"), "{}", answer.text);
}

#[tokio::test]
async fn what_the_last_comparison_came_to_is_told() {
    let site = Site::new();
    assert_eq!(site.get("/api/reconcile").await.json(), json!({"reports": []}));
    let report = Report {
        flow: "deals".to_owned(),
        region: "de".to_owned(),
        period: "2026-10".to_owned(),
        at: at(7),
        text: json!({"flow": "deals", "differing": []}).to_string(),
    };
    site.journal.keep_reports(vec![report]).await.unwrap();
    let answer = site.get("/api/reconcile").await;
    assert_eq!(
        answer.json(),
        json!({"reports": [{"flow": "deals", "differing": []}]})
    );
}
