//! What stands beside the live revision: shadows and shares.

use std::{collections::BTreeSet, fs, sync::Arc, time::Duration};

use cambist_contract::{delivery::NextTry, digest::Digest, plugin::Ended, rollout::Step, share::Share};
use cambist_registry::{Ledger as _, NewPlugins, Registry, RolloutError, Standing};
use serde_json::json;

use crate::double::{NOW, Site, binding, judge_of_key, live, saying, verdict, with_case};

const PLUGIN: &str = "deal-desk";
const SHORT: Duration = Duration::from_micros(100);

fn site() -> Site {
    Site::new([binding(PLUGIN, json!({}))])
}

/// A host with `one` live and `two` sent in.
fn with_two(site: &Site) -> (Registry, Digest) {
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    let two = registry.push(PLUGIN, &saying("two"), "b.keller", false).unwrap();
    (registry, two)
}

fn standing(registry: &Registry, component: &Digest) -> Standing {
    let status = registry.plugin_status(PLUGIN);
    let mut all = status.components.into_iter();
    all.find(|it| it.component == *component).unwrap().standing
}

fn withdrawn(registry: &Registry, component: &Digest) -> Option<String> {
    let status = registry.plugin_status(PLUGIN);
    let mut all = status.components.into_iter();
    all.find(|it| it.component == *component).unwrap().withdrawn
}

/// The component that each of many keys is served by.
fn served(registry: &Registry) -> Vec<Digest> {
    let of = |key: u32| {
        let revision = judge_of_key(registry, &format!("deal:{key}"));
        registry.pinned(&revision).unwrap().revision.component
    };
    (0..1_000).map(of).collect()
}

fn steps(site: &Site) -> Vec<(&'static str, String)> {
    let all = site.ledger.all().unwrap().into_iter();
    all.map(|it| (it.act.step.name(), it.act.by)).collect()
}

#[test]
fn a_shadow_serves_nobody_and_stands_beside_the_live_revision() {
    let site = site();
    let (registry, two) = with_two(&site);
    let revision = judge_of_key(&registry, "deal:1");
    assert!(registry.shadow(&revision).is_none());
    let put = registry.shadow_live(PLUGIN, None, "b.keller").unwrap();
    assert_eq!((put, standing(&registry, &two)), (two, Standing::Shadow));
    let one = Digest::of(&saying("one"));
    assert_eq!(served(&registry), vec![one; 1_000]);
    let shadow = registry.shadow(&revision).unwrap();
    assert_eq!(shadow.revision.component, two);
    assert!(registry.shadow(&shadow.id).is_none(), "it has none itself");
    let [status] = registry.binding_statuses().try_into().unwrap();
    assert_eq!(
        (status.revision, status.beside),
        (Some(revision), Some(shadow.id))
    );

    registry.withdraw(PLUGIN, "b.keller", "seen enough").unwrap();
    assert!(registry.shadow(&revision).is_none());
    assert_eq!(standing(&registry, &two), Standing::Candidate);
    assert_eq!(withdrawn(&registry, &two).as_deref(), Some("seen enough"));
    let error = registry.withdraw(PLUGIN, "b.keller", "again").unwrap_err();
    assert!(matches!(error, RolloutError::None { .. }), "{error}");
}

#[test]
fn what_stands_beside_is_there_again_after_a_restart() {
    let mut site = site();
    let (registry, two) = with_two(&site);
    registry.shadow_live(PLUGIN, None, "b.keller").unwrap();
    drop(registry);
    let before = steps(&site).len();
    let registry = site.open();
    registry.refresh(NOW);
    let shadow = registry.shadow(&judge_of_key(&registry, "deal:1")).unwrap();
    assert_eq!(shadow.revision.component, two);
    assert_eq!(steps(&site).len(), before, "nothing is written of it");
    registry.share(PLUGIN, None, Share::of(30), "b.keller").unwrap();
    let shared = served(&registry);
    drop(registry);
    // other settings make another revision of the same component
    site.bind([binding(PLUGIN, json!({"settings": {"a": 1}}))]);
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(served(&registry), shared, "the same keys");
    let config = |name| (name, "config".to_owned());
    assert!(steps(&site).ends_with(&[config("live"), config("share")]));
}

#[test]
fn what_is_withdrawn_while_a_start_checks_it_stays_withdrawn() {
    let site = site();
    let (registry, two) = with_two(&site);
    registry.shadow_live(PLUGIN, None, "b.keller").unwrap();
    drop(registry);
    let registry = Arc::new(site.open());
    let (loader, meanwhile) = (Arc::clone(&site.loader), Arc::clone(&registry));
    // the live one is loaded first
    site.loader.meanwhile(move || {
        loader.meanwhile(move || {
            meanwhile.withdraw(PLUGIN, "b.keller", "too late").unwrap();
        });
    });
    registry.refresh(NOW);
    assert_eq!(standing(&registry, &two), Standing::Candidate);
    assert!(registry.shadow(&judge_of_key(&registry, "deal:1")).is_none());
    assert_eq!(steps(&site).last().unwrap().0, "withdrawn");
}

#[test]
fn what_does_not_pass_any_more_is_withdrawn_at_the_start() {
    let mut site = site();
    let registry = site.open();
    registry.offer(PLUGIN, &saying("one"), NOW);
    let picky = json!({"says": "two", "knows": "a", "cases": serde_json::from_slice::<serde_json::Value>(
        &with_case("two", verdict("two"))).unwrap()["cases"]});
    let two = registry
        .push(PLUGIN, picky.to_string().as_bytes(), "b.keller", false)
        .unwrap();
    registry.shadow_live(PLUGIN, None, "b.keller").unwrap();
    drop(registry);
    site.bind([binding(PLUGIN, json!({"settings": {"b": 1}}))]);
    let registry = site.open();
    registry.refresh(NOW);
    assert!(registry.shadow(&judge_of_key(&registry, "deal:1")).is_none());
    let why = withdrawn(&registry, &two).unwrap();
    assert!(
        why.starts_with("it does not pass any more: it does not take the settings"),
        "{why}"
    );
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
}

#[test]
fn a_share_serves_its_keys_and_no_other_and_they_stay_when_it_grows() {
    let site = site();
    let (registry, two) = with_two(&site);
    let one = Digest::of(&saying("one"));
    let mut before = BTreeSet::new();
    for percent in [10, 40, 90] {
        registry
            .share(PLUGIN, None, Share::of(percent), "b.keller")
            .unwrap();
        let served = served(&registry);
        let taken: BTreeSet<usize> = (0..1_000).filter(|key| served[*key] == two).collect();
        let expected: BTreeSet<usize> = (0..1_000)
            .filter(|key| Share::of(percent).takes(PLUGIN, &format!("deal:{key}")))
            .collect();
        assert_eq!(taken, expected);
        assert!(served.iter().all(|component| [one, two].contains(component)));
        assert!(before.is_subset(&taken));
        before = taken;
    }
    assert!(matches!(standing(&registry, &two), Standing::Sharing { share } if share.percent == 90));
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    assert_eq!(served(&registry), vec![two; 1_000]);
    assert_eq!(standing(&registry, &two), Standing::Live);
    registry.go_back(PLUGIN, "b.keller").unwrap();
    assert_eq!(served(&registry), vec![one; 1_000]);
}

#[test]
fn a_share_that_breaks_goes_back_by_itself_and_says_why() {
    let site = site();
    let (registry, two) = with_two(&site);
    registry.share(PLUGIN, None, Share::of(50), "b.keller").unwrap();
    let (one, revision) = (Digest::of(&saying("one")), Share::of(50));
    let key = (0..)
        .find(|key| revision.takes(PLUGIN, &format!("deal:{key}")))
        .unwrap();
    let revision = judge_of_key(&registry, &format!("deal:{key}"));
    for _ in 0..2 {
        registry.called(&revision, SHORT, Ended::Broke);
    }
    assert!(matches!(standing(&registry, &two), Standing::Sharing { .. }));
    // the ledger does not take it down: it stays, and the next one tells again
    site.ledger.fail(true);
    registry.called(&revision, SHORT, Ended::Broke);
    assert!(matches!(standing(&registry, &two), Standing::Sharing { .. }));
    site.ledger.fail(false);
    registry.called(&revision, SHORT, Ended::Broke);
    assert_eq!(standing(&registry, &two), Standing::Draining);
    let why = Some("4 of its 4 calls broke, and 5 % may".to_owned());
    assert_eq!(withdrawn(&registry, &two), why);
    assert_eq!(steps(&site).last().unwrap(), &("withdrawn", "host".to_owned()));
    assert_eq!(served(&registry), vec![one; 1_000]);
    // what was pinned to it finishes on it
    assert_eq!(registry.pinned(&revision).unwrap().revision.component, two);
    registry.called(&revision, SHORT, Ended::Broke);
    registry.refresh(NOW);
    assert_eq!(standing(&registry, &two), Standing::Retired);
    assert_eq!(withdrawn(&registry, &two), why, "it is still told");
}

#[test]
fn what_the_live_one_breaks_on_ends_no_share() {
    let site = site();
    let (registry, two) = with_two(&site);
    registry.share(PLUGIN, None, Share::of(1), "b.keller").unwrap();
    let live = (0..)
        .map(|key| judge_of_key(&registry, &format!("deal:{key}")))
        .find(|id| registry.pinned(id).unwrap().revision.component != two)
        .unwrap();
    for _ in 0..10 {
        registry.called(&live, SHORT, Ended::Broke);
    }
    assert!(matches!(standing(&registry, &two), Standing::Sharing { .. }));
}

/// The revisions of the live component and of the one that has half of the keys.
fn halves(registry: &Registry, two: &Digest) -> [Digest; 2] {
    let mut of: Vec<_> = (0..100)
        .map(|key| judge_of_key(registry, &format!("deal:{key}")))
        .collect();
    of.sort();
    of.dedup();
    let is_share = |id: &Digest| registry.pinned(id).unwrap().revision.component == *two;
    let [live, share] = [false, true].map(|side| *of.iter().find(|id| is_share(id) == side).unwrap());
    [live, share]
}

#[test]
fn a_share_that_refuses_what_the_live_one_takes_goes_back_and_bad_messages_send_none_back() {
    let site = site();
    let (registry, two) = with_two(&site);
    registry.share(PLUGIN, None, Share::of(50), "b.keller").unwrap();
    let [live, share] = halves(&registry, &two);
    for _ in 0..50 {
        registry.called(&live, SHORT, Ended::Refused);
        registry.called(&share, SHORT, Ended::Refused);
    }
    assert!(matches!(standing(&registry, &two), Standing::Sharing { .. }));
    for _ in 0..200 {
        registry.called(&live, SHORT, Ended::Answered);
        registry.called(&share, SHORT, Ended::Refused);
    }
    assert_eq!(standing(&registry, &two), Standing::Draining);
    let why = withdrawn(&registry, &two).unwrap();
    assert!(
        why.starts_with("it refuses ") && why.contains("the live one 50 of "),
        "{why}"
    );
    assert_eq!(served(&registry), vec![Digest::of(&saying("one")); 1_000]);
}

#[test]
fn a_kill_takes_what_stands_beside_out_too() {
    let site = site();
    let (registry, two) = with_two(&site);
    registry.share(PLUGIN, None, Share::of(99), "b.keller").unwrap();
    let key = (0..)
        .find(|key| Share::of(99).takes(PLUGIN, &format!("deal:{key}")))
        .unwrap();
    let revision = judge_of_key(&registry, &format!("deal:{key}"));
    registry
        .kill(PLUGIN, Some(&two.short()), "b.keller", "wrong totals")
        .unwrap();
    assert_eq!(served(&registry), vec![Digest::of(&saying("one")); 1_000]);
    let error = registry.pinned(&revision).err().unwrap();
    assert_eq!(error.next_try(), NextTry::Park);
    let error = registry
        .shadow_live(PLUGIN, Some(&two.short()), "b.keller")
        .unwrap_err();
    assert!(
        error.to_string().contains("it was taken out: wrong totals"),
        "{error}"
    );
}

#[test]
fn nothing_stands_beside_itself_or_beside_nothing() {
    let site = site();
    let registry = site.open();
    let one = registry.push(PLUGIN, &saying("one"), "b.keller", false).unwrap();
    let error = registry.shadow_live(PLUGIN, None, "b.keller").unwrap_err();
    assert!(matches!(error, RolloutError::NothingLive(_)), "{error}");
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    let error = registry
        .shadow_live(PLUGIN, Some(&one.short()), "b.keller")
        .unwrap_err();
    assert!(matches!(error, RolloutError::IsLive { .. }), "{error}");
    for percent in [0, 100] {
        let error = registry
            .share(PLUGIN, Some(&one.short()), Share::of(percent), "b.keller")
            .unwrap_err();
        assert!(matches!(error, RolloutError::NoShare), "{error}");
    }
}

#[test]
fn a_file_comes_in_as_a_shadow_where_the_folder_is_told_so() {
    let mut site = site();
    site.new_plugins = NewPlugins::Shadow;
    let registry = site.open();
    let drop_in = |says: &str| {
        fs::write(site.plugin("deal-desk.wasm"), saying(says)).unwrap();
        registry.refresh(NOW);
        Digest::of(&saying(says))
    };
    let one = drop_in("one");
    assert_eq!(
        standing(&registry, &one),
        Standing::Candidate,
        "beside nothing it waits"
    );
    registry.make_live(PLUGIN, None, "b.keller").unwrap();
    let two = drop_in("two");
    assert_eq!(standing(&registry, &two), Standing::Shadow);
    assert_eq!(live(&registry), Some(one));
    let three = drop_in("three");
    assert_eq!(standing(&registry, &three), Standing::Shadow);
    assert_eq!(standing(&registry, &two), Standing::Candidate, "one at a time");
    // a share is a person's word: the same file again does not undo it
    registry.share(PLUGIN, None, Share::of(10), "b.keller").unwrap();
    drop_in("three");
    assert!(matches!(standing(&registry, &three), Standing::Sharing { .. }));
    let known = site.ledger.all().unwrap();
    let shadows = known
        .iter()
        .filter(|it| matches!(it.act.step, Step::Shadow { .. }));
    assert_eq!(shadows.count(), 2);
}

#[test]
fn a_file_that_comes_in_as_a_shadow_ends_no_share_and_says_that_it_waits() {
    let mut site = site();
    site.new_plugins = NewPlugins::Shadow;
    let (registry, two) = with_two(&site);
    registry
        .make_live(PLUGIN, Some(&Digest::of(&saying("one")).short()), "b.keller")
        .unwrap();
    registry
        .share(PLUGIN, Some(&two.short()), Share::of(30), "b.keller")
        .unwrap();
    let shared = served(&registry);
    let known = steps(&site);
    fs::write(site.plugin("deal-desk.wasm"), saying("three")).unwrap();
    registry.refresh(NOW);
    assert!(matches!(standing(&registry, &two), Standing::Sharing { .. }));
    assert_eq!(served(&registry), shared);
    let folder = |name| (name, "folder".to_owned());
    assert_eq!(
        steps(&site)[known.len()..],
        [folder("registered"), folder("passed")]
    );
    let three = Digest::of(&saying("three")).short();
    let [share, waits] = registry.plugin_status(PLUGIN).next.try_into().unwrap();
    assert!(share.contains("serves 30 % of the keys"), "{share}");
    let words = format!(
        "`cambist plugin shadow deal-desk {three}` compares it first in the place of {}",
        two.short()
    );
    assert!(waits.ends_with(&words), "{waits}");
    // the next one does take a shadow's place
    registry.shadow_live(PLUGIN, Some(&three), "b.keller").unwrap();
    fs::write(site.plugin("deal-desk.wasm"), saying("four")).unwrap();
    registry.refresh(NOW);
    assert_eq!(
        standing(&registry, &Digest::of(&saying("four"))),
        Standing::Shadow
    );
}
