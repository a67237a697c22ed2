//! What becomes of a message by each judgement, and what is kept of a call whose stage
//! did not pass.

use cambist_contract::{
    canonical::{Change, Entity, EntityKind, EntityRef},
    plugin::{CallError, Called},
    policy::{Decision, Proposal, Verdict},
    stage::Stage,
};
use cambist_journal::{Event, State};
use jiff::Timestamp;

use crate::double::{Pack, Site, called, flow_with, id, verdict};

/// A site whose flow judges, by this.
fn judged(judges: impl Fn(&Proposal) -> Called<Verdict> + Send + Sync + 'static) -> Site {
    let mut site = Site::with(Pack {
        judges: Box::new(judges),
        ..Pack::default()
    });
    site.routes.flows = vec![flow_with("deals", &["judge"])];
    site
}

fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::name).collect()
}

/// What was kept of calls whose stage did not pass: stage, fuel and lines.
fn kept(events: &[Event]) -> Vec<(Stage, u64, usize)> {
    let kept = events.iter().filter_map(|event| match event {
        Event::Called { stage, fuel, log, .. } => Some((*stage, *fuel, log.len())),
        _ => None,
    });
    kept.collect()
}

fn renamed(change: &Change, name: &str) -> Change {
    let mut change = change.clone();
    if let Entity::Account(account) = &mut change.entity {
        account.name = Some(name.to_owned());
    }
    change
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_is_the_end_and_keeps_what_the_plugin_said() {
    let site = judged(|_| verdict(Decision::Deny));
    site.accept("crm", 0..1).await;
    let (status, events) = site.bring(&id("crm", 0), "denied").await;
    assert!(matches!(status.state, State::Denied { reason } if reason == "so it was told"));
    assert_eq!(kept(&events), [(Stage::Judge, 7, 1)]);
    assert_eq!(names(&events).last(), Some(&"denied"));
    assert!(!names(&events).contains(&"delivered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn held_is_judged_again_with_the_approval_of_who_released_it() {
    let site = judged(|proposal| {
        let approved = proposal
            .approvals
            .iter()
            .any(|it| it.role == "finance" && it.by == "ada");
        verdict(if approved {
            Decision::Allow
        } else {
            Decision::Hold("finance".to_owned())
        })
    });
    site.accept("crm", 0..1).await;
    let (_, events) = site.bring(&id("crm", 0), "held").await;
    assert_eq!(kept(&events), [(Stage::Judge, 7, 1)]);
    let released = Event::Released {
        role: "finance".to_owned(),
        by: "ada".to_owned(),
    };
    let at = Timestamp::UNIX_EPOCH;
    site.journal
        .record(&id("crm", 0), at, vec![released])
        .await
        .unwrap();
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert_eq!(
        names(&events).iter().filter(|name| **name == "delivered").count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_goes_on_by_itself_when_the_entity_is_delivered() {
    let awaited = EntityRef {
        kind: EntityKind::Account,
        system: "other".to_owned(),
        id: "5".to_owned(),
    };
    let site = judged(move |proposal| {
        let first = proposal.changes[0].entity.name();
        // it waits once: judged again, it has come
        let waits = first.system == "crm" && std::mem::take(&mut *ONCE.lock().unwrap());
        verdict(if waits {
            Decision::Wait(awaited.clone())
        } else {
            Decision::Allow
        })
    });
    static ONCE: std::sync::Mutex<bool> = std::sync::Mutex::new(true);
    site.accept("crm", 0..1).await;
    let (_, events) = site.bring(&id("crm", 0), "waiting").await;
    assert_eq!(kept(&events), [(Stage::Judge, 7, 1)]);
    site.accept("other", 5..6).await;
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert!(names(&events).contains(&"resumed"), "{:?}", names(&events));
}

#[tokio::test(flavor = "multi_thread")]
async fn amended_passes_as_policy_changed_it_and_nothing_else_may_come_in() {
    let site = judged(|proposal| {
        let change = &proposal.changes[0];
        let mut amended = renamed(change, "masked");
        if change.entity.name().id == "1"
            && let Entity::Account(account) = &mut amended.entity
        {
            account.entity.id = "stranger".to_owned();
        }
        verdict(Decision::Amend(vec![amended]))
    });
    site.accept("crm", 0..2).await;
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    let judged = events.iter().find_map(|event| match event {
        Event::Passed {
            stage: Stage::Judge,
            output,
            ..
        } => Some(output.as_str().to_owned()),
        _ => None,
    });
    let judged = judged.unwrap();
    assert!(
        judged.contains("masked") && judged.contains("\"amended\":true"),
        "{judged}"
    );
    let (status, events) = site.bring(&id("crm", 1), "parked").await;
    assert!(matches!(status.state, State::Parked { code, .. } if code == "plugin-answer"));
    assert_eq!(kept(&events), [(Stage::Judge, 7, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_is_parked_and_keeps_what_the_plugin_said_before_it() {
    let site = judged(|_| called(Err(CallError::Trapped("index out of bounds".to_owned()))));
    site.accept("crm", 0..1).await;
    let (status, events) = site.bring(&id("crm", 0), "parked").await;
    let State::Parked { code, reason } = status.state else {
        unreachable!("it is parked")
    };
    assert_eq!(code, "plugin-trapped");
    assert!(reason.contains("index out of bounds"), "{reason}");
    assert_eq!(kept(&events), [(Stage::Judge, 7, 1)]);
    let last: Vec<&str> = names(&events).into_iter().rev().take(2).collect();
    assert_eq!(last, ["parked", "called"]);
}
