//! Watching: a file that appears becomes live by itself. How soon is not asserted,
//! only that it does and that a quiet folder is left alone.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use cambist_contract::digest::Digest;
use serde_json::json;

use crate::double::{NOW, Site, binding, live, saying};

#[tokio::test]
async fn a_file_that_appears_becomes_live_and_looking_at_it_is_no_change() {
    let site = Site::new([binding("deal-desk", json!({}))]);
    let registry = Arc::new(site.open());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let looks = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&looks);
    let now = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        NOW
    };
    let watching = tokio::spawn(cambist_registry::watch::watch(
        Arc::clone(&registry),
        now,
        stopped,
    ));
    fs::write(site.plugin("deal-desk.wasm"), saying("yes")).unwrap();
    while live(&registry).is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Looks that the write itself brought end soon; a watch that wakes itself would
    // look five times in each of these seconds.
    let before = looks.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = looks.load(Ordering::SeqCst);
    assert!(after - before <= 3, "{before} looks, then {after}");

    stop.send(true).unwrap();
    watching.await.unwrap().unwrap();
}

/// Events tell of the folder alone; this is found by looking.
#[tokio::test]
async fn what_a_link_leads_to_is_looked_at_every_second() {
    let site = Site::new([binding("deal-desk", json!({}))]);
    let registry = Arc::new(site.open());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let target = site.plugin("../release");
    fs::write(&target, saying("one")).unwrap();
    std::os::unix::fs::symlink(&target, site.plugin("deal-desk.wasm")).unwrap();
    let watching = tokio::spawn(cambist_registry::watch::watch(
        Arc::clone(&registry),
        || NOW,
        stopped,
    ));
    let is_live = async |says: &str| {
        while live(&registry) != Some(Digest::of(&saying(says))) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    is_live("one").await;
    fs::write(&target, saying("two")).unwrap();
    // well before the ten seconds after which any folder is looked at
    tokio::time::timeout(Duration::from_secs(8), is_live("two"))
        .await
        .unwrap();
    stop.send(true).unwrap();
    watching.await.unwrap().unwrap();
}
