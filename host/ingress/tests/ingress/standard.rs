//! Calls of senders that follow Standard Webhooks.

use axum::body::Body;
use http::Request;
use standardwebhooks::Webhook;

use crate::double::{NOW_MS, STANDARD_SECRET, Site, post};

const BODY: &str =
    r#"{"type":"timesheet.approved","timestamp":"2023-09-02T12:00:00.5Z","data":{"id":"t-7"}}"#;

fn signed(id: &str, body: &str) -> Request<Body> {
    let seconds = NOW_MS / 1000;
    let signature = Webhook::new(STANDARD_SECRET)
        .unwrap()
        .sign(id, seconds, body.as_bytes())
        .unwrap();
    let mut request = post("/in/psa", body.to_owned());
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", &seconds.to_string()),
        ("webhook-signature", &signature),
    ] {
        request
            .headers_mut()
            .insert(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn an_event_is_taken_once_by_its_id() {
    let site = Site::new();
    assert!(site.send(signed("msg_1", BODY)).await.is_taken(1, 0));
    assert!(site.send(signed("msg_1", BODY)).await.is_taken(0, 1));
    assert!(site.send(signed("msg_2", BODY)).await.is_taken(1, 0));
    let message = &site.journal.messages()[0];
    assert_eq!(
        (message.event.as_str(), message.dedupe.as_str()),
        ("timesheet.approved", "msg_1")
    );
    assert_eq!(message.key, "psa/timesheet/t-7");
    assert_eq!(message.occurred_at.to_string(), "2023-09-02T12:00:00.5Z");
    assert_eq!(message.body, BODY);
}

#[tokio::test]
async fn the_object_is_where_the_options_say() {
    let options = r#"
        [systems.psa]
        kind = "standard-webhooks"
        secrets = [{ env = "STANDARD" }]
        event = "/what"
        object = "/object/kind"
        id = "/object/number"
    "#;
    let site = Site::with(options);
    let body = r#"{"what":"v1.won","object":{"kind":"deal.v1","number":12}}"#;
    assert!(site.send(signed("msg_1", body)).await.is_taken(1, 0));
    assert_eq!(site.journal.messages()[0].key, "psa/deal.v1/12");
    // what cannot be found there is kept all the same, once
    assert!(site.send(signed("msg_2", BODY)).await.is_taken(1, 0));
    assert!(site.send(signed("msg_2", BODY)).await.is_taken(0, 1));
    assert_eq!(site.journal.messages()[1].object_kind, "unknown");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_where_the_sender_sees_it() {
    let site = Site::new();
    assert!(
        site.send(signed("msg_1", "not JSON"))
            .await
            .is_problem(400, "unreadable")
    );
    assert_eq!(site.journal.len(), 0);
}

#[tokio::test]
async fn a_forged_event_is_refused() {
    let site = Site::new();
    let mut request = signed("msg_1", BODY);
    request
        .headers_mut()
        .insert("webhook-id", "msg_2".parse().unwrap());
    assert!(site.send(request).await.is_problem(401, "not-authentic"));
    assert!(
        site.send(post("/in/psa", BODY))
            .await
            .is_problem(401, "not-authentic")
    );
    assert_eq!(site.journal.len(), 0);
}
