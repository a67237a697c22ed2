//! A component is offered: it becomes live for all its bindings, or for none.

use std::sync::atomic::Ordering;

use cambist_contract::digest::Digest;
use cambist_registry::Part;
use serde_json::json;

use crate::double::{NOW, Site, binding, judge_of, live, saying, verdict, with_case};

#[test]
fn a_good_one_serves_all_bindings_at_once() {
    let site = Site::new([
        binding("deal-desk", json!({"region": "de"})),
        binding("deal-desk", json!({"region": "in", "settings": {"limit": 2}})),
        binding("other", json!({})),
    ]);
    let registry = site.open();
    for says in ["one", "two"] {
        let bytes = with_case(says, verdict(says));
        let status = registry.offer("deal-desk", &bytes, NOW);
        let digest = Some(Digest::of(&bytes));
        assert_eq!((status.live, status.seen, status.refused), (digest, digest, None));
        assert_eq!((status.version.as_deref(), status.at), (Some("1"), NOW));
        for region in ["de", "in"] {
            let id = judge_of(&registry, region, "").unwrap();
            assert_eq!(Some(registry.pinned(&id).unwrap().revision.component), digest);
        }
    }
    let missing = registry.missing();
    assert_eq!(
        missing,
        [(
            "other".to_owned(),
            "there is no other.wasm in the plugin folder".to_owned()
        )]
    );
}

#[test]
fn a_bad_one_leaves_the_last_good_one_live_and_says_why() {
    let site = Site::new([binding("deal-desk", json!({}))]);
    let registry = site.open();
    let good = saying("yes");
    registry.offer("deal-desk", &good, NOW);
    let fault = json!({"fault": {"unhandled": "not mine"}});
    for (bad, reason) in [
        (
            with_case("no", verdict("yes")),
            "its case `a-deal-passes` has another answer than expected: `reasons[0].text` is \"no\", not \"yes\"",
        ),
        (
            with_case("?", verdict("0")),
            "its case `a-deal-passes` has another answer the second time: `reasons[0].text` is \"1\", not \"0\"",
        ),
        (
            with_case("yes", fault),
            "its case `a-deal-passes` expects a fault and has an answer",
        ),
        (
            with_case("!", verdict("yes")),
            "its case `a-deal-passes` ends with: not handled: not mine",
        ),
        (
            br#"{"interfaces": ["tax"]}"#.to_vec(),
            "it is bound to stage `judge` and does not export `policy`",
        ),
        (
            br#"{"refuses": "grant it"}"#.to_vec(),
            "imports what its binding does not grant: wasi:clocks; grant it",
        ),
    ] {
        let status = registry.offer("deal-desk", &bad, NOW);
        assert_eq!(status.refused.as_deref(), Some(reason));
        assert_eq!(status.live, Some(Digest::of(&good)));
        assert_eq!(status.seen, Some(Digest::of(&bad)));
        assert_eq!(live(&registry), Some(Digest::of(&good)));
        assert!(registry.missing().is_empty());
    }
}

#[test]
fn one_that_fits_only_some_of_its_bindings_serves_none() {
    let site = Site::new([
        binding("deal-desk", json!({"region": "de"})),
        binding(
            "deal-desk",
            json!({"region": "in", "grants": ["reference:rates"]}),
        ),
    ]);
    let registry = site.open();
    let status = registry.offer("deal-desk", &saying("yes"), NOW);
    let reason = "its binding grants `reference:rates`, and the config has no such table";
    assert_eq!(status.refused.as_deref(), Some(reason));
    assert_eq!(status.live, None);
    judge_of(&registry, "de", "").unwrap_err();
    assert_eq!(registry.missing(), [("deal-desk".to_owned(), reason.to_owned())]);
    assert!(
        site.archived("revisions").is_empty(),
        "only what passed is archived"
    );
}

/// A component with a case, that knows the setting `limit` and no other.
fn knowing_a_limit() -> Vec<u8> {
    let mut component: serde_json::Value = serde_json::from_slice(&with_case("yes", verdict("yes"))).unwrap();
    let fields = component.as_object_mut().unwrap();
    fields.insert("knows".to_owned(), json!("limit"));
    component.to_string().into_bytes()
}

#[test]
fn settings_that_the_plugin_breaks_on_are_refused_before_a_message_meets_them() {
    let site = Site::new([
        binding("deal-desk", json!({"region": "de", "settings": {"limit": 2}})),
        binding("deal-desk", json!({"region": "in", "settings": {"limits": 2}})),
    ]);
    let registry = site.open();
    let status = registry.offer("deal-desk", &knowing_a_limit(), NOW);
    let reason = "it does not take the settings of its binding to stage `judge`: \
        the plugin failed: settings: unknown field `limits` (tried on its case `a-deal-passes`)";
    assert_eq!(status.refused.as_deref(), Some(reason));
    assert_eq!(status.live, None, "it serves all its bindings or none");
}

#[test]
fn obstacles_are_told_for_every_binding_and_nothing_goes_live() {
    let site = Site::new([
        binding("deal-desk", json!({"region": "de", "settings": {"limit": 2}})),
        binding("deal-desk", json!({"region": "in", "settings": {"limits": 2}})),
        binding("deal-desk", json!({"region": "fr", "settings": {"limited": 2}})),
        binding(
            "deal-desk",
            json!({"region": "it", "grants": ["reference:rates"]}),
        ),
        binding("other", json!({"region": "de"})),
        binding("other", json!({"region": "in"})),
    ]);
    let registry = site.open();
    std::fs::write(site.plugin("deal-desk.wasm"), knowing_a_limit()).unwrap();
    let found = registry.obstacles().unwrap();
    let places: Vec<_> = found.iter().map(|it| (it.binding, it.part)).collect();
    // what is wrong with `other` itself is told once
    let wanted = [
        (1, Part::Settings),
        (2, Part::Settings),
        (3, Part::Tables),
        (4, Part::Plugin),
    ];
    assert_eq!(places, wanted, "{found:#?}");
    judge_of(&registry, "de", "").unwrap_err();
    assert!(site.archived("revisions").is_empty());
}

#[test]
fn a_case_that_comes_near_its_limit_is_warned_of_and_passes() {
    let mut site = Site::new([]);
    let costing = |costs: u64| {
        let text = String::from_utf8(with_case("yes", verdict("yes"))).unwrap();
        let mut component: serde_json::Value = serde_json::from_str(&text).unwrap();
        let fields = component.as_object_mut().unwrap();
        fields.insert("costs".to_owned(), json!(costs));
        component.to_string().into_bytes()
    };
    site.bind([binding(
        "deal-desk",
        json!({"region": "de", "limits": {"fuel": 1000}}),
    )]);
    let registry = site.open();
    let told = "its case `a-deal-passes` uses 80 % of `fuel` = 1000, the limit of its binding `judge region=de`; \
                make it cheaper, or raise the limit";
    for (costs, warnings) in [(799, vec![]), (800, vec![told.to_owned()])] {
        let bytes = costing(costs);
        let status = registry.offer("deal-desk", &bytes, NOW);
        assert_eq!((status.live, status.refused), (Some(Digest::of(&bytes)), None));
        let component = status.components.first().unwrap();
        assert_eq!(component.component, Digest::of(&bytes));
        assert_eq!(component.warnings, warnings, "{costs}");
    }
    std::fs::write(site.plugin("deal-desk.wasm"), costing(900)).unwrap();
    let found = registry.obstacles().unwrap();
    let warned: Vec<_> = found
        .iter()
        .map(|it| (it.binding, it.part, it.is_warning))
        .collect();
    assert_eq!(warned, [(0, Part::Limits, true)]);
}

#[test]
fn what_no_case_tries_is_warned_of_and_passes() {
    let site = Site::new([
        binding("deal-desk", json!({"region": "de", "settings": {"limit": 2}})),
        binding("deal-desk", json!({"region": "in"})),
    ]);
    let registry = site.open();
    let with_cases = |cases: serde_json::Value| {
        let mut component: serde_json::Value =
            serde_json::from_slice(&with_case("yes", verdict("yes"))).unwrap();
        let fields = component.as_object_mut().unwrap();
        fields.insert("interfaces".to_owned(), json!(["policy", "tax"]));
        if !cases.is_null() {
            fields.insert("cases".to_owned(), cases);
        }
        component.to_string().into_bytes()
    };
    let warned = |bytes: &[u8]| {
        let status = registry.offer("deal-desk", bytes, NOW);
        assert_eq!((status.live, status.refused), (Some(Digest::of(bytes)), None));
        status.components.first().unwrap().warnings.clone()
    };
    let none = "it carries no cases, so nothing that it answers was tried, and no settings of its bindings; give it \
                cases, or have `cambist plugin shadow` try it on live messages before it is live";
    assert_eq!(warned(&with_cases(json!([]))), [none], "once for both bindings");
    assert!(warned(&with_cases(json!(null))).is_empty());
    // a case that is to break tells nothing of the settings
    let context = json!({"message": "m", "flow": "f", "region": "de", "time": "2026-01-01T00:00:00Z",
        "settings": {"other": 1}});
    let breaks = json!({"name": "breaks", "call": "judge", "context": context, "input": {"changes": []},
        "expect": {"fault": {"broken": "settings: unknown field `other`"}}});
    let mut component: serde_json::Value = serde_json::from_slice(&with_cases(json!([breaks]))).unwrap();
    component
        .as_object_mut()
        .unwrap()
        .insert("knows".to_owned(), json!("limit"));
    let warnings = warned(component.to_string().as_bytes());
    let told = warnings.first().unwrap();
    assert!(
        told.starts_with("none of its cases is for stage `judge`, so neither what it answers there nor the settings of its binding `judge region=de` were tried"),
        "{told}"
    );
    assert_eq!(warnings.len(), 2, "{warnings:?}");

    std::fs::write(site.plugin("deal-desk.wasm"), with_cases(json!([]))).unwrap();
    let found = registry.obstacles().unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.part, it.is_warning, it.reason.as_str()))
        .collect();
    assert_eq!(found, [(Part::Plugin, true, none)]);
}

#[test]
fn a_case_with_an_expected_fault_passes_on_that_fault() {
    let site = Site::new([binding("deal-desk", json!({}))]);
    let registry = site.open();
    let bytes = with_case("!", json!({"fault": {"unhandled": "not mine"}}));
    assert_eq!(registry.offer("deal-desk", &bytes, NOW).refused, None);
}

#[test]
fn one_that_no_binding_names_is_not_called_live() {
    let site = Site::new([binding("deal-desk", json!({}))]);
    let registry = site.open();
    let status = registry.offer("stray", &saying("yes"), NOW);
    assert_eq!(status.live, None);
    assert_eq!(
        status.refused.as_deref(),
        Some("no binding names it; add one to the config")
    );
    assert_eq!(site.loader.loads.load(Ordering::SeqCst), 0);
}

#[test]
fn what_was_replaced_long_ago_does_not_stay_in_memory() {
    let site = Site::new([binding("deal-desk", json!({}))]);
    let registry = site.open();
    let mut ids = Vec::new();
    for n in 0..20 {
        registry.offer("deal-desk", &saying(&n.to_string()), NOW);
        ids.push(judge_of(&registry, "de", "").unwrap());
    }
    let loads = || site.loader.loads.load(Ordering::SeqCst);
    let before = loads();
    for id in &ids {
        assert_eq!(registry.pinned(id).unwrap().id, *id);
    }
    assert!(loads() > before, "some had to be loaded again");
    // the live one is always at hand
    let before = loads();
    registry.pinned(ids.last().unwrap()).unwrap();
    assert_eq!(loads(), before);
}
