//! Revisions that messages are pinned to, after a restart and after damage.

use std::fs;

use cambist_contract::digest::Digest;
use cambist_registry::RouteError;
use serde_json::json;

use crate::double::{NOW, Site, binding, judge_of, saying};

#[test]
fn a_pinned_revision_is_found_again_after_a_restart() {
    // numbers that do not survive a careless way through text, and keys out of order
    let settings = json!({"b": 0.1, "a": 1.000_000_000_000_000_2, "c": 122.416_294_033_786_58,
        "d": u64::MAX, "e": "Größe ≠ \u{0}"});
    let site = Site::new([binding("deal-desk", json!({"settings": settings}))]);
    let first = saying("one");
    let registry = site.open();
    registry.offer("deal-desk", &first, NOW);
    let id = judge_of(&registry, "de", "").unwrap();
    registry.offer("deal-desk", &saying("two"), NOW);
    assert_ne!(judge_of(&registry, "de", "").unwrap(), id);
    drop(registry);

    let registry = site.open();
    let pinned = registry.pinned(&id).unwrap();
    assert_eq!((pinned.id, pinned.revision.component), (id, Digest::of(&first)));
    assert_eq!(pinned.revision.settings, settings);
    judge_of(&registry, "de", "").unwrap_err();
}

#[test]
fn a_file_that_was_changed_in_the_archive_is_refused() {
    for part in ["components", "revisions"] {
        let site = Site::new([binding("deal-desk", json!({"settings": {"says": "yes"}}))]);
        let registry = site.open();
        registry.offer("deal-desk", &saying("yes"), NOW);
        let id = judge_of(&registry, "de", "").unwrap();
        drop(registry);

        let files = site.archived(part);
        assert_eq!(files.len(), 1);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains("yes"));
            fs::write(file, text.replace("yes", "no!")).unwrap();
        }
        let Err(error) = site.open().pinned(&id) else {
            unreachable!("changed {part} load")
        };
        assert!(matches!(error, RouteError::Gone { .. }));
        assert!(error.to_string().contains("was changed on disk"), "{error}");
    }
}

#[test]
fn offering_a_good_file_again_mends_a_damaged_archive() {
    for part in ["components", "revisions"] {
        let site = Site::new([binding("deal-desk", json!({}))]);
        let registry = site.open();
        registry.offer("deal-desk", &saying("yes"), NOW);
        let id = judge_of(&registry, "de", "").unwrap();
        for file in site.archived(part) {
            fs::write(file, "{").unwrap();
        }
        drop(registry);

        let registry = site.open();
        registry.offer("deal-desk", &saying("yes"), NOW);
        drop(registry);
        assert_eq!(site.open().pinned(&id).map(|pinned| pinned.id).unwrap(), id);
    }
}

#[test]
fn a_revision_written_by_a_host_with_fewer_limits_keeps_its_name() {
    let site = Site::new([binding("deal-desk", json!({}))]);
    let registry = site.open();
    registry.offer("deal-desk", &saying("yes"), NOW);
    let path = site.archived("revisions").pop().unwrap();
    let mut older: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let removed = older
        .pointer_mut("/limits")
        .and_then(|limits| limits.as_object_mut())
        .and_then(|limits| limits.remove("host-calls"));
    assert!(removed.is_some());
    let text = cambist_contract::revision::canonical_json(&older);
    let id = Digest::of(text.as_bytes());
    fs::write(path.with_file_name(format!("{id}.json")), text).unwrap();
    assert_eq!(registry.pinned(&id).map(|pinned| pinned.id).unwrap(), id);
}

#[test]
fn a_revision_that_never_was_is_gone() {
    let site = Site::new([]);
    let Err(error) = site.open().pinned(&Digest::of(b"never")) else {
        unreachable!("it never was")
    };
    assert!(matches!(error, RouteError::Gone { .. }), "{error}");
}
