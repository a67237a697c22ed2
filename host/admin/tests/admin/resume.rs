//! Deciding on messages: resume and release.

use cambist_admin::answer::Decided;
use cambist_contract::{fault::Reason, stage::Stage};
use cambist_journal::{Event, Journal as _};
use serde_json::json;

use crate::double::{Site, at, message, parked, passed};

fn held(role: &str) -> Event {
    Event::Held {
        role: role.to_owned(),
        reasons: vec![Reason {
            code: "amount".to_owned(),
            text: "above the limit".to_owned(),
            basis: None,
        }],
    }
}

fn resumed(from: Stage, live: bool) -> Event {
    Event::Resumed {
        by: "zoe".to_owned(),
        from,
        live,
        why: None,
        order: None,
    }
}

#[tokio::test]
async fn a_parked_message_is_due_again_where_it_stands() {
    let site = Site::new();
    site.receive(1).await;
    site.record(
        1,
        vec![
            passed(Stage::Fetch),
            passed(Stage::Read),
            passed(Stage::Own),
            parked(Stage::Judge),
        ],
    )
    .await;
    assert!(site.due(60).await.is_empty());

    let answer = site.decide(1, "resume", json!({"by": "zoe"})).await;
    assert_eq!(answer.status, 202);
    let told: Decided = answer.read();
    assert_eq!(told.event, resumed(Stage::Judge, false));
    assert_eq!(told.status.state.name(), "due");
    assert_eq!(told.status.passed, Some(Stage::Own));
    assert_eq!(site.due(60).await, [1]);
    let entries = site
        .journal
        .message(&message(1).id)
        .await
        .unwrap()
        .unwrap()
        .entries;
    let last = entries.last().unwrap();
    assert_eq!((&last.event, last.at), (&told.event, at(60)));
}

#[tokio::test]
async fn an_ended_message_is_replayed_from_the_start_on_the_pinned_revisions() {
    let site = Site::new();
    site.receive(1).await;
    site.record(1, vec![passed(Stage::Fetch), passed(Stage::Read), Event::Done])
        .await;
    let told: Decided = site.decide(1, "resume", json!({"by": "zoe"})).await.read();
    assert_eq!(told.event, resumed(Stage::Fetch, false));
    assert_eq!(site.due(60).await, [1]);
}

#[tokio::test]
async fn an_operator_may_say_from_where_and_on_which_revisions() {
    let site = Site::new();
    site.receive(1).await;
    site.record(1, vec![passed(Stage::Fetch), Event::Done]).await;
    let body = json!({"by": "zoe", "from": "read", "live": true});
    let told: Decided = site.decide(1, "resume", body).await.read();
    assert_eq!(told.event, resumed(Stage::Read, true));
    assert_eq!(told.status.passed, Some(Stage::Fetch));
}

#[tokio::test]
async fn a_message_that_is_being_worked_on_cannot_be_resumed() {
    let site = Site::new();
    site.receive(1).await;
    assert_eq!(site.journal.claim(at(60), 1).await.unwrap().len(), 1);
    let answer = site.decide(1, "resume", json!({"by": "zoe"})).await;
    assert!(answer.is_problem(409, "out-of-turn"), "{answer:?}");
    assert_eq!(
        answer.json()["detail"],
        "it is claimed and cannot be resumed now; look at it again"
    );
    site.journal.release(&message(1).id);
    assert_eq!(site.decide(1, "resume", json!({"by": "zoe"})).await.status, 202);
}

#[tokio::test]
async fn only_the_role_that_holds_a_message_releases_it() {
    let site = Site::new();
    site.receive(2).await;
    site.record(1, vec![held("finance")]).await;
    let wrong = site
        .decide(1, "release", json!({"role": "sales", "by": "zoe"}))
        .await;
    assert!(wrong.is_problem(409, "out-of-turn"), "{wrong:?}");
    assert_eq!(site.due(60).await, [2]);

    let right = json!({"role": "finance", "by": "zoe"});
    let told: Decided = site.decide(1, "release", right.clone()).await.read();
    let released = Event::Released {
        role: "finance".to_owned(),
        by: "zoe".to_owned(),
    };
    assert_eq!((told.event, told.status.state.name()), (released, "due"));
    assert_eq!(site.due(60).await.len(), 2);

    // once is enough, and what is not held has no role
    for n in [1, 2] {
        let again = site.decide(n, "release", right.clone()).await;
        assert!(again.is_problem(409, "out-of-turn"), "{again:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_not_there_cannot_be_decided_on() {
    let site = Site::new();
    for (decision, body) in [
        ("resume", json!({"by": "zoe"})),
        ("resume", json!({"by": "zoe", "from": "read"})),
        ("release", json!({"by": "zoe", "role": "finance"})),
    ] {
        let answer = site.decide(1, decision, body).await;
        assert!(answer.is_problem(404, "unknown-message"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_meant_writes_nothing() {
    let site = Site::new();
    site.receive(1).await;
    site.record(1, vec![held("finance")]).await;
    let id = message(1).id;
    for (decision, body) in [
        ("resume", ""),
        ("resume", "[]"),
        ("resume", "{"),
        ("resume", "{}"),
        ("resume", r#"{"by": ""}"#),
        ("resume", r#"{"by": "a\nb"}"#),
        ("resume", r#"{"by": "zoe", "from": "lunch"}"#),
        ("resume", r#"{"by": "zoe", "live": "yes"}"#),
        ("resume", r#"{"by": "zoe", "form": "read"}"#),
        ("release", r#"{"by": "zoe"}"#),
        ("release", r#"{"by": "zoe", "role": " "}"#),
    ] {
        let answer = site.post(&format!("/api/messages/{id}/{decision}"), body).await;
        assert!(answer.is_problem(422, "unreadable"), "{body}: {answer:?}");
    }
    let large = format!(r#"{{"by": "{}"}}"#, "x".repeat(5_000));
    let answer = site.post(&format!("/api/messages/{id}/resume"), large).await;
    assert!(answer.is_problem(413, "too-large"), "{answer:?}");
    assert_eq!(site.journal.message(&id).await.unwrap().unwrap().entries.len(), 2);
}
