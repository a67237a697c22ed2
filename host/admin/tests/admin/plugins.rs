//! What operators are told of plugins.

use cambist_admin::answer::Plugins;
use cambist_contract::{digest::Digest, stage::Stage};

use crate::double::{Site, at};

#[tokio::test]
async fn plugins_and_bindings_are_told_with_what_is_live_and_why_not() {
    let site = Site::new();
    let empty: Plugins = site.get("/api/plugins").await.read();
    assert!(empty.plugins.is_empty());
    assert_eq!(empty.bindings.len(), 1);
    assert_eq!(empty.bindings[0].revision, None);

    site.registry.offer("deal-desk", b"good", at(1));
    site.registry.offer("deal-desk", b"broken", at(2));
    let told: Plugins = site.get("/api/plugins").await.read();
    let [plugin] = told.plugins.try_into().unwrap();
    assert_eq!(plugin.plugin, "deal-desk");
    assert_eq!(plugin.version.as_deref(), Some("1.2.3"));
    assert_eq!(plugin.live, Some(Digest::of(b"good")));
    assert_eq!(plugin.seen, Some(Digest::of(b"broken")));
    assert_eq!(
        plugin.refused.as_deref(),
        Some("not a WebAssembly component: no magic")
    );
    assert_eq!(plugin.at, at(2));
    let [binding] = told.bindings.try_into().unwrap();
    assert_eq!(
        (binding.stage, binding.region.as_deref()),
        (Stage::Judge, Some("de"))
    );
    assert_eq!(binding.component, Some(Digest::of(b"good")));
    assert!(binding.revision.is_some());
}
