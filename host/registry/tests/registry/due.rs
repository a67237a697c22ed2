//! Checks that take long: what is told meanwhile, and that they hold up nobody.

use std::{fs, sync::Arc, thread, time::Duration};

use cambist_contract::{delivery::NextTry, digest::Digest};
use cambist_registry::Registry;
use serde_json::json;

use crate::double::{NOW, Site, binding, judge_of, saying};

const PLUGINS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

/// Each plugin serves a region of its name.
fn site() -> Site {
    let site = Site::new(PLUGINS.map(|plugin| binding(plugin, json!({"region": plugin}))));
    fs::create_dir_all(site.plugin("")).unwrap();
    site
}

fn put(site: &Site, plugin: &str) -> Digest {
    let bytes = saying(plugin);
    let aside = site.plugin("aside");
    fs::write(&aside, &bytes).unwrap();
    fs::rename(aside, site.plugin(&format!("{plugin}.wasm"))).unwrap();
    Digest::of(&bytes)
}

fn checking(registry: &Registry, plugin: &str) -> Option<String> {
    registry.plugin_status(plugin).checking
}

#[test]
fn of_many_files_at_once_each_says_that_it_is_checked_or_behind_how_many_it_waits() {
    let site = site();
    let registry = site.open();
    let components = PLUGINS.map(|plugin| put(&site, plugin));
    let held = site.loader.hold();
    thread::scope(|scope| {
        // within, so that it ends with a test that fails
        let held = held;
        scope.spawn(|| registry.refresh(NOW));
        // some begin, and each of the others has a place behind these
        let expected = |checked: usize| {
            let waits = |before| format!("waits for its check, {before} before it");
            let checked_ones = std::iter::repeat_n("is being checked".to_owned(), checked);
            checked_ones
                .chain((checked..PLUGINS.len()).map(waits))
                .collect::<Vec<_>>()
        };
        let is_told = || {
            let told = PLUGINS.iter().filter_map(|plugin| checking(&registry, plugin));
            let mut words: Vec<_> = told
                .filter_map(|text| {
                    text.split_once(' ')?
                        .1
                        .split_once(' ')
                        .map(|(_, words)| words.to_owned())
                })
                .collect();
            words.sort();
            (2..=4).any(|checked| words == expected(checked))
        };
        while !is_told() {
            thread::yield_now();
        }
        // it is no verdict yet, and no message is parked for it
        let status = registry.plugin_status("g");
        assert_eq!((status.seen, status.live), (None, None));
        let error = judge_of(&registry, "g", "").unwrap_err();
        assert_eq!(
            error.next_try(),
            NextTry::SendAgain { not_before: None },
            "{error}"
        );
        drop(held);
    });
    for (plugin, component) in PLUGINS.into_iter().zip(components) {
        let status = registry.plugin_status(plugin);
        assert_eq!((status.seen, status.live), (Some(component), Some(component)));
        assert_eq!((status.checking, status.refused), (None, None));
    }
}

#[tokio::test]
async fn a_file_that_comes_while_another_is_checked_is_seen_and_a_stop_waits_for_what_is_under_way() {
    let site = site();
    let registry = Arc::new(site.open());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let watching = tokio::spawn(cambist_registry::watch::watch(
        Arc::clone(&registry),
        || NOW,
        stopped,
    ));
    let held = site.loader.hold();
    for plugin in PLUGINS {
        put(&site, plugin);
        while checking(&registry, plugin).is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    stop.send(true).unwrap();
    // for it to be heard, before a check ends and the next one begins
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!watching.is_finished());
    drop(held);
    watching.await.unwrap().unwrap();
    let live = PLUGINS
        .iter()
        .filter(|plugin| registry.plugin_status(plugin).live.is_some());
    assert!((2..PLUGINS.len()).contains(&live.count()));
}

#[test]
fn what_waits_for_its_check_while_the_live_one_is_killed_waits_for_a_person() {
    let site = site();
    let registry = site.open();
    put(&site, "a");
    registry.refresh(NOW);
    // larger than the others, so that it is not among the first
    let bytes = saying("another");
    let aside = site.plugin("aside");
    fs::write(&aside, &bytes).unwrap();
    fs::rename(aside, site.plugin("a.wasm")).unwrap();
    for plugin in PLUGINS.into_iter().skip(1) {
        put(&site, plugin);
    }
    let held = site.loader.hold();
    thread::scope(|scope| {
        let held = held;
        scope.spawn(|| registry.refresh(NOW));
        while !checking(&registry, "a").is_some_and(|told| told.contains("waits for its check")) {
            thread::yield_now();
        }
        registry.kill("a", None, "b.keller", "wrong totals").unwrap();
        drop(held);
    });
    let status = registry.plugin_status("a");
    assert_eq!((status.live, status.waits), (None, Some(Digest::of(&bytes))));
    let why = status.refused.unwrap();
    assert!(
        why.contains("was taken out while it was checked: wrong totals"),
        "{why}"
    );
}

#[test]
fn a_file_that_changes_before_its_check_is_checked_as_it_is_then() {
    let site = site();
    let registry = site.open();
    let file = site.plugin("a.wasm");
    // `b` is smaller, and so its check goes first
    let (late, early) = (format!("{}  ", "a".repeat(90)), site.plugin("b.wasm"));
    fs::write(&early, saying("b")).unwrap();
    fs::write(&file, saying(&late)).unwrap();
    let other = saying(&"x".repeat(120));
    let (moved, bytes) = (file.clone(), other.clone());
    site.loader.meanwhile(move || fs::write(moved, bytes).unwrap());
    registry.refresh(NOW);
    registry.refresh(NOW);
    assert_eq!(registry.plugin_status("a").live, Some(Digest::of(&other)));
}

#[test]
fn a_check_that_panics_is_told_and_made_again() {
    let site = site();
    let registry = site.open();
    let a = put(&site, "a");
    site.loader.meanwhile(|| unreachable!("on purpose"));
    let [status] = registry.refresh(NOW).try_into().unwrap();
    let why = status.refused.unwrap();
    assert!(why.starts_with("its check ended early"), "{why}");
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!((status.live, status.refused), (Some(a), None));
}
