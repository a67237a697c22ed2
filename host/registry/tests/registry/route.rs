//! Who is served by what.

use cambist_contract::{delivery::NextTry, digest::Digest};
use cambist_registry::RouteError;
use serde_json::json;

use crate::double::{NOW, Site, binding, judge_of, saying};

#[test]
fn the_most_specific_binding_wins() {
    let site = Site::new([
        binding("general", json!({})),
        binding("flow", json!({"flow": "f", "region": "it"})),
        binding("german", json!({"region": "de"})),
        binding("munich", json!({"unit": "munich"})),
    ]);
    let registry = site.open();
    for plugin in ["general", "flow", "german", "munich"] {
        assert_eq!(registry.offer(plugin, &saying(plugin), NOW).refused, None);
    }
    let serving = |region: &str, unit: &str| {
        let id = judge_of(&registry, region, unit).unwrap();
        registry.pinned(&id).unwrap().revision.plugin.clone()
    };
    assert_eq!(serving("fr", ""), "general");
    assert_eq!(serving("it", ""), "flow");
    assert_eq!(serving("de", ""), "german");
    assert_eq!(serving("de", "bonn"), "german");
    assert_eq!(serving("de", "munich"), "munich");
}

#[test]
fn a_dead_specific_binding_does_not_fall_back_to_a_general_one() {
    let site = Site::new([
        binding("general", json!({})),
        binding("german", json!({"region": "de"})),
    ]);
    let registry = site.open();
    registry.offer("general", &saying("yes"), NOW);
    let error = judge_of(&registry, "de", "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "plugin `german` has no live revision: there is no german.wasm in the plugin folder"
    );
    judge_of(&registry, "fr", "").unwrap();
}

#[test]
fn no_binding_and_no_revision_are_told_apart() {
    let site = Site::new([binding("german", json!({"region": "de"}))]);
    let registry = site.open();
    let error = judge_of(&registry, "fr", "").unwrap_err();
    assert!(matches!(error, RouteError::NoBinding { .. }), "{error}");

    registry.offer("german", b"not a component", NOW);
    let error = judge_of(&registry, "de", "").unwrap_err();
    let RouteError::NotLive { plugin, reason } = error else {
        unreachable!("{error}")
    };
    assert_eq!(plugin, "german");
    // the same file will be refused again
    let error = judge_of(&registry, "de", "").unwrap_err();
    assert_eq!(error.next_try(), NextTry::Park);
    assert!(reason.starts_with("not a WebAssembly component"), "{reason}");
}

#[test]
fn terms_of_a_binding_make_revisions_of_one_component() {
    let site = Site::new([
        binding("deal-desk", json!({"region": "de", "settings": {"limit": 1}})),
        binding("deal-desk", json!({"region": "in", "settings": {"limit": 2}})),
    ]);
    let registry = site.open();
    let bytes = saying("yes");
    registry.offer("deal-desk", &bytes, NOW);
    let german = judge_of(&registry, "de", "").unwrap();
    let indian = judge_of(&registry, "in", "").unwrap();
    assert_ne!(german, indian);
    for (id, limit) in [(german, 1), (indian, 2)] {
        let pinned = registry.pinned(&id).unwrap();
        assert_eq!(pinned.revision.component, Digest::of(&bytes));
        assert_eq!(pinned.revision.settings, json!({"limit": limit}));
    }
}
