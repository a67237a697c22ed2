//! Work that waits for a person: told by cause, retried, skipped, edited.

use cambist_admin::answer::{Decided, MessageStory, Parked, Retried};
use cambist_contract::{fault::Reason, stage::Stage};
use cambist_journal::{Event, Journal as _};
use serde_json::{Value, json};

use crate::double::{Answer, Site, message, parked, passed, routed};

fn parked_for(stage: Stage, code: &str) -> Event {
    Event::Parked {
        stage,
        code: code.to_owned(),
        reason: format!("why it is {code}"),
    }
}

fn held() -> Event {
    Event::Held {
        role: "finance".to_owned(),
        reasons: vec![Reason {
            code: "amount".to_owned(),
            text: "above the limit".to_owned(),
            basis: None,
        }],
    }
}

fn made(stage: Stage, output: &Value) -> Event {
    Event::Passed {
        stage,
        output: output.into(),
        took_us: 12,
        fuel: None,
        log: Vec::new(),
        links: Vec::new(),
    }
}

/// A deal of a customer, as `read` makes it.
fn changes() -> Value {
    let name = |kind: &str| json!({"kind": kind, "system": "crm", "id": "1"});
    let change =
        |entity: Value| json!({"entity": entity, "kind": "upsert", "changed-at": "2026-01-01T00:00:00Z"});
    json!([
        change(json!({"account": {"ref": name("account"), "name": "Kunde", "legal-name": "Kunde GmbH"}})),
        change(json!({"opportunity": {"ref": name("opportunity"), "amount": "2050.00", "currency": "EUR"}})),
    ])
}

async fn act(site: &Site, n: i64, what: &str, body: Value) -> Answer {
    let path = format!("/api/parked/{}/{what}", message(n).id);
    site.post(&path, body.to_string()).await
}

async fn retry(site: &Site, body: Value) -> Retried {
    let answer = site.post("/api/parked/retry", body.to_string()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.read()
}

/// The state of message number `n`, and the names of what happened.
async fn story(site: &Site, n: i64) -> MessageStory {
    site.get(&format!("/api/messages/{}", message(n).id)).await.read()
}

#[tokio::test]
async fn what_waits_is_told_by_cause_with_the_way_out() {
    let site = Site::new();
    site.receive(5).await;
    site.record(1, vec![parked_for(Stage::Write, "refused")]).await;
    site.record(2, vec![parked_for(Stage::Write, "refused")]).await;
    site.record(3, vec![held()]).await;
    site.record(4, vec![Event::Done]).await;
    let told: Parked = site.get("/api/parked").await.read();
    let causes: Vec<_> = told
        .causes
        .iter()
        .map(|cause| (cause.code.as_str(), cause.stage, cause.messages, &cause.example))
        .collect();
    assert_eq!(
        causes,
        [
            ("refused", Stage::Write, 2, &message(1).id),
            ("held", Stage::Judge, 1, &message(3).id)
        ]
    );
    assert_eq!(told.causes[0].reason, "why it is refused");
    assert_eq!(told.causes[0].oldest, message(1).received_at);
    assert!(told.causes[1].way_out.contains("cambist release"), "{told:?}");
    assert!(told.messages.is_empty() && told.next_before.is_none());
}

#[tokio::test]
async fn messages_of_a_cause_are_told_with_customer_and_amount_where_known() {
    let site = Site::new();
    site.receive(4).await;
    let name = json!({"kind": "contract", "system": "crm", "id": "1"});
    let assessed = json!([{"ref": name, "currency": "EUR", "lines": [], "net": "2050.00", "tax": "389.50",
        "gross": "2439.50", "payable": "2439.50"}]);
    let read = made(Stage::Read, &changes());
    site.record(1, vec![parked(Stage::Read)]).await;
    site.record(2, vec![routed("won", "de"), read.clone(), parked(Stage::Judge)])
        .await;
    let judged = json!({"changes": changes(), "reasons": [], "amended": false});
    site.record(
        3,
        vec![
            routed("won", "in"),
            made(Stage::Judge, &judged),
            made(Stage::Tax, &assessed),
            parked(Stage::Write),
        ],
    )
    .await;
    // what was known of another input does not count
    site.record(
        4,
        vec![
            read,
            parked(Stage::Judge),
            Event::Resumed {
                by: "zoe".to_owned(),
                from: Stage::Fetch,
                live: false,
                why: None,
                order: None,
            },
            Event::edited("zoe", "it was wrong", json!({}).into()),
            parked(Stage::Read),
        ],
    )
    .await;
    let told: Parked = site.get("/api/parked?code=refused").await.read();
    let known: Vec<_> = told
        .messages
        .iter()
        .map(|it| {
            let amount = it.amount.as_ref();
            let amount = amount.map(|it| format!("{} {} {}", it.amount, it.currency, it.of));
            (it.status.arrival, it.stage, it.customer.as_deref(), amount)
        })
        .collect();
    let worth = |text: &str| Some(text.to_owned());
    assert_eq!(
        known,
        [
            (4, Stage::Read, None, None),
            (
                3,
                Stage::Write,
                Some("Kunde GmbH"),
                worth("2439.50 EUR assessment")
            ),
            (
                2,
                Stage::Judge,
                Some("Kunde GmbH"),
                worth("2050.00 EUR opportunity")
            ),
            (1, Stage::Read, None, None),
        ]
    );
    assert_eq!(told.messages[0].edits, ["edited by zoe: it was wrong"]);
    assert_eq!(told.messages[1].reason, "no such country");

    let first: Parked = site.get("/api/parked?code=refused&limit=3").await.read();
    let next = format!("/api/parked?code=refused&before={}", first.next_before.unwrap());
    let second: Parked = site.get(&next).await.read();
    assert_eq!((first.messages.len(), second.messages.len()), (3, 1));
    let german: Parked = site.get("/api/parked?code=refused&region=de").await.read();
    assert_eq!(german.messages.len(), 1);
    for query in ["limit=0", "limit=201", "before=x", "cod=refused"] {
        let answer = site.get(&format!("/api/parked?{query}")).await;
        assert!(answer.is_problem(422, "unreadable"), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_skipped_message_ends_with_who_and_why_and_the_next_of_its_key_goes_on() {
    let site = Site::new();
    let mut next = message(2);
    next.key = message(1).key;
    site.journal.accept(vec![message(1), next]).await.unwrap();
    site.record(1, vec![passed(Stage::Fetch), parked(Stage::Read)])
        .await;
    assert_eq!(site.due(60).await, Vec::<i64>::new());
    let answer = act(&site, 1, "skip", json!({"by": "zoe", "reason": "a test deal"})).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let told: Decided = answer.read();
    assert_eq!(told.event, Event::skipped("zoe", "a test deal"));
    assert_eq!(told.status.state.name(), "ignored");
    assert_eq!(site.due(60).await, [2]);
    let events: Vec<_> = story(&site, 1).await.entries;
    let resumed = &events[events.len() - 2].event;
    assert!(
        matches!(resumed, Event::Resumed { by, from: Stage::Read, live: false, why: None, order: None } if by == "zoe"),
        "{resumed:?}"
    );
    site.journal.verify().await.unwrap();
}

#[tokio::test]
async fn only_what_rests_is_skipped_or_edited() {
    let site = Site::new();
    site.receive(5).await;
    site.record(1, vec![Event::Done]).await;
    site.record(2, vec![held()]).await;
    let skip = json!({"by": "zoe", "reason": "a test"});
    let edit = json!({"by": "zoe", "reason": "a test", "body": {}});
    for (n, state) in [(1, "done"), (3, "due")] {
        for (what, body) in [("skip", &skip), ("edit", &edit)] {
            let answer = act(&site, n, what, body.clone()).await;
            assert!(answer.is_problem(409, "out-of-turn"), "{answer:?}");
            assert!(
                answer.text.contains(&format!("it is {state} and cannot be")),
                "{answer:?}"
            );
        }
    }
    // ended once, it is not skipped again
    assert_eq!(act(&site, 2, "skip", skip.clone()).await.status, 202);
    assert!(
        act(&site, 2, "skip", skip.clone())
            .await
            .is_problem(409, "out-of-turn")
    );
    for (what, body) in [("skip", skip), ("edit", edit)] {
        let answer = act(&site, 9, what, body).await;
        assert!(answer.is_problem(404, "unknown-message"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_edit_keeps_the_original_and_every_digit_and_the_object_it_is_about() {
    let site = Site::new();
    site.receive(1).await;
    site.record(
        1,
        vec![passed(Stage::Fetch), passed(Stage::Read), parked(Stage::Own)],
    )
    .await;
    let body = r#"{"amount": 9007199254740993.10000000000000000001, "name": "Größe"}"#;
    let call = format!(r#"{{"by": "zoe", "reason": "the amount was wrong", "body": {body}}}"#);
    let answer = site
        .post(&format!("/api/parked/{}/edit", message(1).id), call)
        .await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let told: Decided = answer.read();
    assert_eq!(
        (told.status.state.name(), told.status.passed),
        ("due", Some(Stage::Fetch))
    );
    let entries = site
        .journal
        .message(&message(1).id)
        .await
        .unwrap()
        .unwrap()
        .entries;
    let inputs: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            event @ Event::Passed {
                stage: Stage::Fetch,
                output,
                ..
            } => Some((event.edit(), output.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(inputs[0].0, None);
    assert_eq!(inputs[1].0, Some("edited by zoe: the amount was wrong"));
    assert!(inputs[1].1.contains(body), "{}", inputs[1].1);
    let inbound: cambist_contract::mapping::Inbound = serde_json::from_str(inputs[1].1).unwrap();
    assert_eq!(
        (
            inbound.system.as_str(),
            inbound.object_kind.as_str(),
            inbound.object_id.as_str()
        ),
        ("crm", "deal", "1")
    );
    assert_eq!(site.due(60).await, [1]);
    site.journal.verify().await.unwrap();
}

#[tokio::test]
async fn an_input_that_cannot_be_one_writes_nothing() {
    let site = Site::new();
    site.receive(1).await;
    site.record(1, vec![parked(Stage::Read)]).await;
    let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({"a": inner}));
    for body in [
        json!({"by": "zoe", "reason": "r", "body": "text"}),
        json!({"by": "zoe", "reason": "r", "body": [1]}),
        json!({"by": "zoe", "reason": "r"}),
        json!({"by": "zoe", "reason": " ", "body": {}}),
        json!({"by": "", "reason": "r", "body": {}}),
        json!({"by": "zoe", "reason": "r", "body": {}, "object-id": "7"}),
        json!({"by": "zoe", "reason": "r", "body": nested(119)}),
    ] {
        let answer = act(&site, 1, "edit", body).await;
        assert!(answer.is_problem(422, "unreadable"), "{answer:?}");
    }
    let large = json!({"by": "zoe", "reason": "r", "body": {"a": "x".repeat(8 << 20)}});
    assert!(act(&site, 1, "edit", large).await.is_problem(413, "too-large"));
    assert_eq!(story(&site, 1).await.entries.len(), 2);
    let deepest = json!({"by": "zoe", "reason": "r", "body": nested(118)});
    assert_eq!(act(&site, 1, "edit", deepest).await.status, 202);
    // and it can be read again
    assert_eq!(story(&site, 1).await.entries.len(), 4);
}

#[tokio::test]
async fn all_of_a_cause_are_retried_each_as_a_decision_of_its_own() {
    let site = Site::new();
    site.receive(6).await;
    for (n, region) in [(1, "de"), (2, "de"), (3, "fr")] {
        site.record(
            n,
            vec![
                routed("won", region),
                passed(Stage::Write),
                parked_for(Stage::Deliver, "attempts-spent"),
            ],
        )
        .await;
    }
    site.record(4, vec![parked_for(Stage::Read, "invalid")]).await;
    site.record(5, vec![Event::Done]).await;
    let body = json!({"code": "attempts-spent", "region": "de", "by": "zoe", "live": true});
    let told = retry(&site, body.clone()).await;
    assert_eq!(told.retried, [message(2).id, message(1).id]);
    assert!(told.refused.is_empty() && told.next_before.is_none());
    for n in [1, 2] {
        let last = story(&site, n).await.entries.pop().unwrap();
        let resumed = Event::Resumed {
            by: "zoe".to_owned(),
            from: Stage::Deliver,
            live: true,
            why: None,
            order: None,
        };
        assert_eq!(last.event, resumed);
    }
    assert!(retry(&site, body).await.retried.is_empty());
    assert_eq!(site.due(60).await, [6, 1, 2]);
}

#[tokio::test]
async fn those_that_cannot_be_retried_are_told_with_the_reason_and_the_others_go_on() {
    let site = Site::new();
    site.receive(3).await;
    site.record(1, vec![Event::Done]).await;
    site.record(2, vec![parked(Stage::Read)]).await;
    assert_eq!(
        site.journal.claim(crate::double::at(60), 9).await.unwrap().len(),
        1
    );
    let ids = [message(1).id, message(2).id, message(3).id].map(|id| id.to_string());
    let told = retry(
        &site,
        json!({"ids": [ids[0], ids[1], ids[2], "nobody"], "by": "zoe"}),
    )
    .await;
    assert_eq!(told.retried, [message(2).id]);
    let reasons: Vec<_> = told
        .refused
        .iter()
        .map(|it| (it.id.as_str(), it.reason.as_str()))
        .collect();
    assert_eq!(reasons.len(), 3);
    assert!(
        reasons[0].0 == ids[0] && reasons[0].1.contains("done"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].0 == ids[2] && reasons[1].1.contains("claimed"),
        "{reasons:?}"
    );
    assert!(
        reasons[2].0 == "nobody" && reasons[2].1.contains("no message"),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn a_retry_of_many_takes_a_hundred_at_once_and_says_where_to_go_on() {
    let site = Site::new();
    site.receive(130).await;
    for n in 1..=130 {
        site.record(n, vec![parked(Stage::Read)]).await;
    }
    let first = retry(&site, json!({"code": "refused", "by": "zoe"})).await;
    assert_eq!((first.retried.len(), first.next_before), (100, Some(31)));
    // one is parked again meanwhile, and is not taken a second time
    site.record(120, vec![parked(Stage::Read)]).await;
    let rest = json!({"code": "refused", "by": "zoe", "before": first.next_before});
    let second = retry(&site, rest).await;
    assert_eq!((second.retried.len(), second.next_before), (30, None));
    let left: Parked = site.get("/api/parked").await.read();
    assert_eq!(left.causes[0].messages, 1);
}

#[tokio::test]
async fn a_retry_that_cannot_be_meant_is_refused() {
    let site = Site::new();
    site.receive(1).await;
    site.record(1, vec![parked(Stage::Read)]).await;
    let id = message(1).id;
    let many = vec!["x"; 101];
    for body in [
        json!({"by": "zoe"}),
        json!({"by": "zoe", "ids": []}),
        json!({"by": "zoe", "ids": [id], "code": "refused"}),
        json!({"by": "zoe", "ids": [id], "region": "de"}),
        json!({"by": "zoe", "ids": many}),
        json!({"by": " ", "ids": [id]}),
        json!({"by": "zoe", "code": "refused", "all": true}),
    ] {
        let answer = site.post("/api/parked/retry", body.to_string()).await;
        assert!(answer.is_problem(422, "unreadable"), "{body}: {answer:?}");
    }
    assert_eq!(story(&site, 1).await.entries.len(), 2);
}
