//! Replays by order: dry ones compare and send nothing, those for real go the ordinary way, once.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use cambist_contract::{policy::Decision, stage::Stage};
use cambist_journal::{
    Event,
    replay::{Order, Replay, Revisions, Wanted},
};
use serde_json::json;

use crate::double::{Does, Pack, Site, flow_with, hangs, id, obeys, verdict};

/// As the pipeline has it; more messages than are on their way at once.
const MORE_THAN_AT_ONCE: u32 = 40;

pub(crate) fn order(wanted: Wanted, revisions: Revisions, dry: bool) -> Order {
    Order {
        wanted,
        revisions,
        dry,
        begin: Stage::Fetch,
        by: "ada".to_owned(),
        why: "the names were wrong".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Has an order carried out, and tells what came of it.
async fn carried_out(site: &Site, order: Order) -> Replay {
    let number = site.replays.order(order).await.unwrap();
    let running = site.run(2);
    let replay = over(site, number).await;
    running.stop().await;
    replay
}

pub(crate) async fn over(site: &Site, number: u64) -> Replay {
    until(site, number, Replay::is_over).await
}

pub(crate) async fn until(site: &Site, number: u64, is_so: impl Fn(&Replay) -> bool) -> Replay {
    loop {
        let replay = site.replays.replay(number).await.unwrap().unwrap();
        if is_so(&replay) {
            return replay;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// A second plugin that gives other names, and denies the second object.
fn other() -> Pack {
    Pack {
        reads: Box::new(|_| " (new)".to_owned()),
        judges: Box::new(|proposal| {
            let second = proposal
                .changes
                .iter()
                .any(|change| change.entity.name().id == "1");
            verdict(if second { Decision::Deny } else { Decision::Allow })
        }),
        ..Pack::default()
    }
}

/// Three messages that went their way on the first plugin; the second is live since. Counts what
/// the systems are asked.
async fn done_on_the_first() -> (Site, Arc<AtomicU32>) {
    let mut site = Site::with_two(Pack::default(), other());
    site.routes.flows = vec![flow_with("deals", &["judge"])];
    let asked = Arc::new(AtomicU32::new(0));
    let (fetches, delivers) = (Arc::clone(&asked), Arc::clone(&asked));
    site.systems.insert_source(
        "crm",
        Does::new(move || {
            fetches.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Ok(json!({"name": "crm"})))
        }),
    );
    site.systems.insert_target(
        "odoo",
        Does::new(move || {
            delivers.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Ok(()))
        }),
    );
    site.accept("crm", 0..3).await;
    let running = site.run(2);
    running.until_all(3, "done").await;
    running.stop().await;
    site.registry.push("map", b"2", "ada", true).unwrap();
    asked.store(0, Ordering::SeqCst);
    (site, asked)
}

async fn entries(site: &Site) -> u64 {
    site.journal.verify().await.unwrap().entries
}

pub(crate) fn resumed_by(events: &[Event], number: u64) -> usize {
    let is_by = |event: &&Event| matches!(event, Event::Resumed { order, .. } if *order == Some(number));
    events.iter().filter(is_by).count()
}

pub(crate) async fn events(site: &Site, object: u32) -> Vec<Event> {
    let found = site.journal.message(&id("crm", object)).await.unwrap().unwrap();
    found.entries.into_iter().map(|entry| entry.event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_replay_on_the_pinned_revisions_finds_nothing_and_does_nothing() {
    let (site, asked) = done_on_the_first().await;
    let before = entries(&site).await;
    let replay = carried_out(&site, order(Wanted::default(), Revisions::Pinned, true)).await;
    assert_eq!(replay.progress.messages, 3);
    assert_eq!(replay.progress.report, Default::default());
    assert_eq!(entries(&site).await, before);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_replay_on_the_live_revisions_tells_field_by_field_and_end_by_end() {
    let (site, asked) = done_on_the_first().await;
    let before = entries(&site).await;
    let replay = carried_out(&site, order(Wanted::default(), Revisions::Live, true)).await;
    let report = &replay.progress.report;
    assert_eq!(
        (replay.progress.messages, report.differ, report.end_otherwise),
        (3, 3, 1)
    );
    assert_eq!(report.ends, [("written -> denied".to_owned(), 1)].into());
    let fields: Vec<_> = report
        .fields
        .iter()
        .map(|field| (field.stage, field.path.as_str(), field.messages))
        .collect();
    let expected = [
        (Stage::Read, "[].entity.account.name", 3),
        (Stage::Write, "commands[].upsert.values.name", 2),
    ];
    assert_eq!(fields, expected);
    let differing = site.replays.differing(replay.number, 9).await.unwrap();
    let first = differing.iter().find(|it| it.message == id("crm", 0)).unwrap();
    let written = first.fields.iter().find(|it| it.stage == Stage::Write).unwrap();
    assert_eq!(written.then.as_deref(), Some(r#""\"crm\" as de""#));
    assert_eq!(written.now.as_deref(), Some(r#""\"crm\" as de (new)""#));
    assert_eq!(first.begins_at, Some(Stage::Read));

    assert_eq!(entries(&site).await, before);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_revision_stands_in_for_those_of_its_plugin() {
    let (site, _) = done_on_the_first().await;
    let subject = cambist_registry::binding::Subject {
        flow: "deals",
        region: "de",
        unit: "",
        key: "k",
    };
    let pins = site.registry.route(&[Stage::Read], subject).unwrap();
    let named = Revisions::Named(pins.revisions[&Stage::Read]);
    let dry = carried_out(&site, order(Wanted::default(), named, true)).await;
    assert_eq!(dry.progress.report.differ, 3);

    let one = Wanted {
        ids: vec![id("crm", 0)],
        ..Wanted::default()
    };
    let real = carried_out(&site, order(one, named, false)).await;
    assert_eq!(real.progress.came_to, [("written".to_owned(), 1)].into());
    let text = format!("{:?}", events(&site, 0).await.last_chunk::<6>());
    assert!(text.contains("(new)"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_for_real_goes_the_ordinary_way_and_says_who_and_why() {
    let (site, asked) = done_on_the_first().await;
    let wanted = Wanted {
        state: Some("done".to_owned()),
        ..Wanted::default()
    };
    let replay = carried_out(&site, order(wanted, Revisions::Live, false)).await;
    // the second plugin denies the second object
    let came_to = [("denied".to_owned(), 1), ("written".to_owned(), 2)];
    assert_eq!(replay.progress.came_to, came_to.into());
    assert_eq!(asked.load(Ordering::SeqCst), 3 + 2);
    for object in 0..3 {
        let events = events(&site, object).await;
        assert_eq!(resumed_by(&events, replay.number), 1);
        let resumed = events.iter().find_map(|event| match event {
            Event::Resumed { by, why, .. } => Some((by.as_str(), why.as_deref())),
            _ => None,
        });
        assert_eq!(resumed, Some(("ada", Some("the names were wrong"))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_are_on_their_way_and_a_crash_replays_none_twice() {
    let mut site = Site::new();
    site.accept("crm", 0..MORE_THAN_AT_ONCE).await;
    let running = site.run(8);
    running.until_all(MORE_THAN_AT_ONCE as usize, "done").await;
    running.stop().await;

    site.systems.insert_target("odoo", hangs());
    let all = Wanted {
        system: Some("crm".to_owned()),
        ..Wanted::default()
    };
    let number = site
        .replays
        .order(order(all, Revisions::Pinned, false))
        .await
        .unwrap();
    let running = site.run(8);
    // as many as are on their way at once
    let full = until(&site, number, |replay| replay.progress.under_way.len() == 32).await;
    assert_eq!(full.progress.messages, 32);
    running.crash();
    // as if the host had ended before it wrote how far it had come
    let lost = Default::default();
    site.replays.proceed(number, lost, Vec::new()).await.unwrap();

    site.systems.insert_target("odoo", obeys());
    let running = site.run(8);
    let replay = over(&site, number).await;
    running.stop().await;
    assert_eq!(replay.progress.messages, u64::from(MORE_THAN_AT_ONCE));
    let came_to = [("written".to_owned(), u64::from(MORE_THAN_AT_ONCE))];
    assert_eq!(replay.progress.came_to, came_to.into());
    for object in 0..MORE_THAN_AT_ONCE {
        assert_eq!(resumed_by(&events(&site, object).await, number), 1, "{object}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_behind_a_parked_one_do_not_hold_up_a_replay() {
    let site = Site::new();
    site.accept("crm", 0..1).await;
    site.accept_again("crm", 0, 7).await;
    let running = site.run(2);
    running.until_all(2, "done").await;
    running.stop().await;
    let parked = Event::Parked {
        stage: Stage::Read,
        code: "refused".to_owned(),
        reason: "it is wrong".to_owned(),
    };
    site.replay(&id("crm", 0)).await;
    let at = jiff::Timestamp::UNIX_EPOCH;
    site.journal
        .record(&id("crm", 0), at, vec![parked])
        .await
        .unwrap();

    let later = Wanted {
        ids: vec![id("crm", 7)],
        ..Wanted::default()
    };
    let replay = carried_out(&site, order(later, Revisions::Pinned, false)).await;
    let came_to = [("waits behind another of its key".to_owned(), 1)];
    assert_eq!(replay.progress.came_to, came_to.into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_order_sends_no_more() {
    let (site, asked) = done_on_the_first().await;
    let number = site
        .replays
        .order(order(Wanted::default(), Revisions::Live, false))
        .await
        .unwrap();
    site.replays.stop_replay(number, "zoe").await.unwrap();
    let dry = carried_out(&site, order(Wanted::default(), Revisions::Live, true)).await;
    assert!(dry.progress.ended_at.is_some());
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(
        site.replays
            .replay(number)
            .await
            .unwrap()
            .unwrap()
            .progress
            .messages,
        0
    );
}
