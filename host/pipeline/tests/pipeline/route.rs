//! Where a message goes: decided once, and again only where that was asked for.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use cambist_contract::{message::UNKNOWN_KIND, stage::Stage};
use cambist_journal::{Event, State};
use cambist_pipeline::options::RegionOf;
use serde_json::json;

use crate::double::{Does, Site, flow, id, message, tells};

fn resumed(from: Stage, live: bool) -> Event {
    let by = "ada".to_owned();
    Event::Resumed {
        by,
        from,
        live,
        why: None,
        order: None,
    }
}

/// How often each stage was passed.
fn passed(events: &[Event], wanted: Stage) -> usize {
    let passed = |event: &&Event| matches!(event, Event::Passed { stage, .. } if *stage == wanted);
    events.iter().filter(passed).count()
}

fn regions(events: &[Event]) -> Vec<&str> {
    let routed = events.iter().filter_map(|event| match event {
        Event::Routed { region, .. } => Some(region.as_str()),
        _ => None,
    });
    routed.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_flow_left_the_config_is_parked_and_not_ignored() {
    let mut site = Site::new();
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    site.journal
        .record(
            &id("crm", 0),
            jiff::Timestamp::UNIX_EPOCH,
            vec![resumed(Stage::Write, false)],
        )
        .await
        .unwrap();

    site.routes.flows = vec![flow("renamed")];
    let (status, _) = site.bring(&id("crm", 0), "parked").await;
    let State::Parked { code, reason } = status.state else {
        unreachable!("it is parked")
    };
    assert_eq!(code, "no-route");
    assert!(
        reason.contains("`deals`") && reason.contains("put it back"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_ingress_could_not_read_is_parked_though_a_flow_lists_its_name() {
    let site = Site::new();
    let unknown = message("crm", UNKNOWN_KIND, 1);
    site.journal.accept(vec![unknown.clone()]).await.unwrap();
    let (status, _) = site.bring(&unknown.id, "parked").await;
    let State::Parked { code, reason } = status.state else {
        unreachable!("it is parked")
    };
    assert_eq!(code, "unreadable");
    assert!(
        reason.contains(unknown.id.as_str()) && reason.contains("sent again"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_resume_behind_fetch_does_not_read_the_object_again() {
    let mut site = Site::new();
    let reads = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&reads);
    let source = Does::new(move || {
        // in France ever after
        let region = if count.fetch_add(1, Ordering::SeqCst) == 0 {
            "de"
        } else {
            "fr"
        };
        std::future::ready(Ok(json!({"name": "Acme", "region": region})))
    });
    site.systems.insert_source("crm", source);
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    site.registry.offer("map", b"2", jiff::Timestamp::UNIX_EPOCH);
    let at = jiff::Timestamp::UNIX_EPOCH;
    site.journal
        .record(&id("crm", 0), at, vec![resumed(Stage::Write, true)])
        .await
        .unwrap();
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert_eq!(reads.load(Ordering::SeqCst), 1);
    assert_eq!(regions(&events), ["de", "de"], "the same way, on other revisions");
    assert_eq!(
        (passed(&events, Stage::Read), passed(&events, Stage::Write)),
        (1, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_resume_into_another_region_makes_everything_there_again() {
    let mut site = Site::new();
    site.systems
        .insert_source("crm", tells(json!({"name": "Acme", "home": "fr"})));
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    let at = jiff::Timestamp::UNIX_EPOCH;
    site.journal
        .record(&id("crm", 0), at, vec![resumed(Stage::Write, true)])
        .await
        .unwrap();

    // the object has not changed; where it names its region has
    let elsewhere: RegionOf = serde_json::from_value(json!({"pointer": "/home"})).unwrap();
    site.routes.region_of.insert("crm".to_owned(), elsewhere);
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert_eq!(regions(&events), ["de", "fr"]);
    assert_eq!(
        (passed(&events, Stage::Fetch), passed(&events, Stage::Read)),
        (1, 2)
    );
    let last = events.iter().rev().find_map(|event| match event {
        Event::Passed {
            stage: Stage::Own,
            output,
            ..
        } => Some(output.as_str().to_owned()),
        _ => None,
    });
    assert!(
        last.unwrap().contains("as fr"),
        "what was read for `de` does not count"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resume_from_fetch_stays_on_its_revisions_unless_it_is_live() {
    let site = Site::new();
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    site.registry.offer("map", b"2", jiff::Timestamp::UNIX_EPOCH);
    let mut pins = Vec::new();
    for live in [false, true] {
        let at = jiff::Timestamp::UNIX_EPOCH;
        site.journal
            .record(&id("crm", 0), at, vec![resumed(Stage::Fetch, live)])
            .await
            .unwrap();
        let (_, events) = site.bring(&id("crm", 0), "done").await;
        pins = events
            .into_iter()
            .filter_map(|event| match event {
                Event::Routed { pins, .. } => Some(pins),
                _ => None,
            })
            .collect();
    }
    assert_eq!(pins.len(), 3);
    assert_eq!(pins[0], pins[1]);
    assert_ne!(pins[1], pins[2]);
}
