//! What goes wrong inside, and that it takes nothing else with it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use cambist_connect::{ConnectError, error::Again};
use cambist_contract::{
    canonical::EntityRef,
    digest::Digest,
    message::{Message, MessageId},
};
use cambist_journal::{
    Event, Journal, JournalError, State, Status,
    journal::{Accepted, Backlog, Cause, Claim, Counts, Filter, Known, Standing, Verified},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use crate::double::{Does, Site, id, tells};

fn trouble() -> ConnectError {
    ConnectError::Troubled {
        system: "it".to_owned(),
        what: "HTTP 503".to_owned(),
        again: Again::Harmless,
    }
}

/// Does as `then` after it was in trouble once.
fn troubled_once<T: Clone + Send + Sync + 'static>(then: T) -> Arc<Does<T>> {
    let asked = AtomicU32::new(0);
    Does::new(move || {
        let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        std::future::ready(if first { Err(trouble()) } else { Ok(then.clone()) })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_for_each_stage_also_in_one_run() {
    let mut site = Site::new();
    let waits = cambist_connect::options::Options {
        waits: Some(vec![serde_json::from_value(json!("0s")).unwrap(); 2]),
        ..Default::default()
    };
    site.systems = cambist_connect::Systems::new(&waits, &Default::default(), None).unwrap();
    site.systems
        .insert_source("crm", troubled_once(json!({"name": "Acme"})));
    site.systems.insert_target("odoo", troubled_once(()));
    site.accept("crm", 0..1).await;
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    let attempts = events.iter().filter_map(|event| match event {
        Event::Failed { attempt, .. } => Some(*attempt),
        _ => None,
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_too_deep_to_be_read_again_is_parked_and_not_written() {
    let mut site = Site::new();
    let deep = (0..126).fold(Value::Null, |inner, _| json!([inner]));
    site.systems.insert_source("crm", tells(deep));
    site.accept("crm", 0..1).await;
    let (status, events) = site.bring(&id("crm", 0), "parked").await;
    assert!(matches!(status.state, State::Parked { code, .. } if code == "too-deep"));
    assert!(events.iter().all(|event| !matches!(event, Event::Passed { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_work_panics_is_tried_again_and_keeps_nothing() {
    let mut site = Site::new();
    let asked = AtomicU32::new(0);
    let source = Does::new(move || {
        assert!(
            asked.fetch_add(1, Ordering::SeqCst) > 0,
            "the first time it panics"
        );
        std::future::ready(Ok(json!({"name": "Acme"})))
    });
    site.systems.insert_source("crm", source);
    site.accept("crm", 0..1).await;
    site.accept("other", 0..3).await;
    let running = site.run(1);
    running.until_all(4, "done").await;
    running.stop().await;
}

/// A journal that cannot be read, under load.
struct Sick {
    claims: AtomicU32,
    asked: Notify,
    changed: watch::Sender<u64>,
}

#[async_trait]
impl Journal for Sick {
    async fn claim_beside(
        &self,
        _: Timestamp,
        _: usize,
        _: &BTreeSet<Backlog>,
    ) -> Result<Vec<Claim>, JournalError> {
        self.claims.fetch_add(1, Ordering::SeqCst);
        self.asked.notify_one();
        // somebody's message has just come in
        self.changed.send_modify(|times| *times += 1);
        tokio::task::yield_now().await;
        let path = "here".to_owned();
        Err(JournalError::Full { path })
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    async fn accept(&self, _: Vec<Message>) -> Result<Vec<Accepted>, JournalError> {
        unimplemented!("is only claimed from")
    }

    fn release(&self, _: &MessageId) {
        unimplemented!("is only claimed from")
    }

    async fn put_off(&self, _: &MessageId, _: Timestamp) -> Result<(), JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn record(&self, _: &MessageId, _: Timestamp, _: Vec<Event>) -> Result<(), JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn message(&self, _: &MessageId) -> Result<Option<Claim>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn list(&self, _: Filter) -> Result<Vec<Status>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn standing(&self) -> Result<Vec<Standing>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn causes(&self) -> Result<Vec<Cause>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn touched(&self, _: &str, _: &str, _: &str, _: usize) -> Result<Vec<MessageId>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn counts(&self) -> Result<Counts, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn written(&self, _: &str, _: &[(String, String)]) -> Result<Vec<Option<Digest>>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn link(
        &self,
        _: &EntityRef,
        _: &str,
    ) -> Result<Option<cambist_contract::plugin::Link>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn records(
        &self,
        _: &str,
        _: &str,
        _: Option<&str>,
        _: usize,
    ) -> Result<Vec<String>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn known(&self, _: &str, _: &[EntityRef]) -> Result<Vec<Known>, JournalError> {
        unimplemented!("is only claimed from")
    }

    async fn verify(&self) -> Result<Verified, JournalError> {
        unimplemented!("is only claimed from")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_read_is_not_asked_again_at_every_change() {
    let mut site = Site::new();
    let sick = Arc::new(Sick {
        claims: AtomicU32::new(0),
        asked: Notify::new(),
        changed: watch::Sender::new(0),
    });
    site.journal = Arc::clone(&sick) as Arc<dyn Journal>;
    let running = site.run(1);
    for _ in 0..2 {
        sick.asked.notified().await;
    }
    running.stop().await;
    let claims = sick.claims.load(Ordering::SeqCst);
    // a loop without a pause asks some thousand times before it hears of the stop
    assert!(claims <= 3, "asked {claims} times");
}
