//! Looking at messages.

use cambist_admin::answer::{MessageStory, Messages};
use cambist_contract::stage::Stage;
use cambist_journal::Event;

use crate::double::{Answer, PAYLOAD, Site, message, parked, passed, routed};

/// The objects' numbers of a page.
fn numbers(answer: &Answer) -> Vec<i64> {
    let page: Messages = answer.read();
    page.messages
        .iter()
        .map(|status| status.object.trim_start_matches("deal/").parse().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    let site = Site::new();
    site.receive(5).await;
    let mut path = "/api/messages?limit=2".to_owned();
    let mut seen = Vec::new();
    let mut pages = 0;
    loop {
        let answer = site.get(&path).await;
        seen.extend(numbers(&answer));
        pages += 1;
        let Some(before) = answer.read::<Messages>().next_before else {
            break;
        };
        path = format!("/api/messages?limit=2&before={before}");
    }
    assert_eq!((seen, pages), (vec![5, 4, 3, 2, 1], 3));
    // a page that is exactly full and the last says so
    let whole: Messages = site.get("/api/messages?limit=5").await.read();
    assert_eq!((whole.messages.len(), whole.next_before), (5, None));
}

#[tokio::test]
async fn messages_are_found_by_state_flow_and_region() {
    let site = Site::new();
    site.receive(4).await;
    site.record(1, vec![routed("won", "de"), parked(Stage::Read)])
        .await;
    site.record(2, vec![routed("won", "in"), Event::Done]).await;
    site.record(3, vec![routed("lost", "de"), Event::Done]).await;
    for (query, found) in [
        ("", vec![4, 3, 2, 1]),
        ("?state=parked", vec![1]),
        ("?state=done", vec![3, 2]),
        ("?flow=won", vec![2, 1]),
        ("?region=de", vec![3, 1]),
        ("?region=de&flow=won&state=parked", vec![1]),
        ("?region=fr", vec![]),
        ("?state=done&before=3", vec![2]),
    ] {
        let answer = site.get(&format!("/api/messages{query}")).await;
        assert_eq!(numbers(&answer), found, "{query}");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_meant_is_refused() {
    let site = Site::new();
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "before=x",
        "state=stuck",
        "stat=done",
    ] {
        let answer = site.get(&format!("/api/messages?{query}")).await;
        assert!(answer.is_problem(422, "unreadable"), "{query}: {answer:?}");
    }
    let answer = site.get("/api/messages?state=stuck").await.json();
    assert_eq!(
        answer["detail"],
        "the query: `state` is one of due, parked, held, waiting, ignored, denied, done"
    );
}

#[tokio::test]
async fn a_message_is_told_with_its_payload_and_all_that_happened() {
    let site = Site::new();
    site.receive(1).await;
    site.record(
        1,
        vec![passed(Stage::Fetch), routed("won", "de"), parked(Stage::Read)],
    )
    .await;
    let answer = site.get(&format!("/api/messages/{}", message(1).id)).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let told: MessageStory = answer.read();
    assert_eq!(told.message, message(1));
    assert!(told.message.body.contains(PAYLOAD));
    assert_eq!(told.status.state.name(), "parked");
    let names: Vec<_> = told.entries.iter().map(|entry| entry.event.name()).collect();
    assert_eq!(names, ["received", "passed", "routed", "parked"]);
}

#[tokio::test]
async fn a_message_that_is_not_there_is_404_whatever_its_name() {
    let site = Site::new();
    for id in ["nobody", "%20", "%ff", "a%2Fb", "%00"] {
        let answer = site.get(&format!("/api/messages/{id}")).await;
        assert!(answer.is_problem(404, "unknown-message"), "{id}: {answer:?}");
    }
}
