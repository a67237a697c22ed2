//! A plugin that is held: what a restart, another config, files and people make of it.

use std::{fs, sync::Arc};

use cambist_contract::digest::Digest;
use cambist_registry::{Ledger as _, Part, ReloadError, Standing};
use serde_json::json;

use crate::{
    back::{PLUGIN, held, last, limit, one, options, reload, resettled, revision},
    double::{NOW, Site, binding, judge_of, live, saying},
};

/// A host that is held on the limit 1 where its config says 2.
fn site_held() -> (Site, cambist_registry::Registry, Digest) {
    let (mut site, registry, first) = resettled();
    site.bind(one(limit(2)));
    registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    (site, registry, first)
}

/// The same serves, and is what the config says.
fn has_ended_by_config(site: &Site, registry: &cambist_registry::Registry, first: Digest) {
    assert_eq!(
        (judge_of(registry, "de", "").unwrap(), held(registry)),
        (first, None)
    );
    assert_eq!(
        last(site),
        ("config".to_owned(), Digest::of(&saying("one")), Some(false))
    );
}

fn refused(registry: &cambist_registry::Registry, options: cambist_registry::Options) -> Vec<(Part, String)> {
    match registry.reload(options, |switch| switch()).unwrap_err() {
        ReloadError::Obstacles(all) => all.into_iter().map(|it| (it.part, it.reason)).collect(),
        other => unreachable!("{other}"),
    }
}

#[test]
fn it_survives_a_restart_and_writes_nothing() {
    for has_file in [true, false] {
        let (site, registry, first) = site_held();
        if has_file {
            fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
            registry.refresh(NOW);
            assert_eq!(
                judge_of(&registry, "de", "").unwrap(),
                first,
                "its own file is no word"
            );
        }
        let since = registry.plugin_status(PLUGIN).held.unwrap().since;
        let steps = site.ledger.all().unwrap().len();
        drop(registry);
        let registry = site.open();
        registry.refresh(NOW);
        assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
        let again = registry.plugin_status(PLUGIN).held.unwrap();
        assert_eq!((again.by.as_str(), again.since), ("b.keller", since));
        assert_eq!(site.ledger.all().unwrap().len(), steps);
        registry.make_live(PLUGIN, None, "a.roth").unwrap();
        assert_eq!(revision(&registry, "de").settings, json!({"limit": 2}));
        assert_eq!(
            last(&site),
            ("a.roth".to_owned(), Digest::of(&saying("one")), Some(false))
        );
        drop(registry);
        let registry = site.open();
        registry.refresh(NOW);
        assert_eq!(
            (held(&registry), revision(&registry, "de").settings.clone()),
            (None, json!({"limit": 2}))
        );
    }
}

#[test]
fn a_start_that_does_not_allow_it_serves_nothing_and_says_why() {
    let (mut site, registry, first) = site_held();
    drop(registry);
    site.bind(one(json!({"settings": {"limit": 2}, "limits": {"fuel": 5}})));
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), None);
    let why = registry.plugin_status(PLUGIN).refused.unwrap();
    assert!(
        why.contains("may use `fuel` = 100000000, and the binding allows 5"),
        "{why}"
    );
    assert!(
        why.contains("`cambist plugin live deal-desk` makes live what the config says"),
        "{why}"
    );
    // it is told once, and comes back when it is allowed
    let steps = site.ledger.all().unwrap().len();
    drop(registry);
    site.open().refresh(NOW);
    assert_eq!(site.ledger.all().unwrap().len(), steps);
    site.bind(one(limit(2)));
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    assert_eq!(held(&registry).unwrap().0, "b.keller");
    // or the way out is taken
    drop(registry);
    site.bind(one(json!({"settings": {"limit": 2}, "limits": {"fuel": 5}})));
    let registry = site.open();
    registry.refresh(NOW);
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    assert_eq!(revision(&registry, "de").limits.fuel, 5);
}

#[test]
fn another_config_leaves_it_and_says_so() {
    let (site, registry, first) = site_held();
    let steps = site.ledger.all().unwrap().len();
    let told = registry
        .reload(options(&one(limit(3)), "1"), |switch| switch())
        .unwrap();
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    assert_eq!((told.plugins.len(), site.ledger.all().unwrap().len()), (0, steps));
    let [told] = told.held.try_into().unwrap();
    let text = told.to_string();
    assert!(text.starts_with("held by b.keller since "), "{text}");
    let served = format!(
        "`judge` is served by revision {}, other than the config's in settings",
        first.short()
    );
    assert!(text.contains(&served), "{text}");
    assert!(
        text.ends_with("holds when `cambist plugin live deal-desk` ends it"),
        "{text}"
    );
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    assert_eq!(revision(&registry, "de").settings, json!({"limit": 3}));
}

#[test]
fn a_config_that_says_the_same_ends_it() {
    let (site, registry, first) = site_held();
    let told = registry
        .reload(options(&one(limit(1)), "1"), |switch| switch())
        .unwrap();
    assert!(told.held.is_empty(), "{told:?}");
    has_ended_by_config(&site, &registry, first);
}

#[test]
fn a_config_that_does_not_allow_it_does_not_hold() {
    let (site, registry, first) = site_held();
    let steps = site.ledger.all().unwrap().len();
    let bounded = one(json!({"settings": {"limit": 2}, "limits": {"fuel": 5}}));
    let [(part, why)] = refused(&registry, options(&bounded, "1")).try_into().unwrap();
    assert_eq!(part, Part::Limits);
    assert!(
        why.contains("b.keller went back to it whole, and `cambist plugin live deal-desk` ends that first"),
        "{why}"
    );
    let more = [
        binding(PLUGIN, limit(2)),
        binding(PLUGIN, json!({"region": "fr"})),
    ];
    let [(_, why)] = refused(&registry, options(&more, "1")).try_into().unwrap();
    assert!(
        why.contains("binding `judge region=fr` had no revision then"),
        "{why}"
    );
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    assert_eq!(site.ledger.all().unwrap().len(), steps);
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    reload(&registry, &more);
}

#[test]
fn what_serves_when_it_ends_has_to_pass_as_well() {
    let (_site, registry, first) = site_held();
    let lacking = one(json!({"settings": {"limit": 1}, "grants": ["log", "reference:none"]}));
    let all = refused(&registry, options(&lacking, "1"));
    let told = all.iter().any(|(part, why)| {
        *part == Part::Tables && why.contains("which is live when the plugin is held no more")
    });
    assert!(told, "{all:?}");
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
}

#[test]
fn a_plugin_that_no_binding_names_any_more_is_held_from_nobody() {
    let (_site, registry, _) = site_held();
    reload(&registry, &[]);
    let other = [binding(PLUGIN, json!({"region": "de"}))];
    reload(&registry, &other);
    assert_eq!(
        (held(&registry), revision(&registry, "de").settings.clone()),
        (None, json!({}))
    );
}

#[test]
fn a_hold_that_begins_while_a_config_is_checked_is_seen() {
    let (site, registry, first) = resettled();
    let registry = Arc::new(registry);
    let other = Arc::clone(&registry);
    site.loader.meanwhile(move || {
        other.go_back_whole(PLUGIN, "b.keller").unwrap();
    });
    let told = registry
        .reload(options(&one(limit(3)), "1"), |switch| switch())
        .unwrap();
    assert_eq!(told.held.len(), 1);
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
}

#[test]
fn a_file_waits_and_ends_no_hold() {
    let (site, registry, first) = site_held();
    fs::write(site.plugin("deal-desk.wasm"), saying("two")).unwrap();
    registry.refresh(NOW);
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    let two = Digest::of(&saying("two"));
    let status = registry.plugin_status(PLUGIN);
    assert_eq!((status.waits, held(&registry).is_some()), (Some(two), true));
    assert!(
        status.next[0].contains("b.keller went back whole, and no file ends that"),
        "{status:?}"
    );
    // nor when the host starts again, nor is it what ends the hold
    drop(registry);
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    registry
        .make_live(PLUGIN, Some(&two.to_string()), "b.keller")
        .unwrap();
    assert_eq!(live(&registry), Some(two));
}

#[test]
fn what_a_person_sends_to_go_live_ends_it() {
    let (_site, registry, _) = site_held();
    registry.push(PLUGIN, &saying("two"), "b.keller", false).unwrap();
    assert!(held(&registry).is_some());
    registry.push(PLUGIN, &saying("three"), "b.keller", true).unwrap();
    assert_eq!(
        (live(&registry), held(&registry)),
        (Some(Digest::of(&saying("three"))), None)
    );
    assert_eq!(revision(&registry, "de").settings, json!({"limit": 2}));
}

#[test]
fn sending_what_is_held_again_ends_it_by_who_sends() {
    let (site, registry, _) = site_held();
    registry.push(PLUGIN, &saying("one"), "a.roth", true).unwrap();
    assert_eq!((held(&registry), last(&site).0), (None, "a.roth".to_owned()));
    assert_eq!(revision(&registry, "de").settings, json!({"limit": 2}));
}

#[test]
fn going_back_to_a_component_ends_it() {
    let (_site, registry, _) = resettled();
    registry.offer(PLUGIN, &saying("two"), NOW);
    reload(&registry, &one(limit(3)));
    registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    assert_eq!(revision(&registry, "de").settings, json!({"limit": 2}));
    registry.go_back(PLUGIN, "b.keller").unwrap();
    assert_eq!(
        (live(&registry), held(&registry)),
        (Some(Digest::of(&saying("one"))), None)
    );
    assert_eq!(revision(&registry, "de").settings, json!({"limit": 3}));
}

#[test]
fn the_kill_switch_ends_it() {
    let (_site, registry, _) = site_held();
    registry.kill(PLUGIN, None, "b.keller", "wrong").unwrap();
    assert_eq!((live(&registry), held(&registry)), (None, None));
    let status = registry.plugin_status(PLUGIN);
    assert!(matches!(status.components[0].standing, Standing::Killed { .. }));
    // so that a file that mends it is live by itself
    registry.offer(PLUGIN, &saying("two"), NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("two"))));
}

#[test]
fn a_start_whose_config_says_the_same_ends_it() {
    let (mut site, registry, first) = site_held();
    drop(registry);
    site.bind(one(limit(1)));
    let registry = site.open();
    registry.refresh(NOW);
    has_ended_by_config(&site, &registry, first);
}

#[test]
fn where_the_one_from_before_was_taken_out_the_held_one_stays_when_it_ends() {
    let (_site, registry, _) = resettled();
    registry.offer(PLUGIN, &saying("two"), NOW);
    reload(&registry, &one(limit(3)));
    let (one, two) = (Digest::of(&saying("one")), Digest::of(&saying("two")));
    registry
        .make_revision_live(PLUGIN, &resettled().2.to_string(), "b.keller")
        .unwrap();
    let status = registry.plugin_status(PLUGIN).held.unwrap();
    assert_eq!((status.component, status.then), (one, two));
    registry
        .kill(PLUGIN, Some(&two.to_string()), "b.keller", "wrong")
        .unwrap();
    assert_eq!(registry.plugin_status(PLUGIN).held.unwrap().then, one);
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    assert_eq!((live(&registry), held(&registry)), (Some(one), None));
    assert_eq!(revision(&registry, "de").settings, json!({"limit": 3}));
}

#[test]
fn a_check_of_the_config_tells_of_it() {
    let (mut site, registry, _) = site_held();
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    let [told] = registry.obstacles_of_live().unwrap().try_into().unwrap();
    assert!(
        told.is_warning && told.reason.starts_with("held by b.keller since "),
        "{told:?}"
    );
    site.bind(one(json!({"settings": {"limit": 2}, "limits": {"fuel": 5}})));
    let told = site.open().obstacles_of_live().unwrap();
    let told: Vec<_> = told.iter().map(|it| (it.part, it.is_warning)).collect();
    assert_eq!(told, [(Part::Plugin, true), (Part::Limits, false)]);
}
