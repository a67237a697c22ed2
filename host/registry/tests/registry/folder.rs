//! The plugin folder: what a look at it finds.

use std::{fs, sync::atomic::Ordering};

use cambist_contract::{delivery::NextTry, digest::Digest};
use cambist_registry::{Ledger as _, Registry};
use jiff::SignedDuration;
use serde_json::json;

use crate::double::{NOW, Site, binding, judge_of, live, saying};

fn site() -> Site {
    Site::new([binding("deal-desk", json!({}))])
}

#[test]
fn a_new_file_becomes_live_and_an_unchanged_one_is_left_alone() {
    let site = site();
    let registry = site.open();
    assert_eq!(registry.missing().len(), 1);
    fs::write(site.plugin("deal-desk.wasm"), saying("yes")).unwrap();
    fs::write(site.plugin("README.md"), "not a plugin").unwrap();
    assert_eq!(registry.refresh(NOW).len(), 1);
    assert_eq!(live(&registry), Some(Digest::of(&saying("yes"))));
    assert!(registry.missing().is_empty());
    assert!(registry.refresh(NOW).is_empty());
    assert_eq!(site.loader.loads.load(Ordering::SeqCst), 1);
}

#[test]
fn a_file_that_changes_after_it_was_left_alone_for_long_is_read_again() {
    let site = site();
    let registry = site.open();
    let (old, new) = (saying("old"), saying("new"));
    assert_eq!(old.len(), new.len());
    let file = site.plugin("deal-desk.wasm");
    fs::write(&file, &old).unwrap();
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    for seconds in [0, 10, 20, 30] {
        registry.refresh(NOW + SignedDuration::from_secs(seconds));
    }
    fs::write(&file, &new).unwrap();
    let open = fs::File::options().append(true).open(&file).unwrap();
    open.set_modified(written).unwrap();
    assert_eq!(registry.refresh(NOW + SignedDuration::from_secs(40)).len(), 1);
    assert_eq!(live(&registry), Some(Digest::of(&new)));
}

/// The memory of this process stands for a file on a broken disk: it is a file, and reading its first byte fails.
#[test]
fn a_file_that_cannot_be_read_is_told_of_once_and_the_live_one_stays() {
    let site = site();
    let registry = site.open();
    let file = site.plugin("deal-desk.wasm");
    fs::write(&file, saying("yes")).unwrap();
    registry.refresh(NOW);
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &file).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    let why = status.refused.unwrap();
    assert!(why.starts_with("its file cannot be read: "), "{why}");
    assert_eq!(status.live, Some(Digest::of(&saying("yes"))));
    assert!(registry.refresh(NOW).is_empty());
    // it can be read again
    fs::remove_file(&file).unwrap();
    fs::write(&file, saying("more")).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!(
        (status.refused, status.live),
        (None, Some(Digest::of(&saying("more"))))
    );
}

#[test]
fn a_file_renamed_into_place_becomes_live() {
    let site = site();
    let registry = site.open();
    fs::write(site.plugin("deal-desk.wasm.part"), saying("yes")).unwrap();
    assert!(registry.refresh(NOW).is_empty());
    fs::rename(site.plugin("deal-desk.wasm.part"), site.plugin("deal-desk.wasm")).unwrap();
    assert_eq!(registry.refresh(NOW).len(), 1);
    assert_eq!(live(&registry), Some(Digest::of(&saying("yes"))));
}

#[test]
fn a_half_written_file_is_refused_and_the_whole_one_is_live() {
    let site = site();
    let registry = site.open();
    let (old, new) = (saying("old"), saying("new"));
    fs::write(site.plugin("deal-desk.wasm"), &old).unwrap();
    registry.refresh(NOW);
    let half = new.get(..new.len() / 2).unwrap();
    fs::write(site.plugin("deal-desk.wasm"), half).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert!(status.refused.is_some());
    assert_eq!(status.live, Some(Digest::of(&old)));
    fs::write(site.plugin("deal-desk.wasm"), &new).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!((status.refused, status.live), (None, Some(Digest::of(&new))));
    assert_eq!(live(&registry), Some(Digest::of(&new)));
}

#[test]
fn going_back_to_the_old_file_makes_the_old_one_live_again() {
    let site = site();
    let registry = site.open();
    for says in ["old", "new", "old"] {
        fs::write(site.plugin("deal-desk.wasm"), saying(says)).unwrap();
        registry.refresh(NOW);
        assert_eq!(live(&registry), Some(Digest::of(&saying(says))));
    }
}

#[test]
fn a_deleted_file_leaves_its_plugin_live_and_says_so_once() {
    let site = site();
    let registry = site.open();
    fs::write(site.plugin("deal-desk.wasm"), saying("yes")).unwrap();
    registry.refresh(NOW);
    fs::remove_file(site.plugin("deal-desk.wasm")).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!(
        status.refused.as_deref(),
        Some("deal-desk.wasm is not in the plugin folder any more; the last good one stays live")
    );
    assert_eq!(live(&registry), Some(Digest::of(&saying("yes"))));
    assert!(registry.refresh(NOW).is_empty());

    fs::write(site.plugin("deal-desk.wasm"), saying("yes")).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!(status.refused, None);
}

#[test]
fn a_refused_file_that_is_deleted_is_forgotten() {
    let site = site();
    let registry = site.open();
    fs::write(site.plugin("deal-desk.wasm"), "broken").unwrap();
    registry.refresh(NOW);
    fs::remove_file(site.plugin("deal-desk.wasm")).unwrap();
    registry.refresh(NOW);
    let absent = "there is no deal-desk.wasm in the plugin folder";
    let [status] = registry.plugin_statuses().try_into().unwrap();
    assert_eq!(status.refused.as_deref(), Some(absent));
    assert_eq!(status.components.len(), 1, "what it was is still told");
    assert_eq!(registry.missing(), [("deal-desk".to_owned(), absent.to_owned())]);
}

#[test]
fn a_stray_file_that_is_deleted_is_told_of_no_more() {
    let site = site();
    let registry = site.open();
    fs::write(site.plugin("deal-desk.wasm"), saying("yes")).unwrap();
    for stray in ["stray.wasm", "other.wasm"] {
        fs::write(site.plugin(stray), saying("yes")).unwrap();
    }
    registry.refresh(NOW);
    let names = |registry: &Registry| {
        let all = registry.plugin_statuses().into_iter();
        all.map(|status| status.plugin).collect::<Vec<_>>()
    };
    assert_eq!(names(&registry), ["deal-desk", "other", "stray"]);
    let steps = site.ledger.all().unwrap();
    fs::remove_file(site.plugin("stray.wasm")).unwrap();
    registry.refresh(NOW);
    assert_eq!(names(&registry), ["deal-desk", "other"]);
    drop(registry);
    let registry = site.open();
    assert_eq!(names(&registry), ["deal-desk"], "nothing has looked yet");
    registry.refresh(NOW);
    assert_eq!(names(&registry), ["deal-desk", "other"]);
    // what was done with it stays in the ledger, and it is told of when it comes again
    assert_eq!(site.ledger.all().unwrap(), steps);
    fs::write(site.plugin("stray.wasm"), saying("yes")).unwrap();
    registry.refresh(NOW);
    assert_eq!(names(&registry), ["deal-desk", "other", "stray"]);
    // one that was live is not forgotten with its file
    fs::remove_file(site.plugin("deal-desk.wasm")).unwrap();
    registry.refresh(NOW);
    assert!(names(&registry).contains(&"deal-desk".to_owned()));
}

#[test]
fn a_folder_that_cannot_be_read_changes_nothing() {
    let site = site();
    let registry = site.open();
    fs::write(site.plugin("deal-desk.wasm"), saying("yes")).unwrap();
    registry.refresh(NOW);
    fs::rename(registry.plugins(), registry.plugins().with_extension("away")).unwrap();
    assert!(registry.refresh(NOW).is_empty());
    let [status] = registry.plugin_statuses().try_into().unwrap();
    assert_eq!(status.refused, None);
    assert_eq!(live(&registry), Some(Digest::of(&saying("yes"))));
}

#[test]
fn trouble_of_the_host_is_tried_again_at_the_next_look() {
    let site = site();
    let registry = site.open();
    site.loader.trouble.store(1, Ordering::SeqCst);
    fs::write(site.plugin("deal-desk.wasm"), saying("yes")).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!(
        status.refused.as_deref(),
        Some("cannot prepare the component: no memory left")
    );
    // a message that needs it is not parked for that
    let error = judge_of(&registry, "de", "").unwrap_err();
    assert_eq!(error.next_try(), NextTry::SendAgain { not_before: None });
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!(status.refused, None);
    assert!(registry.missing().is_empty());
}

#[test]
fn what_is_no_file_is_told_of_as_what_it_is_and_not_waited_for() {
    let site = site();
    let registry = site.open();
    let path = site.plugin("deal-desk.wasm");
    let told = |why: &str| {
        let [status] = registry.refresh(NOW).try_into().unwrap();
        assert_eq!(status.refused.as_deref(), Some(why));
        assert!(registry.refresh(NOW).is_empty(), "once");
        let found = registry.obstacles().unwrap();
        assert_eq!(found.first().unwrap().reason, why);
    };
    fs::create_dir(&path).unwrap();
    told("deal-desk.wasm in the plugin folder is a folder; put the component itself in its place");
    fs::remove_dir(&path).unwrap();
    std::os::unix::net::UnixListener::bind(&path).unwrap();
    told("deal-desk.wasm in the plugin folder is no file; put the component itself in its place");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    told("deal-desk.wasm in the plugin folder is a link that leads nowhere; point it to a file");
    fs::remove_file(&path).unwrap();
    fs::write(site.plugin("deal-desk.WASM"), saying("yes")).unwrap();
    told("deal-desk.WASM in the plugin folder does not end in .wasm, in small letters; rename it");
    assert_eq!(live(&registry), None);
    // beside the right one it is of no matter
    fs::write(&path, saying("yes")).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    assert_eq!(
        (status.refused, status.live),
        (None, Some(Digest::of(&saying("yes"))))
    );
    assert!(registry.refresh(NOW).is_empty());
}

#[test]
fn a_link_is_what_it_leads_to_and_one_that_leads_nowhere_leaves_the_last_good_one_live() {
    let site = site();
    let registry = site.open();
    let file = |says: &str| {
        let file = site.plugin("..").join(says);
        fs::write(&file, saying(says)).unwrap();
        file
    };
    // pointed elsewhere in one move, as deployments do that keep their releases
    for says in ["one", "two"] {
        let aside = site.plugin("aside");
        std::os::unix::fs::symlink(file(says), &aside).unwrap();
        fs::rename(aside, site.plugin("deal-desk.wasm")).unwrap();
        assert_eq!(registry.refresh(NOW).len(), 1);
        assert_eq!(live(&registry), Some(Digest::of(&saying(says))));
    }
    // what it leads to is written anew, under the link
    fs::write(site.plugin("../two"), saying("three")).unwrap();
    assert_eq!(registry.refresh(NOW).len(), 1);
    assert_eq!(live(&registry), Some(Digest::of(&saying("three"))));
    fs::remove_file(site.plugin("../two")).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    let told = status.refused.unwrap_or_default();
    assert!(told.contains("is a link that leads nowhere"), "{told}");
    assert_eq!(live(&registry), Some(Digest::of(&saying("three"))));
    // also of a host that starts
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("three"))));
    let told = registry.plugin_status("deal-desk").refused.unwrap_or_default();
    assert!(told.contains("is a link that leads nowhere"), "{told}");
}
