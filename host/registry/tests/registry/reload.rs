//! Another config while the host runs: all of it holds from one moment on, or nothing.

use std::{fs, sync::Arc};

use cambist_contract::{digest::Digest, share::Share};
use cambist_registry::{
    Binding, Ledger as _, NewPlugins, Options, Part, Registry, ReloadError, RouteError, Standing,
};
use serde_json::{Value, json};

use crate::double::{NOW, Site, binding, judge_of, judge_of_key, live, saying, verdict, with_case};

const PLUGIN: &str = "deal-desk";

/// Reloads with these bindings, and tells the plugins that changed.
fn reload(registry: &Registry, bindings: impl Into<Vec<Binding>>) -> Result<Vec<String>, ReloadError> {
    let options = Options {
        bindings: bindings.into(),
        ..Options::default()
    };
    let reloaded = registry.reload(options, |switch| switch())?;
    Ok(reloaded.plugins.into_iter().collect())
}

fn steps(site: &Site) -> Vec<(&'static str, String)> {
    let all = site.ledger.all().unwrap().into_iter();
    all.map(|it| (it.act.step.name(), it.act.by)).collect()
}

fn settings(registry: &Registry, region: &str) -> Value {
    let id = judge_of(registry, region, "").unwrap();
    registry.pinned(&id).unwrap().revision.settings.clone()
}

/// One that knows the setting `a` and no other, and has a case to find out.
fn picky() -> Vec<u8> {
    let mut component: Value = serde_json::from_slice(&with_case("yes", verdict("yes"))).unwrap();
    component["knows"] = json!("a");
    component.to_string().into_bytes()
}

#[test]
fn other_settings_make_another_revision_of_the_same_component() {
    let site = Site::new([binding(PLUGIN, json!({}))]);
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    let before = judge_of(&registry, "de", "").unwrap();
    let more = [
        binding(PLUGIN, json!({"settings": {"limit": 1}})),
        binding(PLUGIN, json!({"region": "fr", "settings": {"limit": 2}})),
    ];
    assert_eq!(reload(&registry, more.clone()).unwrap(), [PLUGIN]);
    assert_eq!(settings(&registry, "de"), json!({"limit": 1}));
    assert_eq!(settings(&registry, "fr"), json!({"limit": 2}));
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    assert_eq!(steps(&site).last().unwrap(), &("live", "config".to_owned()));
    // what began before finishes as it began
    assert_eq!(registry.pinned(&before).unwrap().revision.settings, json!({}));
    // the same again is nothing
    let count = steps(&site).len();
    assert!(reload(&registry, more).unwrap().is_empty());
    assert_eq!(steps(&site).len(), count);
}

#[test]
fn steps_that_belong_together_are_written_together_or_not_at_all() {
    let site = Site::new([binding("one", json!({})), binding("two", json!({"region": "fr"}))]);
    let registry = site.open();
    for plugin in ["one", "two"] {
        registry.offer(plugin, &saying(plugin), NOW);
    }
    let count = steps(&site).len();
    site.ledger.room(1);
    let changed = [
        binding("one", json!({"settings": {"limit": 1}})),
        binding("two", json!({"region": "fr", "settings": {"limit": 1}})),
    ];
    let error = reload(&registry, changed.clone()).unwrap_err();
    assert!(matches!(error, ReloadError::Trouble(_)), "{error}");
    assert_eq!(steps(&site).len(), count);
    assert_eq!(settings(&registry, "fr"), json!({}));
    site.ledger.room(2);
    assert_eq!(reload(&registry, changed).unwrap(), ["one", "two"]);
}

#[test]
fn nothing_changes_where_one_binding_does_not_pass() {
    let site = Site::new([binding("one", json!({})), binding("two", json!({"region": "fr"}))]);
    let registry = site.open();
    registry.offer("one", &saying("one"), NOW);
    registry.offer("two", &picky(), NOW);
    let (before, count) = (judge_of(&registry, "de", "").unwrap(), steps(&site).len());
    let error = reload(
        &registry,
        [
            binding("one", json!({"settings": {"limit": 1}})),
            binding("two", json!({"region": "fr", "settings": {"b": 1}})),
            binding("three", json!({"region": "in"})),
        ],
    )
    .unwrap_err();
    let ReloadError::Obstacles(obstacles) = error else {
        unreachable!("{error}")
    };
    let told: Vec<_> = obstacles.iter().map(|it| (it.binding, it.part)).collect();
    assert_eq!(told, [(2, Part::Plugin), (1, Part::Settings)]);
    assert!(
        obstacles[0].reason.contains("there is no three.wasm"),
        "{obstacles:?}"
    );
    assert_eq!(judge_of(&registry, "de", "").unwrap(), before);
    assert_eq!(steps(&site).len(), count);
}

#[test]
fn a_plugin_that_is_bound_from_now_on_comes_from_the_folder() {
    let site = Site::new([binding("one", json!({}))]);
    let registry = site.open();
    registry.offer("one", &saying("one"), NOW);
    fs::write(site.plugin("two.wasm"), saying("two")).unwrap();
    registry.refresh(NOW);
    let both = [binding("one", json!({})), binding("two", json!({"region": "fr"}))];
    reload(&registry, both).unwrap();
    // from the same moment on: no message meets a binding without a plugin
    let served = registry.pinned(&judge_of(&registry, "fr", "").unwrap()).unwrap();
    assert_eq!(served.revision.component, Digest::of(&saying("two")));
    let told = steps(&site);
    registry.refresh(NOW);
    assert_eq!(steps(&site), told, "the next look finds it as it is");
    assert_eq!(registry.plugin_status("two").refused, None);
    // and one that is bound no more serves nobody
    reload(&registry, [binding("two", json!({"region": "fr"}))]).unwrap();
    let error = judge_of(&registry, "de", "").unwrap_err();
    assert!(matches!(error, RouteError::NoBinding { .. }), "{error}");
}

#[test]
fn what_stands_beside_comes_along_or_is_withdrawn() {
    let site = Site::new([binding(PLUGIN, json!({}))]);
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    let two = registry.push(PLUGIN, &picky(), "b.keller", false).unwrap();
    registry.share(PLUGIN, None, Share::of(99), "b.keller").unwrap();
    let key = (0..).map(|key| format!("deal:{key}"));
    let key = key
        .into_iter()
        .find(|key| Share::of(99).takes(PLUGIN, key))
        .unwrap();
    let served = |registry: &Registry| {
        let pinned = registry.pinned(&judge_of_key(registry, &key)).unwrap();
        (pinned.revision.component, pinned.revision.settings.clone())
    };
    reload(&registry, [binding(PLUGIN, json!({"settings": {"a": 1}}))]).unwrap();
    assert_eq!(served(&registry), (two, json!({"a": 1})));
    reload(&registry, [binding(PLUGIN, json!({"settings": {"b": 1}}))]).unwrap();
    let one = Digest::of(&saying("one"));
    assert_eq!(served(&registry), (one, json!({"b": 1})));
    let status = registry.plugin_status(PLUGIN);
    let second = status.components.iter().find(|it| it.component == two).unwrap();
    assert_eq!(second.standing, Standing::Draining);
    let why = second.withdrawn.as_deref().unwrap();
    assert!(why.starts_with("it does not pass any more: "), "{why}");
}

#[test]
fn a_step_that_is_taken_meanwhile_is_taken_into_account() {
    let site = Site::new([binding(PLUGIN, json!({}))]);
    let registry = Arc::new(site.open());
    registry.offer(PLUGIN, &saying("one"), NOW);
    let meanwhile = Arc::clone(&registry);
    site.loader.meanwhile(move || {
        meanwhile.push(PLUGIN, &saying("two"), "b.keller", true).unwrap();
    });
    reload(&registry, [binding(PLUGIN, json!({"settings": {"a": 1}}))]).unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&saying("two"))));
    assert_eq!(settings(&registry, "de"), json!({"a": 1}));
}

#[test]
fn a_component_that_was_checked_on_the_old_terms_does_not_go_live_on_the_new() {
    let site = Site::new([binding(PLUGIN, json!({}))]);
    let registry = Arc::new(site.open());
    registry.offer(PLUGIN, &saying("one"), NOW);
    let meanwhile = Arc::clone(&registry);
    site.loader.meanwhile(move || {
        reload(&meanwhile, [binding(PLUGIN, json!({"settings": {"a": 1}}))]).unwrap();
    });
    let error = registry
        .push(PLUGIN, &saying("two"), "b.keller", true)
        .unwrap_err();
    assert!(
        error.to_string().contains("the config was reloaded while"),
        "{error}"
    );
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    registry.push(PLUGIN, &saying("two"), "b.keller", true).unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&saying("two"))));
}

#[test]
fn steps_that_cannot_be_written_change_nothing() {
    let site = Site::new([binding(PLUGIN, json!({}))]);
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    site.ledger.fail(true);
    let error = reload(&registry, [binding(PLUGIN, json!({"settings": {"a": 1}}))]).unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(settings(&registry, "de"), json!({}));
    site.ledger.fail(false);
    reload(&registry, [binding(PLUGIN, json!({"settings": {"a": 1}}))]).unwrap();
    assert_eq!(settings(&registry, "de"), json!({"a": 1}));
}

/// What a check of another config has of a host: what was done with plugins.
fn checked_by(site: &Site, bindings: impl Into<Vec<Binding>>) -> Site {
    let mut check = Site::new(bindings);
    check.ledger = Arc::clone(&site.ledger);
    check
}

#[test]
fn no_binding_goes_to_a_plugin_that_does_not_serve_yet() {
    let mut site = Site::new([binding("one", json!({}))]);
    site.new_plugins = NewPlugins::Wait;
    let registry = site.open();
    registry.push("one", &saying("one"), "b.keller", true).unwrap();
    fs::write(site.plugin("two.wasm"), saying("two")).unwrap();
    let holds = |bindings: Vec<Binding>| {
        let options = Options {
            bindings,
            new_plugins: NewPlugins::Wait,
            ..Options::default()
        };
        registry.reload(options, |switch| switch())
    };
    let refused = |why: &str| {
        let error = holds(vec![binding("two", json!({}))]).unwrap_err().to_string();
        assert!(
            error.contains("nothing of it is live, and `one` serves there now") && error.contains(why),
            "{error}"
        );
        assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    };
    refused("`new-plugins` has files wait");
    // a check of that config says so before
    let checked = |why: &str| {
        let mut next = checked_by(&site, [binding("two", json!({}))]);
        next.new_plugins = NewPlugins::Wait;
        let told = next.open().obstacles_of_live().unwrap();
        let told: Vec<_> = told
            .into_iter()
            .map(|it| (it.binding, it.is_warning, it.reason))
            .collect();
        assert!(
            matches!(&told[..], [(0, false, text)] if text.contains("`one` serves there now") && text.contains(why)),
            "{told:?}"
        );
    };
    checked("`new-plugins` has files wait");
    // where files are live at once, it comes with its binding
    let at_once = checked_by(&site, [binding("two", json!({}))]);
    assert_eq!(at_once.open().obstacles_of_live().unwrap(), []);
    // it waits where nobody is, and then takes the binding over
    let apart = binding("two", json!({"unit": "nobody"}));
    holds(vec![binding("one", json!({})), apart.clone()]).unwrap();
    registry.refresh(NOW);
    refused("passed and waits; `cambist plugin live two ");
    checked("passed and waits; `cambist plugin live two ");
    registry.make_live("two", None, "b.keller").unwrap();
    holds(vec![binding("two", json!({})), apart]).unwrap();
    let next = || checked_by(&site, [binding("two", json!({}))]);
    assert_eq!(next().open().obstacles_of_live().unwrap(), []);
    assert_eq!(live(&registry), Some(Digest::of(&saying("two"))));
    // what was taken out keeps no config from holding: nothing serves there now either
    registry.kill("two", None, "b.keller", "wrong totals").unwrap();
    holds(vec![binding("two", json!({"settings": {"a": 1}}))]).unwrap();
    assert_eq!(live(&registry), None);
    assert_eq!(
        next().open().obstacles_of_live().unwrap(),
        [],
        "`one` serves there no more"
    );
}

#[test]
fn a_component_that_was_taken_out_does_not_come_back_by_a_config() {
    let site = Site::new([binding("one", json!({})), binding("two", json!({"region": "fr"}))]);
    let registry = site.open();
    for plugin in ["one", "two"] {
        fs::write(site.plugin(&format!("{plugin}.wasm")), saying(plugin)).unwrap();
    }
    registry.refresh(NOW);
    reload(&registry, [binding("one", json!({}))]).unwrap();
    registry.kill("two", None, "b.keller", "wrong totals").unwrap();
    let both = [binding("one", json!({})), binding("two", json!({"region": "fr"}))];
    let error = reload(&registry, both).unwrap_err().to_string();
    assert!(error.contains("it was taken out: wrong totals"), "{error}");
}

#[test]
fn nor_one_that_is_taken_out_while_the_config_is_checked() {
    let mut site = Site::new([binding("one", json!({})), binding("two", json!({"region": "fr"}))]);
    site.new_plugins = NewPlugins::Wait;
    let registry = Arc::new(site.open());
    registry.push("one", &saying("one"), "b.keller", true).unwrap();
    fs::write(site.plugin("two.wasm"), saying("two")).unwrap();
    registry.refresh(NOW);
    reload(&registry, [binding("one", json!({}))]).unwrap();
    let (loader, meanwhile) = (Arc::clone(&site.loader), Arc::clone(&registry));
    // the one that serves is loaded first
    site.loader.meanwhile(move || {
        loader.meanwhile(move || {
            let named = Digest::of(&saying("two")).to_string();
            meanwhile
                .kill("two", Some(&named), "b.keller", "wrong totals")
                .unwrap();
        });
    });
    let both = [binding("one", json!({})), binding("two", json!({"region": "fr"}))];
    let error = reload(&registry, both).unwrap_err().to_string();
    assert!(error.contains("it was taken out: wrong totals"), "{error}");
    assert!(
        judge_of(&registry, "fr", "").is_ok_and(|id| {
            registry.pinned(&id).unwrap().revision.component == Digest::of(&saying("one"))
        })
    );
}
