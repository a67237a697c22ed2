//! What operators are told of plugins.

use cambist_admin::answer::{Plugins, Stepped};
use cambist_contract::{digest::Digest, limits::MAX_COMPONENT, stage::Stage};
use serde_json::{Value, json};

use crate::double::{Answer, Site, at};

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

/// Sends a component in.
async fn push(site: &Site, plugin: &str, bytes: &[u8], query: &str) -> Answer {
    site.post(&format!("/api/plugins/{plugin}/push?{query}"), bytes.to_vec())
        .await
}

/// Takes a step with `deal-desk`.
async fn step(site: &Site, what: &str, body: Value) -> Answer {
    site.post(&format!("/api/plugins/deal-desk/{what}"), body.to_string())
        .await
}

#[tokio::test]
async fn a_component_is_sent_in_made_live_and_taken_out() {
    let site = Site::new();
    let one: Stepped = push(&site, "deal-desk", b"good", "by=ci&live=true").await.read();
    assert_eq!(one.component, Digest::of(b"good"));
    assert_eq!(one.status.live, Some(one.component));
    let two: Stepped = push(&site, "deal-desk", b"good too", "by=ci").await.read();
    assert_eq!(
        (two.status.live, two.status.waits),
        (Some(one.component), Some(two.component))
    );

    let live: Stepped = step(&site, "live", json!({"by": "b.keller"})).await.read();
    assert_eq!(
        (live.component, live.status.live),
        (two.component, Some(two.component))
    );
    let [newest, ..] = live.status.components.as_slice() else {
        unreachable!("{live:?}")
    };
    assert_eq!((newest.standing.name(), newest.by.as_str()), ("live", "b.keller"));
    let back: Stepped = step(&site, "back", json!({"by": "b.keller"})).await.read();
    assert_eq!(back.status.live, Some(one.component));

    let kill = json!({"by": "b.keller", "reason": "wrong totals", "component": one.component.short()});
    let killed: Stepped = step(&site, "kill", kill).await.read();
    assert_eq!(killed.status.live, None);
    assert!(killed.status.refused.unwrap().contains("wrong totals"));
}

#[tokio::test]
async fn a_step_that_is_not_taken_says_why() {
    let site = Site::new();
    let refused = push(&site, "deal-desk", b"broken", "by=ci").await;
    assert!(refused.is_problem(409, "component-refused"), "{refused:?}");
    assert!(
        refused
            .text
            .contains("does not pass: not a WebAssembly component"),
        "{refused:?}"
    );
    let unbound = push(&site, "nobody", b"good", "by=ci").await;
    assert!(unbound.is_problem(404, "unknown-component"), "{unbound:?}");
    for (what, body, status, code) in [
        ("live", json!({"by": "a"}), 404, "unknown-component"),
        ("back", json!({"by": "a"}), 404, "unknown-component"),
        ("kill", json!({"by": "a"}), 422, "unreadable"),
        ("kill", json!({"by": "a", "reason": " "}), 422, "unreadable"),
        ("live", json!({"by": " "}), 422, "unreadable"),
        (
            "live",
            json!({"by": "a", "component": "0"}),
            404,
            "unknown-component",
        ),
    ] {
        let answer = step(&site, what, body).await;
        assert!(answer.is_problem(status, code), "{what}: {answer:?}");
    }
    let large = push(&site, "deal-desk", &vec![0; MAX_COMPONENT + 1], "by=ci").await;
    assert!(large.is_problem(413, "too-large"), "{large:?}");
}
