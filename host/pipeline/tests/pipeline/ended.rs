//! A host that ends in the midst of a message's work has begun an attempt, and that counts.

use cambist_connect::{ConnectError, Systems, error::Again, options::Options};
use cambist_contract::message::MessageId;
use cambist_journal::{Event, State, Status};
use serde_json::json;

use crate::double::{AT_WORK, Does, Site, id, obeys, tells};

/// A site whose systems are tried again after these waits.
fn site(waits: &[&str]) -> Site {
    let waits = waits
        .iter()
        .map(|wait| serde_json::from_value(json!(wait)).unwrap());
    let options = Options {
        waits: Some(waits.collect()),
        ..Options::default()
    };
    let mut site = Site::new();
    site.systems = Systems::new(&options, &Default::default(), None).unwrap();
    site.systems.insert_source("crm", tells(json!({"name": "Acme"})));
    site.systems.insert_target("odoo", obeys());
    site
}

/// Leaves behind what a process does that is killed while it works on a message.
fn killed(site: &Site, id: &MessageId, acting: &str) {
    std::fs::write(site.marks(), format!("{id}{acting}\n")).unwrap();
}

/// Starts a host on what was left that works on nothing, so that what changes is what it counts; and tells where a
/// message stands when that was counted.
async fn counted(site: &Site, id: &MessageId, attempts: u32) -> Status {
    let running = site.run(0);
    let status = until_tried(site, id, attempts).await;
    running.stop().await;
    status
}

/// Waits until a message was tried so often, or is parked.
async fn until_tried(site: &Site, id: &MessageId, attempts: u32) -> Status {
    let mut changed = site.journal.changed();
    loop {
        changed.mark_unchanged();
        let status = site.journal.message(id).await.unwrap().unwrap().status;
        if status.attempts == attempts || status.state.name() == "parked" {
            return status;
        }
        changed.changed().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_ends_the_host_each_time_waits_for_a_person() {
    let site = site(&["1ms", "1ms"]);
    site.accept("crm", 0..2).await;
    let (bad, other) = (id("crm", 0), id("crm", 1));
    for attempt in 1..=2 {
        killed(&site, &bad, "");
        assert_eq!(counted(&site, &bad, attempt).await.attempts, attempt);
    }
    killed(&site, &bad, "");
    let status = counted(&site, &bad, 3).await;
    let State::Parked { code, reason } = status.state else {
        unreachable!("{status:?}");
    };
    assert_eq!(code, "host-ended");
    assert!(
        reason.contains("the host ended while it worked on this"),
        "{reason}"
    );
    assert!(reason.contains("after 3 attempts"), "{reason}");
    let other = site.journal.message(&other).await.unwrap().unwrap();
    assert_eq!((other.status.state.name(), other.status.attempts), ("due", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_end_of_the_host_costs_an_attempt_and_no_more() {
    let site = site(&["1ms"]);
    site.accept("crm", 0..1).await;
    let id = id("crm", 0);
    killed(&site, &id, "");
    let (_, events) = site.bring(&id, "done").await;
    let failed = events
        .iter()
        .filter(|event| matches!(event, Event::Failed { .. }));
    assert_eq!(failed.count(), 1);
    // the mark is gone: another start counts nothing
    site.replay(&id).await;
    let (_, events) = site.bring(&id, "done").await;
    let failed = events
        .iter()
        .filter(|event| matches!(event, Event::Failed { .. }));
    assert_eq!(failed.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_the_target_may_still_be_at_is_not_looked_up_before() {
    let mut site = site(&["1h", "1ms", "1ms"]);
    let target = Does::new(|| {
        std::future::ready(Err::<(), _>(ConnectError::Troubled {
            system: "odoo".to_owned(),
            what: "HTTP 503".to_owned(),
            again: Again::Harmless,
        }))
    });
    site.systems.insert_target("odoo", target);
    site.accept("crm", 0..1).await;
    let id = id("crm", 0);
    // as far as the target, which is known from then on
    let running = site.run(1);
    until_tried(&site, &id, 1).await;
    running.stop().await;

    let waits = async |acting: &str, attempt| {
        killed(&site, &id, acting);
        let status = counted(&site, &id, attempt).await;
        let State::Due { at } = status.state else {
            unreachable!("{status:?}");
        };
        at.duration_since(status.updated_at).unsigned_abs()
    };
    // without an action under way it comes back as after any failure; half, because it is reckoned from a moment before
    // it is recorded
    assert!(waits("", 2).await < AT_WORK / 2);
    assert!(waits(" acting", 3).await > AT_WORK / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mark_of_a_message_that_has_ended_counts_nothing() {
    let site = site(&["1ms"]);
    site.accept("crm", 0..2).await;
    let (first, second) = (id("crm", 0), id("crm", 1));
    site.bring(&first, "done").await;
    killed(&site, &first, "");
    site.bring(&second, "done").await;
    let entries = site.journal.message(&first).await.unwrap().unwrap().entries;
    let last = entries.last().map(|entry| entry.event.name());
    assert_eq!(last, Some("done"));
}
