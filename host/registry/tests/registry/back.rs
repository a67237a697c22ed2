//! Going back whole: the revisions that were live serve again as they were, or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
};

use cambist_contract::{digest::Digest, revision::Revision, rollout::Step, share::Share};
use cambist_registry::{Binding, Ledger as _, Options, Part, Registry, RolloutError};
use serde_json::{Value, json};

use crate::double::{NOW, Site, binding, judge_of, judge_of_key, live, saying};

pub(crate) const PLUGIN: &str = "deal-desk";

/// Another config, of these bindings and a table `rates`.
pub(crate) fn options(bindings: &[Binding], rate: &str) -> Options {
    let rates = BTreeMap::from([("eur".to_owned(), json!(rate))]);
    Options {
        bindings: bindings.to_vec(),
        tables: [("rates".to_owned(), rates)].into(),
        ..Options::default()
    }
}

pub(crate) fn reload(registry: &Registry, bindings: &[Binding]) {
    registry
        .reload(options(bindings, "1"), |switch| switch())
        .unwrap();
}

/// One binding with these terms.
pub(crate) fn one(terms: Value) -> Vec<Binding> {
    vec![binding(PLUGIN, terms)]
}

pub(crate) fn limit(limit: u32) -> Value {
    json!({"settings": {"limit": limit}})
}

pub(crate) fn revision(registry: &Registry, region: &str) -> Arc<Revision> {
    let id = judge_of(registry, region, "").unwrap();
    registry.pinned(&id).unwrap().revision
}

/// A host at which `one` serves with the limit 1 and then with 2, and the revision of the first.
pub(crate) fn resettled() -> (Site, Registry, Digest) {
    let site = Site::new(one(limit(1)));
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    let first = judge_of(&registry, "de", "").unwrap();
    reload(&registry, &one(limit(2)));
    assert_ne!(judge_of(&registry, "de", "").unwrap(), first);
    (site, registry, first)
}

pub(crate) fn held(registry: &Registry) -> Option<(String, Vec<Part>)> {
    let held = registry.plugin_status(PLUGIN).held?;
    let parts = held.bindings.into_iter().flat_map(|it| it.differs);
    Some((held.by, parts.collect()))
}

/// The last step: who took it, of which component, and whether it holds the plugin.
pub(crate) fn last(site: &Site) -> (String, Digest, Option<bool>) {
    let act = site.ledger.all().unwrap().pop().unwrap().act;
    let held = match act.step {
        Step::Live { held, .. } => Some(held),
        _ => None,
    };
    (act.by, act.component, held)
}

fn refused(registry: &Registry) -> String {
    let error = registry.go_back_whole(PLUGIN, "b.keller").unwrap_err();
    assert!(matches!(error, RolloutError::NotAsItWas { .. }), "{error}");
    error.to_string()
}

#[test]
fn after_a_change_of_settings_alone_the_old_ones_serve_again() {
    let (site, registry, first) = resettled();
    let second = judge_of(&registry, "de", "").unwrap();
    let component = registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    assert_eq!(component, Digest::of(&saying("one")));
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    assert_eq!(revision(&registry, "de").settings, json!({"limit": 1}));
    assert_eq!(last(&site), ("b.keller".to_owned(), component, Some(true)));
    assert_eq!(
        held(&registry),
        Some(("b.keller".to_owned(), vec![Part::Settings]))
    );
    // what began meanwhile finishes on what it began with
    assert_eq!(
        registry.pinned(&second).unwrap().revision.settings,
        json!({"limit": 2})
    );
    // once more is where it began: that is what the config says, so nothing is held
    registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    assert_eq!(judge_of(&registry, "de", "").unwrap(), second);
    assert_eq!((held(&registry), last(&site).2), (None, Some(false)));
}

/// A host whose binding is granted a table, in its first state.
fn with_rates() -> (Vec<Binding>, Site, Registry) {
    let bindings = one(json!({"grants": ["log", "reference:rates"]}));
    let mut site = Site::new(bindings.clone());
    site.tables = options(&bindings, "1").tables;
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    (bindings, site, registry)
}

#[test]
fn after_a_change_of_tables_alone_the_old_rows_serve_again() {
    let (bindings, _site, registry) = with_rates();
    let first = judge_of(&registry, "de", "").unwrap();
    registry
        .reload(options(&bindings, "2"), |switch| switch())
        .unwrap();
    assert_eq!(revision(&registry, "de").tables["rates"]["eur"], json!("2"));
    registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    assert_eq!(revision(&registry, "de").tables["rates"]["eur"], json!("1"));
    assert_eq!(held(&registry).unwrap().1, [Part::Tables]);
}

#[test]
fn component_and_settings_of_all_bindings_go_back_in_one_step() {
    let both = |limit: u32| {
        ["de", "in"].map(|region| binding(PLUGIN, json!({"region": region, "settings": {"limit": limit}})))
    };
    let mut site = Site::new(both(1));
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    let first = ["de", "in"].map(|region| judge_of(&registry, region, "").unwrap());
    drop(registry);
    // another component and other settings in one step: while the host was down
    site.bind(both(2));
    fs::create_dir_all(site.plugin("")).unwrap();
    fs::write(site.plugin("deal-desk.wasm"), saying("two")).unwrap();
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("two"))));
    let steps = site.ledger.all().unwrap().len();
    registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    let now = ["de", "in"].map(|region| judge_of(&registry, region, "").unwrap());
    assert_eq!(now, first);
    assert_eq!(
        site.ledger.all().unwrap().len(),
        steps + 1,
        "both bindings by one step"
    );
    let parts = held(&registry).unwrap().1;
    let both = [Part::Component, Part::Settings];
    assert_eq!(parts, [both, both].concat());
    // by its end both have what the config says, on the component from before
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&saying("two"))));
    assert_eq!(revision(&registry, "in").settings, json!({"limit": 2}));
    assert_eq!(held(&registry), None);
}

#[test]
fn an_older_revision_is_named_by_how_its_id_begins() {
    let (site, registry, first) = resettled();
    reload(&registry, &one(limit(3)));
    let wanted = &first.to_string()[..12];
    registry.make_revision_live(PLUGIN, wanted, "b.keller").unwrap();
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    assert_eq!(held(&registry).unwrap().1, [Part::Settings]);
    assert_eq!(last(&site).2, Some(true));
    let of = |wanted: &str| {
        registry
            .make_revision_live(PLUGIN, wanted, "b.keller")
            .unwrap_err()
    };
    assert!(matches!(of("no such"), RolloutError::NoRevision { .. }));
    assert!(matches!(of(""), RolloutError::AmbiguousRevision { .. }));
    // one that is live says so by being what the config says, and writes nothing
    let steps = site.ledger.all().unwrap().len();
    registry.make_revision_live(PLUGIN, wanted, "b.keller").unwrap();
    assert_eq!(site.ledger.all().unwrap().len(), steps);
}

#[test]
fn what_was_never_otherwise_has_nothing_to_go_back_to() {
    let site = Site::new(one(limit(1)));
    let registry = site.open();
    let of = |registry: &Registry| registry.go_back_whole(PLUGIN, "b.keller").unwrap_err();
    assert!(matches!(of(&registry), RolloutError::NoPlugin(_)));
    registry.offer(PLUGIN, &saying("one"), NOW);
    assert!(matches!(of(&registry), RolloutError::None { .. }));
}

#[test]
fn what_todays_config_bounds_is_refused_part_by_part() {
    let site = Site::new(one(json!({
        "grants": ["log", "links:odoo"], "limits": {"fuel": 200, "depth": 9}, "isolation": {"calls": 100},
    })));
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    let narrower = one(json!({"limits": {"fuel": 100, "depth": 9}, "isolation": {"calls": 10}}));
    reload(&registry, &narrower);
    let (before, steps) = (
        judge_of(&registry, "de", "").unwrap(),
        site.ledger.all().unwrap().len(),
    );
    let why = refused(&registry);
    for part in [
        "may import `links:odoo`, which the binding does not grant any more",
        "may use `fuel` = 200, and the binding allows 100; raise the limit",
        "keeps an instance for 100 calls, and the binding allows 10",
        "nothing was changed",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(!why.contains("depth"), "{why}");
    assert_eq!(judge_of(&registry, "de", "").unwrap(), before);
    assert_eq!(site.ledger.all().unwrap().len(), steps);
    // wider ones of today are no hindrance, and change nothing of what it was
    reload(
        &registry,
        &one(json!({
            "grants": ["log", "links:odoo"], "limits": {"fuel": 300, "depth": 9}, "isolation": {"calls": 200},
        })),
    );
    let id = site
        .ledger
        .all()
        .unwrap()
        .into_iter()
        .find_map(|it| match it.act.step {
            Step::Live { revisions, .. } => revisions.into_values().next(),
            _ => None,
        });
    let id = id.unwrap().to_string();
    registry.make_revision_live(PLUGIN, &id, "b.keller").unwrap();
    assert_eq!(revision(&registry, "de").limits.fuel, 200);
}

#[test]
fn a_table_that_is_not_granted_any_more_is_refused() {
    let (_, _site, registry) = with_rates();
    reload(&registry, &one(json!({})));
    let why = refused(&registry);
    assert!(why.contains("may import `reference:rates`"), "{why}");
}

#[test]
fn other_bindings_than_today_are_refused() {
    let region = |region: &str| binding(PLUGIN, json!({"region": region}));
    let site = Site::new([region("de"), region("in")]);
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    reload(&registry, &[region("de"), region("fr")]);
    let why = refused(&registry);
    assert!(
        why.contains(
            "binding `judge region=in` had a revision then, and the config does not bind plugin `deal-desk` there any \
             more; bind it again"
        ),
        "{why}"
    );
    assert!(
        why.contains("binding `judge region=fr` had no revision then"),
        "{why}"
    );
}

#[test]
fn the_one_component_that_a_binding_takes_is_kept_to() {
    let site = Site::new(one(json!({})));
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    registry.offer(PLUGIN, &saying("two"), NOW);
    reload(&registry, &one(json!({"component": Digest::of(&saying("two"))})));
    let why = refused_of(&registry, &site, &saying("one"));
    assert!(why.contains("takes") && why.contains("alone"), "{why}");
}

/// Why the first revision of a component may not serve again.
fn refused_of(registry: &Registry, site: &Site, component: &[u8]) -> String {
    let id = site
        .ledger
        .all()
        .unwrap()
        .into_iter()
        .find_map(|it| match it.act.step {
            Step::Live { revisions, .. } if it.act.component == Digest::of(component) => {
                revisions.into_values().next()
            }
            _ => None,
        });
    let id = id.unwrap().to_string();
    let error = registry.make_revision_live(PLUGIN, &id, "b.keller").unwrap_err();
    assert!(matches!(error, RolloutError::NotAsItWas { .. }), "{error}");
    error.to_string()
}

#[test]
fn what_was_taken_out_stays_out() {
    let (site, registry, _) = resettled();
    let one = Digest::of(&saying("one"));
    registry.offer(PLUGIN, &saying("two"), NOW);
    registry
        .kill(PLUGIN, Some(&one.to_string()), "b.keller", "wrong totals")
        .unwrap();
    let why = refused(&registry);
    assert!(why.contains("it was taken out: wrong totals"), "{why}");
    // where the live one is taken out, it goes back past all that it was
    registry.offer(PLUGIN, &saying("three"), NOW);
    reload(&registry, &self::one(limit(4)));
    registry.kill(PLUGIN, None, "b.keller", "wrong as well").unwrap();
    assert_eq!(live(&registry), None);
    registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&saying("two"))));
    assert_eq!(revision(&registry, "de").settings, json!({"limit": 2}));
    drop(site);
}

#[test]
fn what_is_taken_out_while_it_is_checked_stays_out_too() {
    let (site, registry, _) = resettled();
    let registry = Arc::new(registry);
    let other = Arc::clone(&registry);
    site.loader.meanwhile(move || {
        other.kill(PLUGIN, None, "a.roth", "wrong totals").unwrap();
    });
    let error = registry.go_back_whole(PLUGIN, "b.keller").unwrap_err();
    assert!(
        error.to_string().contains("it was taken out: wrong totals"),
        "{error}"
    );
    assert_eq!((live(&registry), held(&registry)), (None, None));
}

#[test]
fn what_the_archive_lost_is_said() {
    let (site, registry, first) = resettled();
    for path in site.archived("revisions") {
        if path.to_string_lossy().contains(&first.to_string()) {
            fs::remove_file(path).unwrap();
        }
    }
    let why = refused(&registry);
    let told = format!("does not keep revision {}", first.short());
    assert!(why.contains(&told), "{why}");
    let path = site.archived("components").pop().unwrap();
    fs::write(path, "another").unwrap();
    let why = refused(&registry);
    assert!(why.contains("the kept component was changed on disk"), "{why}");
}

#[test]
fn the_hosts_own_trouble_changes_nothing_and_passes() {
    let (site, registry, first) = resettled();
    let before = judge_of(&registry, "de", "").unwrap();
    site.loader.trouble.store(1, std::sync::atomic::Ordering::SeqCst);
    let error = registry.go_back_whole(PLUGIN, "b.keller").unwrap_err();
    assert!(matches!(error, RolloutError::Trouble(_)), "{error}");
    site.ledger.fail(true);
    let error = registry.go_back_whole(PLUGIN, "b.keller").unwrap_err();
    assert!(matches!(error, RolloutError::Trouble(_)), "{error}");
    assert_eq!(judge_of(&registry, "de", "").unwrap(), before);
    assert_eq!(held(&registry), None);
    site.ledger.fail(false);
    registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
}

#[test]
fn what_stands_beside_stays_there_as_at_any_other_step() {
    let (_site, registry, first) = resettled();
    registry.push(PLUGIN, &saying("two"), "b.keller", false).unwrap();
    registry.share(PLUGIN, None, Share::of(50), "b.keller").unwrap();
    registry.go_back_whole(PLUGIN, "b.keller").unwrap();
    let served: BTreeSet<_> = (0..40)
        .map(|key| judge_of_key(&registry, &key.to_string()))
        .collect();
    assert!(served.contains(&first) && served.len() == 2, "{served:?}");
    // of which the share has today's settings, the rest those that it had
    let shared = served.into_iter().find(|id| *id != first).unwrap();
    assert_eq!(
        registry.pinned(&shared).unwrap().revision.settings,
        json!({"limit": 2})
    );
}
