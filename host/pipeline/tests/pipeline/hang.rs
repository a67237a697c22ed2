//! A system that never answers keeps its own messages, and nobody else's.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use cambist_contract::{canonical::Change, policy::Decision};

use cambist_pipeline::Flow;

use crate::double::{Pack, Site, flow_with, hangs, id, verdict};

/// More than go through a door, wait before it and have a slot, together.
const BACKLOG: u32 = 400;

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_hangs_keeps_no_other_sources_messages() {
    let mut site = Site::new();
    site.systems.insert_source("crm", hangs());
    site.accept("crm", 0..BACKLOG).await;
    site.accept("other", 0..5).await;
    let running = site.run(2);
    running.until_all(5, "done").await;
    // nor do they when they come later
    site.accept("other", 5..10).await;
    running.until_all(10, "done").await;
    running.until_all(BACKLOG as usize, "due").await;
    site.journal.verify().await.unwrap();
    running.crash();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_hangs_keeps_no_other_targets_messages() {
    let mut site = Site::new();
    let french = serde_json::json!({"name": "Acme", "region": "fr"});
    site.systems.insert_source("crm", crate::double::tells(french));
    site.systems.insert_target("odoo-fr", hangs());
    site.accept("crm", 0..BACKLOG).await;
    site.accept("other", 0..5).await;
    let running = site.run(2);
    running.until_all(5, "done").await;
    site.accept("other", 5..10).await;
    running.until_all(10, "done").await;
    running.until_all(BACKLOG as usize, "due").await;
    running.crash();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_on_both_sides_is_written_to_while_reading_it_hangs() {
    let mut site = Site::new();
    site.systems.insert_source("odoo", hangs());
    Arc::make_mut(&mut site.routes.flows[0])
        .from
        .push("odoo".to_owned());
    site.accept("odoo", 0..50).await;
    site.accept("crm", 0..5).await;
    let running = site.run(1);
    running.until(&id("crm", 4), "done").await;
    running.until_all(5, "done").await;
    running.crash();
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_calls_run_at_once_as_may_and_never_more() {
    const AT_ONCE: usize = 3;
    // each call waits for the others of its turn: fewer at once would wait for ever
    let (turn, running) = (Barrier::new(AT_ONCE), Arc::new(AtomicUsize::new(0)));
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let site = Site::with(Pack {
        reads: Box::new(move |_| {
            seen.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            turn.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            String::new()
        }),
        ..Pack::default()
    });
    site.accept("crm", 0..12).await;
    let running = site.run(AT_ONCE);
    running.until_all(12, "done").await;
    running.stop().await;
    assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_whose_plugin_computes_for_ever_keeps_no_other_flows_messages() {
    // each call for a deal of the backlog waits until the test has seen enough
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let is_over = std::sync::Mutex::new(is_over);
    let mut site = Site::with(Pack {
        judges: Box::new(move |proposal| {
            let id = |it: &Change| it.entity.name().id.parse().unwrap_or(0);
            if proposal.changes.iter().any(|it| id(it) < BACKLOG) {
                let _ = is_over.lock().unwrap().recv();
            }
            verdict(Decision::Allow)
        }),
        ..Pack::default()
    });
    site.routes.flows = vec![flow_with("deals", &["judge"])];
    // the other flow is from the same source
    let mut other = Flow::clone(&site.routes.flows[0]);
    (other.name, other.events) = ("others".to_owned(), vec!["deal.created".to_owned()]);
    site.routes.flows.push(Arc::new(other));
    let others = |count: u32| BACKLOG + count;
    site.accept("crm", 0..BACKLOG).await;
    site.accept_event("crm", "deal.created", others(0)..others(5))
        .await;
    let running = site.run(4);
    running.until_all(5, "done").await;
    // nor do they when they come later
    site.accept_event("crm", "deal.created", others(5)..others(10))
        .await;
    running.until_all(10, "done").await;
    running.until_all(BACKLOG as usize, "due").await;
    drop(over);
    running.crash();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_flows_calls_so_many_compute_at_once_as_have_a_turn() {
    const AT_ONCE: usize = 2;
    let (turn, running) = (Barrier::new(AT_ONCE), Arc::new(AtomicUsize::new(0)));
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let site = Site::with(Pack {
        reads: Box::new(move |_| {
            seen.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            turn.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            String::new()
        }),
        ..Pack::default()
    });
    site.accept("crm", 0..12).await;
    let running = site.run_with(8, AT_ONCE);
    running.until_all(12, "done").await;
    running.stop().await;
    assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
}
