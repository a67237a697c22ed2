//! Erasing what is there about somebody.

use cambist_admin::answer::{Erasing, MessageStory, Verification};
use cambist_contract::stage::Stage;
use cambist_journal::{
    Event,
    erasure::{Erased, Extent},
};
use serde_json::{Value, json};

use crate::double::{PAYLOAD, Site, message, parked, passed};

fn body(more: Value) -> String {
    let mut body = json!({"by": "ada", "reason": "she asked for it", "request": "DSR-12"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

async fn erase(site: &Site, more: Value) -> Erasing {
    let answer = site.post("/api/journal/erase", body(more)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.read()
}

fn became(erasing: &Erasing) -> Vec<Erased> {
    erasing.messages.iter().map(|message| message.became).collect()
}

#[tokio::test]
async fn a_dry_erasure_shows_what_would_go_and_leaves_it() {
    let site = Site::new();
    site.receive(2).await;
    site.record(1, vec![passed(Stage::Fetch), Event::Done]).await;
    let shown = erase(&site, json!({"texts": [PAYLOAD], "dry": true})).await;
    assert!(shown.dry && !shown.forgotten);
    assert_eq!(became(&shown), [Erased::Now, Erased::Open]);
    let story = site.get(&format!("/api/messages/{}", message(1).id)).await;
    assert!(story.text.contains(PAYLOAD));
}

#[tokio::test]
async fn what_has_not_ended_stays_and_says_so_until_it_is_ended() {
    let site = Site::new();
    site.receive(2).await;
    site.record(1, vec![passed(Stage::Fetch), parked(Stage::Read)])
        .await;
    let ids = json!([message(1).id, message(2).id]);
    let first = erase(&site, json!({"messages": ids})).await;
    assert_eq!(became(&first), [Erased::Open, Erased::Open]);
}

#[tokio::test]
async fn an_erased_message_is_told_and_takes_no_decision() {
    let site = Site::new();
    site.receive(1).await;
    site.record(1, vec![passed(Stage::Fetch), parked(Stage::Read)])
        .await;
    let gone = erase(&site, json!({"messages": [message(1).id], "end": true})).await;
    assert_eq!(became(&gone), [Erased::Now]);
    assert!(gone.forgotten);
    let told = site.get(&format!("/api/messages/{}", message(1).id)).await;
    assert!(!told.text.contains(PAYLOAD), "{}", told.text);
    let story: MessageStory = told.read();
    assert_eq!(story.status.erased, Some(Extent::All));
    assert!(matches!(
        &story.entries.last().unwrap().event,
        Event::Erased { ground, .. } if ground.by == "ada" && ground.request.as_deref() == Some("DSR-12")
    ));
    for decision in ["resume", "release"] {
        let role = if decision == "release" {
            json!("finance")
        } else {
            Value::Null
        };
        let mut body = json!({"by": "ada", "role": role});
        if role.is_null() {
            body = json!({"by": "ada"});
        }
        let answer = site.decide(1, decision, body).await;
        assert!(answer.is_problem(409, "out-of-turn"), "{}", answer.text);
        assert!(answer.text.contains("erased"), "{}", answer.text);
    }
    // the decision as a whole is a message that has ended, and names nobody
    let listed = site.get("/api/messages").await;
    assert!(listed.text.contains(r#""system":"operator""#), "{}", listed.text);
    let verified: Verification = site.get("/api/journal/verify").await.read();
    assert_eq!(verified.entries, 3 + 2 + 1 + 2);
}

#[tokio::test]
async fn an_erasure_says_what_and_on_what_ground() {
    let site = Site::new();
    site.receive(1).await;
    for wrong in [
        json!({}),
        json!({"texts": ["abc"]}),
        json!({"objects": ["contact/7"]}),
        json!({"objects": ["crm:7"]}),
        json!({"messages": [message(1).id], "reason": " "}),
        json!({"messages": [message(1).id], "by": ""}),
        json!({"messages": [message(1).id], "extent": "half"}),
    ] {
        let answer = site.post("/api/journal/erase", body(wrong)).await;
        assert!(answer.is_problem(422, "unreadable"), "{}", answer.text);
    }
    let nobody = body(json!({"messages": ["nobody"]}));
    let answer = site.post("/api/journal/erase", nobody).await;
    assert!(answer.is_problem(404, "unknown-message"), "{}", answer.text);
}
