//! A backlog makes its own region wait, and nobody else's.

use std::sync::{Arc, Mutex};

use cambist_connect::{ConnectError, Target, target::DeliverError};
use cambist_contract::{
    delivery::{Effect, Receipt},
    digest::Digest,
    mapping::Command,
    stage::Stage,
};
use cambist_journal::journal::Filter;
use cambist_pipeline::Flow;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::double::{Does, Running, Site, id, tells};

/// More than go through a door and wait before it.
const BACKLOG: u32 = 400;

/// As many as wait before a door at most (`BEFORE` of `door.rs`). What comes behind them may be left where it is by then.
const BEFORE: usize = 240;

/// A target that carries out one plan for each permit, and keeps the order in which they came to it.
struct OneByOne {
    permits: Semaphore,
    order: Mutex<Vec<String>>,
}

impl OneByOne {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(0),
            order: Mutex::default(),
        })
    }

    /// Which came to be carried out so far, by their ids.
    fn order(&self) -> Vec<String> {
        self.order.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl Target for OneByOne {
    async fn deliver(&self, plan: &[Command], _: &[Option<Digest>]) -> Result<Vec<Receipt>, DeliverError> {
        self.permits.acquire().await.unwrap().forget();
        let ids = plan.iter().map(|command| command.key().to_string());
        self.order.lock().unwrap().extend(ids);
        let receipt = |command: &Command| Receipt {
            model: command.model().to_owned(),
            external_id: command.key().to_string(),
            effect: Effect::Written,
            target_id: None,
            written: None,
            stands_for: None,
            fields: Default::default(),
        };
        Ok(plan.iter().map(receipt).collect())
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// A site with a target for all regions, where `crm` is German and `other` French.
fn site() -> (Site, Arc<OneByOne>) {
    let mut site = Site::new();
    let target = OneByOne::new();
    for name in ["odoo", "odoo-fr"] {
        site.systems.insert_target(name, Arc::clone(&target) as _);
    }
    Arc::make_mut(&mut site.routes.flows[0])
        .to
        .insert("fr".to_owned(), "odoo".to_owned());
    site.systems
        .insert_source("other", tells(json!({"name": "Acme", "region": "fr"})));
    (site, target)
}

/// A flow like the first, for deals that were created, which is urgent.
fn urgent(site: &Site) -> Arc<Flow> {
    let mut urgent = Flow::clone(&site.routes.flows[0]);
    (urgent.name, urgent.urgent) = ("urgent".to_owned(), true);
    urgent.events = vec!["deal.created".to_owned()];
    Arc::new(urgent)
}

/// Waits until the door of the target is full of the backlog.
async fn the_door_is_full(site: &Site) {
    let all = Filter {
        limit: BACKLOG as usize,
        ..Filter::default()
    };
    loop {
        let found = site.journal.list(all.clone()).await.unwrap();
        let at_the_door = found.iter().filter(|it| it.passed == Some(Stage::Write));
        if at_the_door.count() >= BEFORE {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Waits until these messages are at the target's door.
async fn stands_before_the_target(site: &Site, system: &str, objects: std::ops::Range<u32>) {
    for object in objects {
        loop {
            let found = site.journal.message(&crate::double::id(system, object)).await;
            let passed = found.unwrap().unwrap().status.passed;
            if passed == Some(Stage::Write) {
                break;
            }
            // the journal tells of what is due, and this is no such thing
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

/// Lets one after the other be carried out until five with ids of four digits were, which must be long before those who stood
/// before the door when they came, 240, have had their turn.
async fn five_come_before_the_backlog_ends(running: &Running, target: &OneByOne) {
    for count in 1..200 {
        target.permits.add_permits(1);
        running.until_all(count, "done").await;
        if target.order().iter().filter(|id| id.len() == 4).count() == 5 {
            return;
        }
    }
    assert!(target.order().is_empty(), "they wait behind the backlog");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regions_backlog_at_a_target_does_not_make_another_region_wait() {
    let (site, target) = site();
    site.accept("crm", 0..BACKLOG).await;
    let running = site.run(4);
    the_door_is_full(&site).await;
    // its door is full of German messages, and its line in the journal is long
    site.accept("other", 1000..1005).await;
    stands_before_the_target(&site, "other", 1000..1005).await;
    five_come_before_the_backlog_ends(&running, &target).await;
    target.permits.add_permits(10_000);
    running.until_all(BACKLOG as usize + 5, "done").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urgent_flows_go_before_a_backlog() {
    let (mut site, target) = site();
    site.routes.flows.push(urgent(&site));
    site.accept("crm", 0..BACKLOG).await;
    let running = site.run(4);
    the_door_is_full(&site).await;
    site.accept_event("crm", "deal.created", 1000..1005).await;
    stands_before_the_target(&site, "crm", 1000..1005).await;
    five_come_before_the_backlog_ends(&running, &target).await;
    target.permits.add_permits(10_000);
    running.until_all(BACKLOG as usize + 5, "done").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urgent_flows_do_not_wait_for_a_backlog_that_nobody_has_looked_at() {
    let (mut site, target) = site();
    target.permits.add_permits(10_000);
    site.routes.flows.push(urgent(&site));
    // it tells of one object for each permit
    let looks = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&looks);
    let source = Does::new(move || {
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            Ok(json!({"name": "Acme", "region": "de"}))
        }
    });
    site.systems.insert_source("crm", source);
    site.accept("crm", 0..2 * BACKLOG).await;
    let running = site.run(4);
    looks.add_permits(20);
    running.until_all(20, "done").await;
    site.accept_event("crm", "deal.created", 1000..1005).await;
    for at in 1000..1005 {
        looks.add_permits(40);
        running.until(&id("crm", at), "done").await;
    }
    looks.add_permits(10_000);
    running.until_all(2 * BACKLOG as usize + 5, "done").await;
    running.stop().await;
}
