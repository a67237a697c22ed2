//! A system in trouble is left alone: its messages wait, and nothing is counted against them.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use cambist_connect::{
    ConnectError,
    breaker::Terms,
    error::Again,
    line::{Bounds, Line},
};
use cambist_journal::{Event, journal::Filter};
use serde_json::json;

use crate::double::{Does, Site, id};

/// More than go through a door and wait before it.
const BACKLOG: usize = 400;

fn line(wait: &str) -> Line {
    let terms = json!({"wait": wait, "longest-wait": "1h"});
    let bounds = Bounds {
        at_once: NonZeroU32::MIN,
        rate: None,
        breaker: serde_json::from_value::<Terms>(terms).unwrap(),
    };
    Line::new("odoo", bounds)
}

/// A target behind a line that is in trouble until the line leaves it alone, and counts its failures.
fn mended_by_rest(line: &Line, failed: &Arc<AtomicUsize>) -> Arc<Does<()>> {
    let (line, failed) = (line.clone(), Arc::clone(failed));
    let mended = Arc::new(AtomicBool::new(false));
    Does::new(move || {
        let (line, failed, mended) = (line.clone(), Arc::clone(&failed), Arc::clone(&mended));
        async move {
            let turn = line.turn().await;
            if mended.load(Ordering::SeqCst) {
                turn.end(&Ok::<_, ConnectError>(()));
                return Ok(());
            }
            failed.fetch_add(1, Ordering::SeqCst);
            let result = Err(ConnectError::Troubled {
                system: "odoo".to_owned(),
                what: "status 503".to_owned(),
                again: Again::Harmless,
            });
            turn.end(&result);
            mended.store(line.pass(Instant::now()).is_err(), Ordering::SeqCst);
            result
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_system_in_trouble_loses_no_attempt_and_is_delivered_when_it_is_back() {
    let mut site = Site::new();
    let (line, failed) = (line("100ms"), Arc::new(AtomicUsize::new(0)));
    // one that failed is tried again when the test has long ended
    let waits = cambist_connect::options::Options {
        waits: Some(vec![serde_json::from_value(json!("1h")).unwrap()]),
        ..Default::default()
    };
    let mut systems = cambist_connect::Systems::new(&waits, &Default::default(), None).unwrap();
    systems.insert_source("crm", crate::double::tells(json!({"name": "Acme"})));
    systems.insert_target("odoo", mended_by_rest(&line, &failed));
    systems.insert_line("odoo", line);
    site.systems = systems;
    site.accept("crm", 0..BACKLOG as u32).await;
    let running = site.run(4);
    // five open it; up to sixteen had gone through the door by then
    running.until_all(BACKLOG - 22, "done").await;
    let failed = failed.load(Ordering::SeqCst);
    assert!((5..=22).contains(&failed), "{failed}");
    running.until_all(BACKLOG - failed, "done").await;
    running.stop().await;
    let mut attempts = 0;
    for object in 0..BACKLOG as u32 {
        let found = site.journal.message(&id("crm", object)).await.unwrap().unwrap();
        let events = found.entries.iter().map(|entry| &entry.event);
        let of_this = events
            .filter(|event| matches!(event, Event::Failed { .. }))
            .count();
        let due = found.status.state.name() == "due";
        assert_eq!(
            of_this,
            usize::from(due),
            "only who was refused has an entry of it"
        );
        attempts += of_this;
    }
    assert_eq!(attempts, failed);
    site.journal.verify().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_in_trouble_keeps_no_other_systems_messages() {
    let mut site = Site::new();
    let (line, failed) = (line("1h"), Arc::new(AtomicUsize::new(0)));
    site.systems
        .insert_target("odoo-fr", mended_by_rest(&line, &failed));
    site.systems.insert_line("odoo-fr", line);
    let french = json!({"name": "Acme", "region": "fr"});
    site.systems.insert_source("crm", crate::double::tells(french));
    site.accept("crm", 0..BACKLOG as u32).await;
    site.accept("other", 0..5).await;
    let running = site.run(2);
    running.until_all(5, "done").await;
    running.stop().await;
    let due = Filter {
        state: Some("due".to_owned()),
        limit: BACKLOG,
        ..Filter::default()
    };
    // but for those who were behind its door when it was left alone, and found it mended
    assert!(site.journal.list(due).await.unwrap().len() >= BACKLOG - 2);
}
