//! What status tells of a file that is not live though nothing is wrong with it: why, and the
//! commands that lead on.

use std::fs;

use cambist_contract::digest::Digest;
use cambist_registry::{Ledger as _, NewPlugins, PluginStatus, Registry};
use jiff::SignedDuration;
use serde_json::json;

use crate::double::{NOW, Site, binding, live, saying};

const PLUGIN: &str = "deal-desk";

fn site() -> Site {
    let site = Site::new([binding(PLUGIN, json!({}))]);
    fs::create_dir_all(site.plugin("")).unwrap();
    site
}

fn put(site: &Site, says: &str) -> Digest {
    fs::write(site.plugin("deal-desk.wasm"), saying(says)).unwrap();
    Digest::of(&saying(says))
}

fn status(registry: &Registry) -> PluginStatus {
    registry.plugin_status(PLUGIN)
}

#[test]
fn a_file_that_was_gone_back_from_says_so_however_often_it_comes_and_who_made_it_so() {
    let site = site();
    let registry = site.open();
    let one = put(&site, "one");
    registry.refresh(NOW);
    let two = put(&site, "two");
    registry.refresh(NOW);
    assert_eq!(status(&registry).refused, None);
    registry.go_back(PLUGIN, "b.keller").unwrap();
    let told = |registry: &Registry| {
        let status = status(registry);
        assert_eq!((live(registry), status.live), (Some(one), Some(one)));
        let why = status.refused.unwrap();
        let (one, two) = (one.short(), two.short());
        let words = format!("component {two} was live, and b.keller made {one} live in its place at ");
        assert!(why.starts_with(&words), "{why}");
        let way_out = format!("`cambist plugin live deal-desk {two}` makes it live, or drop a new build");
        assert!(why.ends_with(&way_out), "{why}");
    };
    // at once, and without a look
    told(&registry);
    registry.refresh(NOW);
    let steps = site.ledger.all().unwrap();
    put(&site, "two");
    registry.refresh(NOW);
    told(&registry);
    fs::remove_file(site.plugin("deal-desk.wasm")).unwrap();
    registry.refresh(NOW);
    put(&site, "two");
    registry.refresh(NOW + SignedDuration::from_secs(60));
    told(&registry);
    let registry = site.open();
    registry.refresh(NOW);
    told(&registry);
    assert_eq!(site.ledger.all().unwrap(), steps, "nothing was undone");

    // the two ways out
    registry
        .make_live(PLUGIN, Some(&two.short()), "b.keller")
        .unwrap();
    assert_eq!((status(&registry).refused, live(&registry)), (None, Some(two)));
    registry.go_back(PLUGIN, "b.keller").unwrap();
    let three = put(&site, "three");
    registry.refresh(NOW);
    assert_eq!((status(&registry).refused, live(&registry)), (None, Some(three)));
}

#[test]
fn a_file_that_was_taken_out_says_so_also_where_another_is_live_by_now() {
    let site = site();
    let registry = site.open();
    put(&site, "one");
    registry.refresh(NOW);
    let two = put(&site, "two");
    registry.refresh(NOW);
    registry.kill(PLUGIN, None, "b.keller", "wrong totals").unwrap();
    registry.go_back(PLUGIN, "b.keller").unwrap();
    let told = format!(
        "it was taken out: wrong totals; `cambist plugin live deal-desk {}` puts it back",
        two.short()
    );
    assert_eq!(status(&registry).refused, Some(told));
    // made live again it is not said any more
    registry
        .make_live(PLUGIN, Some(&two.short()), "b.keller")
        .unwrap();
    assert_eq!(status(&registry).refused, None);
}

#[test]
fn what_waits_or_stands_beside_is_told_with_the_command_that_leads_on() {
    let mut site = site();
    site.new_plugins = NewPlugins::Shadow;
    let registry = site.open();
    registry.push(PLUGIN, &saying("one"), "ci", true).unwrap();
    let two = put(&site, "two");
    registry.refresh(NOW);
    let [next] = status(&registry).next.try_into().unwrap();
    for words in [
        format!("component {} is called beside", two.short()),
        "`cambist plugin diff deal-desk`".to_owned(),
        format!("`cambist plugin live deal-desk {}`", two.short()),
    ] {
        assert!(next.contains(&words), "{next}");
    }
    registry.withdraw(PLUGIN, "b.keller", "seen enough").unwrap();
    let [next] = status(&registry).next.try_into().unwrap();
    for words in [
        format!(
            "component {} passed and waits (withdrawn: seen enough); ",
            two.short()
        ),
        format!("`cambist plugin live deal-desk {}` makes it live", two.short()),
        format!("`cambist plugin shadow deal-desk {}` compares it", two.short()),
    ] {
        assert!(next.contains(&words), "{next}");
    }
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    assert!(status(&registry).next.is_empty());
}

#[test]
fn a_kill_is_told_also_where_another_component_waits() {
    let mut site = site();
    site.new_plugins = NewPlugins::Wait;
    let registry = site.open();
    put(&site, "one");
    registry.refresh(NOW);
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    let two = registry.push(PLUGIN, &saying("two"), "b.keller", false).unwrap();
    registry.kill(PLUGIN, None, "b.keller", "wrong totals").unwrap();
    let way_out = format!(
        "component {two} passed and waits; `cambist plugin live deal-desk {two}` makes it live",
        two = two.short()
    );
    let why = status(&registry).refused.unwrap();
    let killed = "its live component was taken out: wrong totals; ";
    assert!(why.starts_with(killed) && why.contains(&way_out), "{why}");
    // and what is wrong with a file that comes then
    fs::write(site.plugin("deal-desk.wasm"), "broken").unwrap();
    registry.refresh(NOW);
    let why = status(&registry).refused.unwrap();
    assert!(why.starts_with("not a WebAssembly component: "), "{why}");
    assert!(why.contains(killed) && why.contains(&way_out), "{why}");
}
