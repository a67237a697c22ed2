//! The steps of a plugin's life, as operators take them.

use std::{fs, sync::Arc};

use cambist_contract::{delivery::NextTry, digest::Digest, rollout::Step};
use cambist_registry::{Ledger as _, NewPlugins, Registry, RolloutError, RouteError, Standing};
use serde_json::json;

use crate::double::{NOW, Site, binding, judge_of, live, pins_of, saying, verdict, with_case};

fn site() -> Site {
    Site::new([binding("deal-desk", json!({}))])
}

/// Where each component stands, the latest first.
fn standings(registry: &Registry) -> Vec<(Digest, &'static str)> {
    let [status] = registry.plugin_statuses().try_into().unwrap();
    status
        .components
        .into_iter()
        .map(|it| (it.component, it.standing.name()))
        .collect()
}

fn standing(registry: &Registry, says: &str) -> &'static str {
    let wanted = Digest::of(&saying(says));
    let mut all = standings(registry).into_iter();
    all.find(|(component, _)| *component == wanted).unwrap().1
}

/// The names of all steps in the ledger, each with who took it.
fn steps(site: &Site) -> Vec<(&'static str, String)> {
    let all = site.ledger.all().unwrap().into_iter();
    all.map(|it| (it.act.step.name(), it.act.by)).collect()
}

#[test]
fn what_passes_waits_where_the_folder_is_told_so() {
    let mut site = site();
    site.new_plugins = NewPlugins::Wait;
    let registry = site.open();
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    let [status] = registry.refresh(NOW).try_into().unwrap();
    let one = Digest::of(&saying("one"));
    assert_eq!((status.live, status.waits), (None, Some(one)));
    let reason = format!(
        "component {short} passed and waits; `cambist plugin live deal-desk {short}` makes it live",
        short = one.short()
    );
    assert_eq!(status.refused.as_deref(), Some(reason.as_str()));
    let error = judge_of(&registry, "de", "").unwrap_err();
    assert!(error.to_string().contains(&reason), "{error}");

    assert_eq!(registry.make_live("deal-desk", None, "b.keller").unwrap(), one);
    assert_eq!(live(&registry), Some(one));
    let [status] = registry.plugin_statuses().try_into().unwrap();
    assert_eq!(
        (status.live, status.waits, status.refused),
        (Some(one), None, None)
    );

    fs::write(site.plugin("deal-desk.wasm"), saying("two")).unwrap();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(one), "it waits");
    let folder = |name| (name, "folder".to_owned());
    let person = |name| (name, "b.keller".to_owned());
    let known = [
        folder("registered"),
        folder("passed"),
        person("live"),
        folder("registered"),
        folder("passed"),
    ];
    assert_eq!(steps(&site), known);
    let error = registry.go_back("deal-desk", "b.keller").unwrap_err();
    assert!(matches!(error, RolloutError::None { .. }), "{error}");
}

#[test]
fn going_back_is_going_live_with_the_one_before() {
    let site = site();
    let registry = site.open();
    for says in ["one", "two"] {
        registry.offer("deal-desk", &saying(says), NOW);
    }
    let first = judge_of(&registry, "de", "").unwrap();
    assert_eq!(standing(&registry, "one"), "draining");
    registry.go_back("deal-desk", "b.keller").unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    assert_eq!(
        (standing(&registry, "one"), standing(&registry, "two")),
        ("live", "draining")
    );
    registry.go_back("deal-desk", "b.keller").unwrap();
    assert_eq!(
        judge_of(&registry, "de", "").unwrap(),
        first,
        "the same revision as before"
    );
}

#[test]
fn a_component_is_named_by_how_its_digest_begins() {
    let site = site();
    let registry = site.open();
    for says in ["one", "two"] {
        registry.offer("deal-desk", &saying(says), NOW);
    }
    let one = Digest::of(&saying("one"));
    let made = registry
        .make_live("deal-desk", Some(&one.short()), "someone")
        .unwrap();
    assert_eq!((made, live(&registry)), (one, Some(one)));
    let wrong = |component| registry.make_live("deal-desk", component, "someone").unwrap_err();
    assert!(matches!(wrong(Some("zz")), RolloutError::NoComponent { .. }));
    assert!(matches!(wrong(Some("")), RolloutError::Ambiguous { .. }));
    assert!(matches!(wrong(None), RolloutError::None { .. }), "nothing waits");
    let unknown = registry.make_live("nobody", None, "someone").unwrap_err();
    assert!(matches!(unknown, RolloutError::NoPlugin(_)));
}

#[test]
fn what_did_not_pass_is_not_made_live() {
    let site = site();
    let registry = site.open();
    let bad = with_case("no", verdict("yes"));
    registry.offer("deal-desk", &bad, NOW);
    let error = registry
        .make_live("deal-desk", Some(&Digest::of(&bad).to_string()), "someone")
        .unwrap_err();
    assert!(matches!(error, RolloutError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("its case `a-deal-passes`"), "{error}");
    assert_eq!(live(&registry), None);
}

#[test]
fn a_component_that_is_sent_in_is_checked_and_waits_or_goes_live() {
    let site = site();
    let registry = site.open();
    let push = |bytes: &[u8], goes_live| registry.push("deal-desk", bytes, "ci", goes_live);
    push(&saying("one"), true).unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    let two = push(&saying("two"), false).unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&saying("one"))));
    assert_eq!(registry.make_live("deal-desk", None, "ci").unwrap(), two);

    let refused = push(b"broken", true).unwrap_err();
    assert!(matches!(refused, RolloutError::Refused { .. }), "{refused}");
    assert_eq!(live(&registry), Some(two));
    let unbound = registry.push("other", &saying("one"), "ci", true).unwrap_err();
    assert!(matches!(unbound, RolloutError::Unbound(_)), "{unbound}");
}

#[test]
fn what_is_taken_out_is_called_by_nobody_until_it_is_made_live_again() {
    let site = site();
    let registry = site.open();
    let bytes = saying("one");
    fs::write(site.plugin("deal-desk.wasm"), &bytes).unwrap();
    registry.refresh(NOW);
    let pin = judge_of(&registry, "de", "").unwrap();
    let component = registry
        .kill("deal-desk", None, "b.keller", "wrong totals")
        .unwrap();
    assert_eq!(component, Digest::of(&bytes));

    let error = registry.pinned(&pin).err().unwrap();
    assert!(
        matches!(&error, RouteError::Killed { reason, .. } if reason == "wrong totals"),
        "{error}"
    );
    assert_eq!(error.next_try(), NextTry::Park);
    let error = judge_of(&registry, "de", "").unwrap_err();
    assert!(
        error.to_string().contains("was taken out: wrong totals"),
        "{error}"
    );
    assert_eq!(error.next_try(), NextTry::Park);
    assert_eq!(registry.missing().len(), 1);

    // neither the same file again nor another look brings it back
    registry.refresh(NOW);
    registry.offer("deal-desk", &saying("two"), NOW);
    registry.kill("deal-desk", None, "b.keller", "wrong too").unwrap();
    let status = registry.offer("deal-desk", &bytes, NOW);
    assert_eq!(status.live, None);
    assert!(
        status
            .refused
            .unwrap()
            .starts_with("it was taken out: wrong totals")
    );
    assert_eq!(standing(&registry, "one"), "killed");
    drop(registry);

    let registry = site.open();
    registry.refresh(NOW);
    assert!(
        matches!(registry.pinned(&pin), Err(RouteError::Killed { .. })),
        "after a restart"
    );
    judge_of(&registry, "de", "").unwrap_err();
    registry
        .make_live("deal-desk", Some(&component.short()), "b.keller")
        .unwrap();
    assert_eq!(judge_of(&registry, "de", "").unwrap(), pin);
    registry.pinned(&pin).unwrap();
}

#[test]
fn an_old_one_drains_and_retires_with_its_last_message() {
    let site = site();
    let registry = site.open();
    registry.offer("deal-desk", &saying("one"), NOW);
    let pin = judge_of(&registry, "de", "").unwrap();
    site.ledger.pin(pin, 2);
    registry.offer("deal-desk", &saying("two"), NOW);
    registry.refresh(NOW);
    let [status] = registry.plugin_statuses().try_into().unwrap();
    let old = status
        .components
        .into_iter()
        .find(|it| it.standing == Standing::Draining)
        .unwrap();
    assert_eq!((old.component, old.pinned), (Digest::of(&saying("one")), Some(2)));
    registry.pinned(&pin).unwrap();

    site.ledger.pin(pin, 0);
    registry.refresh(NOW);
    assert_eq!(standing(&registry, "one"), "retired");
    assert_eq!(steps(&site).last(), Some(&("retired", "host".to_owned())));
    // it is kept, for who goes back
    registry.go_back("deal-desk", "someone").unwrap();
    assert_eq!(judge_of(&registry, "de", "").unwrap(), pin);
}

#[test]
fn a_step_that_cannot_be_written_is_not_taken() {
    let site = site();
    let registry = site.open();
    registry.offer("deal-desk", &saying("one"), NOW);
    let (one, pin) = (live(&registry), judge_of(&registry, "de", "").unwrap());
    let before = site.ledger.all().unwrap();
    site.ledger.fail(true);
    let status = registry.offer("deal-desk", &saying("two"), NOW);
    assert_eq!(
        status.refused.as_deref(),
        Some("the journal cannot take it down: the disk is full")
    );
    for error in [
        registry
            .push("deal-desk", &saying("three"), "ci", true)
            .unwrap_err(),
        registry.kill("deal-desk", None, "someone", "wrong").unwrap_err(),
    ] {
        assert!(matches!(error, RolloutError::Trouble(_)), "{error}");
    }
    registry.pinned(&pin).unwrap();
    assert_eq!((live(&registry), site.ledger.all().unwrap()), (one, before));
    // and is taken when it can be
    site.ledger.fail(false);
    registry.offer("deal-desk", &saying("two"), NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("two"))));
}

#[test]
fn each_binding_has_a_revision_in_the_step() {
    let site = Site::new([
        binding("deal-desk", json!({"region": "de"})),
        binding(
            "deal-desk",
            json!({"region": "in", "unit": "pune", "settings": {"limit": 2}}),
        ),
        binding("deal-desk", json!({"flow": "f"})),
    ]);
    let registry = site.open();
    registry.offer("deal-desk", &saying("one"), NOW);
    let act = site.ledger.all().unwrap().pop().unwrap().act;
    let Step::Live { revisions, .. } = act.step else {
        unreachable!("{act:?}")
    };
    let names: Vec<_> = revisions.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["judge flow=f", "judge region=de", "judge region=in unit=pune"]
    );
    assert_eq!(
        revisions.get("judge region=de"),
        Some(&judge_of(&registry, "de", "").unwrap())
    );
    assert_eq!(
        revisions.get("judge region=in unit=pune"),
        Some(&judge_of(&registry, "in", "pune").unwrap())
    );
}

#[test]
fn what_was_taken_out_while_it_was_checked_stays_out() {
    let site = site();
    let registry = Arc::new(site.open());
    registry.push("deal-desk", &saying("one"), "ci", true).unwrap();
    let pin = judge_of(&registry, "de", "").unwrap();
    // somebody takes it out while it is being checked for somebody else
    let (killer, bytes) = (Arc::clone(&registry), saying("one"));
    site.loader.meanwhile(move || {
        killer
            .kill("deal-desk", None, "b.keller", "wrong totals")
            .unwrap();
    });
    let error = registry.push("deal-desk", &bytes, "ci", true).unwrap_err();
    assert!(
        error.to_string().contains("it was taken out: wrong totals"),
        "{error}"
    );
    assert!(matches!(registry.pinned(&pin), Err(RouteError::Killed { .. })));
    judge_of(&registry, "de", "").unwrap_err();
}

#[test]
fn what_is_checked_while_the_live_one_is_taken_out_waits_for_a_person() {
    let site = site();
    let registry = Arc::new(site.open());
    let one = registry.push("deal-desk", &saying("one"), "ci", true).unwrap();
    let kill_meanwhile = || {
        let killer = Arc::clone(&registry);
        site.loader.meanwhile(move || {
            killer
                .kill("deal-desk", None, "b.keller", "wrong totals")
                .unwrap();
        });
    };
    let told = |says: &str| {
        let component = Digest::of(&saying(says)).short();
        let why = format!(
            "component {} was taken out while it was checked: wrong totals",
            one.short()
        );
        let status = registry.plugin_status("deal-desk");
        assert_eq!((status.live, live(&registry)), (None, None));
        assert_eq!(standing(&registry, says), "candidate");
        let refused = status.refused.unwrap();
        let way_out = format!(
            "component {component} passed and waits (withdrawn: {why}); \
             `cambist plugin live deal-desk {component}` makes it live"
        );
        assert!(refused.contains(&way_out), "{refused}");
        assert_eq!(steps(&site).last(), Some(&("withdrawn", "host".to_owned())));
    };
    kill_meanwhile();
    fs::write(site.plugin("deal-desk.wasm"), saying("two")).unwrap();
    registry.refresh(NOW);
    told("two");
    registry.refresh(NOW);
    told("two");
    // what an operator sends in is held back as well, and the answer says so
    registry.make_live("deal-desk", Some(&one.short()), "ci").unwrap();
    kill_meanwhile();
    let error = registry
        .push("deal-desk", &saying("three"), "ci", true)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("was taken out while it was checked: wrong totals; it passed and waits"),
        "{error}"
    );
    told("three");
    // a file that comes afterwards is the better one that was asked for
    fs::write(site.plugin("deal-desk.wasm"), saying("four")).unwrap();
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(Digest::of(&saying("four"))));
}

#[test]
fn what_was_taken_out_and_has_no_file_any_more_parks_its_messages() {
    let site = site();
    let registry = site.open();
    fs::write(site.plugin("deal-desk.wasm"), saying("one")).unwrap();
    registry.refresh(NOW);
    fs::remove_file(site.plugin("deal-desk.wasm")).unwrap();
    registry.refresh(NOW);
    registry
        .kill("deal-desk", None, "b.keller", "wrong totals")
        .unwrap();
    let error = judge_of(&registry, "de", "").unwrap_err();
    assert_eq!(error.next_try(), NextTry::Park);
    assert!(
        error.to_string().contains("was taken out: wrong totals"),
        "{error}"
    );
}

#[test]
fn messages_do_not_wait_while_a_step_is_written() {
    let site = site();
    let registry = Arc::new(site.open());
    registry.push("deal-desk", &saying("one"), "ci", true).unwrap();
    let pin = judge_of(&registry, "de", "").unwrap();
    let last = |site: &Site| site.ledger.all().unwrap().last().unwrap().place;
    let (message, before) = (Arc::clone(&registry), last(&site));
    // it comes by in the midst of the writes, and would never end if it waited for them; and
    // what it is pinned to does not follow them
    site.ledger.meanwhile(move || {
        message.pinned(&pin).unwrap();
        let pins = pins_of(&message);
        assert_eq!((pins.revisions.values().next(), pins.step), (Some(&pin), before));
    });
    registry.push("deal-desk", &saying("two"), "ci", true).unwrap();
    assert!(site.ledger.has_run());
    let two = judge_of(&registry, "de", "").unwrap();
    let follows = |registry: &Registry| {
        (
            pins_of(registry).revisions.into_values().next(),
            pins_of(registry).step,
        )
    };
    let went_live = last(&site);
    assert_eq!(follows(&registry), (Some(two), went_live));
    assert!(went_live > before);
    // so it does in a host that starts again, and retires the one before
    let registry = site.open();
    registry.refresh(NOW);
    assert_eq!(follows(&registry), (Some(two), went_live));
    assert!(last(&site) > went_live);
}

#[test]
fn what_is_made_live_while_a_start_checks_the_one_before_stays_live() {
    let site = site();
    let registry = site.open();
    registry.offer("deal-desk", &saying("one"), NOW);
    let two = registry
        .push("deal-desk", &saying("two"), "b.keller", false)
        .unwrap();
    drop(registry);
    let registry = Arc::new(site.open());
    let meanwhile = Arc::clone(&registry);
    site.loader.meanwhile(move || {
        meanwhile.make_live("deal-desk", None, "b.keller").unwrap();
    });
    registry.refresh(NOW);
    assert_eq!(live(&registry), Some(two));
    let steps = steps(&site);
    let last = steps.iter().rfind(|(step, _)| *step == "live").unwrap();
    assert_eq!(last.1, "b.keller");
}
