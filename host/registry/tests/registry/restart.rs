//! A host that starts again: what was live is live, whatever stands in the folder.

use std::fs;

use cambist_contract::digest::Digest;
use cambist_registry::{Ledger as _, NewPlugins};
use serde_json::json;

use crate::double::{NOW, Site, binding, judge_of, live, saying};

fn site() -> Site {
    let site = Site::new([binding("deal-desk", json!({}))]);
    fs::create_dir_all(site.plugin("")).unwrap();
    site
}

#[test]
fn a_restart_with_nothing_new_writes_nothing() {
    let site = site();
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    site.open().refresh(NOW);
    let before = site.ledger.all().unwrap();
    assert_eq!(before.len(), 3, "{before:?}");
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    assert_eq!(site.ledger.all().unwrap(), before);
}

#[test]
fn what_was_made_live_by_hand_outlives_a_restart() {
    let site = site();
    let registry = site.open();
    for says in ["one", "two"] {
        fs::write(site.plugin("deal-desk.wasm"), saying(says)).unwrap();
        registry.refresh(NOW);
    }
    registry.go_back("deal-desk", "b.keller").unwrap();
    registry.refresh(NOW);
    assert_eq!(
        live(&registry),
        Some(Digest::of(&saying("one"))),
        "the file is no news"
    );
    drop(registry);

    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    // a new file is
    fs::write(site.plugin("deal-desk.wasm"), saying("three")).unwrap();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("three"))));
}

#[test]
fn a_plugin_without_its_file_is_live_again_after_a_restart() {
    let site = site();
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    site.open().refresh(NOW);
    fs::remove_file(site.plugin("deal-desk.wasm")).unwrap();
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    let [status] = registry.plugin_statuses().try_into().unwrap();
    assert!(
        status
            .refused
            .unwrap()
            .contains("is not in the plugin folder any more")
    );
}

#[test]
fn other_settings_make_another_revision_of_the_live_component() {
    let mut site = site();
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    let registry = site.open();
    registry.refresh(NOW);
    let before = judge_of(&registry, "de", "").unwrap();
    drop(registry);
    site.bind([binding("deal-desk", json!({"settings": {"limit": 2}}))]);
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    assert_ne!(judge_of(&registry, "de", "").unwrap(), before);
    let act = site.ledger.all().unwrap().pop().unwrap().act;
    assert_eq!((act.step.name(), act.by.as_str()), ("live", "config"));
    registry.pinned(&before).unwrap();
}

#[test]
fn what_waits_still_waits() {
    let mut site = site();
    site.new_plugins = NewPlugins::Wait;
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    site.open().refresh(NOW);
    let registry = site.open();
    registry.refresh(NOW);
    let [status] = registry.plugin_statuses().try_into().unwrap();
    assert_eq!(
        (status.live, status.waits),
        (None, Some(Digest::of(&saying("one"))))
    );
    // also when the next host would make it live: it is no news
    drop(registry);
    site.new_plugins = NewPlugins::Live;
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), None);
}

#[test]
fn what_was_refused_is_looked_at_again_and_told_once() {
    let mut site = site();
    site.bind([binding("deal-desk", json!({"grants": ["reference:rates"]}))]);
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    for _ in 0..2 {
        site.open().refresh(NOW);
    }
    let names: Vec<_> = site
        .ledger
        .all()
        .unwrap()
        .iter()
        .map(|it| it.act.step.name())
        .collect();
    assert_eq!(names, ["registered", "refused"]);
    site.bind([binding("deal-desk", json!({}))]);
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
}

#[test]
fn the_old_one_serves_while_a_file_that_came_meanwhile_waits() {
    let mut site = site();
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    site.open().refresh(NOW);
    site.new_plugins = NewPlugins::Wait;
    fs::write(site.plugin("deal-desk.wasm"), saying("two")).unwrap();
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    let waits = registry.plugin_status("deal-desk").waits;
    assert_eq!(waits, Some(Digest::of(&saying("two"))));
}
