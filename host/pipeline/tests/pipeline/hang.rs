//! A system that never answers keeps its own messages, and nobody else's.

use crate::double::{Site, hangs, id};

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
    site.routes.flows[0].from.push("odoo".to_owned());
    site.accept("odoo", 0..50).await;
    site.accept("crm", 0..5).await;
    let running = site.run(1);
    running.until(&id("crm", 4), "done").await;
    running.until_all(5, "done").await;
    running.crash();
}
