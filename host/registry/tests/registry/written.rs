//! Files that are not all there, or too large: told of, kept out of the plugin's history, and in
//! nobody's way.

use std::{
    fs,
    io::Write as _,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use cambist_contract::{delivery::NextTry, digest::Digest};
use cambist_registry::Ledger as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::double::{NOW, Site, binding, framed, judge_of, live, saying};

fn site() -> Site {
    let site = Site::new([binding("deal-desk", json!({}))]);
    fs::create_dir_all(site.plugin("")).unwrap();
    site
}

fn after(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

#[test]
fn a_copy_that_pauses_is_told_of_once_and_is_live_when_it_is_whole() {
    let site = site();
    let registry = site.open();
    let (old, new) = (saying("old"), framed(&saying("new")));
    let file = site.plugin("deal-desk.wasm");
    fs::write(&file, &old).unwrap();
    registry.refresh(NOW);
    let steps = site.ledger.all().unwrap();
    for end in 0..new.len() {
        // between its header and its first section it cannot be told from a whole one
        if end == 8 {
            continue;
        }
        fs::write(&file, &new[..end]).unwrap();
        let told = registry.refresh(after(i64::try_from(end).unwrap()));
        assert_eq!(told.len(), usize::from(end == 0), "{end}");
        for status in told {
            let why = status.refused.unwrap();
            assert!(why.contains("is empty so far"), "{why}");
        }
        let why = registry.plugin_status("deal-desk").refused.unwrap();
        assert_eq!(why.contains("is being written"), end > 0, "{why}");
    }
    assert_eq!(site.ledger.all().unwrap(), steps, "no step was taken");
    assert_eq!(live(&registry), Some(Digest::of(&old)));
    fs::write(&file, &new).unwrap();
    let [status] = registry.refresh(after(60)).try_into().unwrap();
    assert_eq!((status.refused, status.live), (None, Some(Digest::of(&new))));
}

#[test]
fn a_cut_file_that_stays_is_refused_for_what_it_is() {
    let site = site();
    let registry = site.open();
    let whole = framed(&saying("new"));
    let cut = &whole[..whole.len() - 1];
    fs::write(site.plugin("deal-desk.wasm"), cut).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!(status.seen, None);
    // what needs it is tried again until then, and not parked
    let error = judge_of(&registry, "de", "").unwrap_err();
    assert_eq!(error.next_try(), NextTry::SendAgain { not_before: None });
    assert!(registry.refresh(after(1)).is_empty());
    let [status] = registry.refresh(after(2)).try_into().unwrap();
    assert_eq!(status.seen, Some(Digest::of(cut)));
    let why = status.refused.unwrap();
    assert!(why.contains("in the midst of a section"), "{why}");
    let steps: Vec<_> = site
        .ledger
        .all()
        .unwrap()
        .into_iter()
        .map(|taken| taken.act.step.name())
        .collect();
    assert_eq!(steps, ["registered", "refused"]);
    assert_eq!(
        judge_of(&registry, "de", "").unwrap_err().next_try(),
        NextTry::Park
    );
    assert!(registry.refresh(after(3)).is_empty());
}

#[test]
fn a_file_that_is_too_large_is_told_of_by_its_size_and_its_limit() {
    let site = site();
    let registry = site.open();
    let large = fs::File::create(site.plugin("deal-desk.wasm")).unwrap();
    for size in [200_000_000, 300_000_000] {
        large.set_len(size).unwrap();
        let [status] = registry.refresh(NOW).try_into().unwrap();
        let why = status.refused.unwrap();
        assert!(
            why.contains(&format!("{size} bytes, and 33554432 are the most")),
            "{why}"
        );
        assert!(registry.refresh(NOW).is_empty(), "it is told of once");
    }
    assert_eq!(
        judge_of(&registry, "de", "").unwrap_err().next_try(),
        NextTry::Park
    );
    assert_eq!(site.loader.descriptions.load(Ordering::SeqCst), 0);
    assert_eq!(site.ledger.all().unwrap(), []);
    fs::write(site.plugin("deal-desk.wasm"), saying("small")).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!(status.refused, None);
}

#[test]
fn a_host_that_starts_beside_such_a_file_serves_what_was_live() {
    let site = site();
    let file = site.plugin("deal-desk.wasm");
    fs::write(&file, saying("one")).unwrap();
    site.open().refresh(NOW);
    let one = Some(Digest::of(&saying("one")));
    fs::write(&file, b"\0asm").unwrap();
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), one);
    let large = fs::File::create(&file).unwrap();
    large.set_len(1 << 40).unwrap();
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), one);
}

#[tokio::test]
async fn a_file_that_grows_without_a_pause_is_left_alone_and_holds_up_no_other() {
    let bindings = ["deal-desk", "map"].map(|plugin| {
        let region = if plugin == "map" { "fr" } else { "de" };
        binding(plugin, json!({"region": region}))
    });
    let site = Site::new(bindings);
    let registry = Arc::new(site.open());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let now = || {
        let began = std::time::UNIX_EPOCH;
        NOW + began.elapsed().unwrap()
    };
    let watching = tokio::spawn(cambist_registry::watch::watch(
        Arc::clone(&registry),
        now,
        stopped,
    ));
    // a section of a megabyte: spaces, and the text that says how it behaves
    let mut file = fs::File::create(site.plugin("deal-desk.wasm")).unwrap();
    file.write_all(b"\0asm\x0d\0\x01\0\0\x80\x80\x40\0").unwrap();
    let aside = site.plugin("aside");
    fs::write(&aside, saying("other")).unwrap();
    fs::rename(aside, site.plugin("map.wasm")).unwrap();
    let mut left = (1 << 20) - 1;
    let told = |plugin: &str| registry.plugin_status(plugin).refused.unwrap_or_default();
    while !told("deal-desk").contains("is being written") || judge_of(&registry, "fr", "").is_err() {
        file.write_all(b" ").unwrap();
        left -= 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(live(&registry).is_none());
    let text = saying("whole");
    file.write_all(&vec![b' '; left - text.len()]).unwrap();
    file.write_all(&text).unwrap();
    drop(file);
    while live(&registry).is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refused = site.ledger.all().unwrap();
    let refused = refused.iter().filter(|taken| taken.act.step.name() == "refused");
    assert_eq!(refused.count(), 0);
    stop.send(true).unwrap();
    watching.await.unwrap().unwrap();
}
