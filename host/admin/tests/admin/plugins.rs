//! What operators are told of plugins.

use cambist_admin::answer::{Diff, Plugins, Stepped};
use cambist_contract::{
    digest::Digest, limits::MAX_COMPONENT, message::MessageId, share::Share, stage::Stage,
};
use cambist_journal::{
    Shadows as _,
    comparison::{Compared, Comparison, Difference, Pair, Took},
};
use cambist_registry::{Options, Part, Standing};
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
async fn what_was_live_is_so_again_whole_and_the_hold_is_told() {
    let site = Site::new();
    let one: Stepped = push(&site, "deal-desk", b"good", "by=ci&live=true").await.read();
    assert_eq!(one.status.held, None);
    let told: Plugins = site.get("/api/plugins").await.read();
    let first = told.bindings[0].revision.unwrap();
    let other = Options {
        bindings: vec![
            serde_json::from_value(json!({
                "stage": "judge", "plugin": "deal-desk", "region": "de", "settings": {"limit": 2},
            }))
            .unwrap(),
        ],
        ..Options::default()
    };
    site.registry.reload(other, |switch| switch()).unwrap();
    let whole = json!({"by": "b.keller", "whole": true});
    let back: Stepped = step(&site, "back", whole.clone()).await.read();
    let held = back.status.held.unwrap();
    assert_eq!(
        (held.by.as_str(), held.component, held.then),
        ("b.keller", one.component, one.component)
    );
    assert_eq!(
        (held.bindings[0].revision, held.ends.as_str()),
        (first, "cambist plugin live deal-desk")
    );
    assert_eq!(held.bindings[0].differs, [Part::Settings]);
    let ended: Stepped = step(&site, "live", json!({"by": "b.keller"})).await.read();
    assert_eq!(ended.status.held, None);
    // by name as well, or not at all
    let named = json!({"by": "b.keller", "revision": first.short()});
    let again: Stepped = step(&site, "live", named).await.read();
    assert_eq!(again.status.held.unwrap().bindings[0].revision, first);
    let unknown = step(&site, "live", json!({"by": "b.keller", "revision": "no such"})).await;
    assert!(unknown.is_problem(404, "unknown-component"), "{unknown:?}");
    let both = json!({"by": "b.keller", "revision": first.short(), "component": one.component.short()});
    let both = step(&site, "live", both).await;
    assert!(both.is_problem(422, "unreadable"), "{both:?}");
    step(&site, "kill", json!({"by": "b.keller", "reason": "wrong totals"})).await;
    let named = json!({"by": "b.keller", "revision": first.short()});
    let out = step(&site, "live", named).await;
    assert!(out.is_problem(409, "not-as-it-was"), "{out:?}");
    assert!(out.text.contains("it was taken out: wrong totals"), "{out:?}");
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
    assert!(
        large.text.contains("a component has at most 33554432 bytes"),
        "{large:?}"
    );
}

#[tokio::test]
async fn a_component_stands_beside_the_live_one_and_is_compared_with_it() {
    let site = Site::new();
    push(&site, "deal-desk", b"good", "by=ci&live=true").await;
    let two: Stepped = push(&site, "deal-desk", b"good too", "by=ci").await.read();
    let standing = |told: &Stepped| {
        let found = told.status.components.iter();
        let mut found = found.filter(|it| it.component == two.component);
        found.next().unwrap().clone()
    };
    let shadow: Stepped = step(&site, "shadow", json!({"by": "b.keller"})).await.read();
    assert_eq!(standing(&shadow).standing.name(), "shadow");

    let difference = |path: &str, money| Difference {
        path: path.to_owned(),
        live: Some("1".to_owned()),
        shadow: Some("2".to_owned()),
        money,
    };
    for (n, difference) in [difference("decision", false), difference("amount", true)]
        .into_iter()
        .enumerate()
    {
        let comparison = Comparison {
            pair: Pair {
                plugin: "deal-desk".to_owned(),
                live: Digest::of(b"good"),
                shadow: two.component,
                stage: Stage::Judge,
            },
            message: MessageId::from_text(n.to_string()),
            at: at(3),
            live_cost: Took::default(),
            shadow_cost: Took::default(),
            differences: vec![difference],
            more: 0,
        };
        site.journal
            .compared(vec![Compared::Called(comparison)])
            .await
            .unwrap();
    }
    let diff: Diff = site.get("/api/plugins/deal-desk/diff").await.read();
    assert_eq!(diff.shadow, two.component);
    let tally = &diff.comparisons.tallies[0];
    assert_eq!((tally.compared, tally.differ, tally.money), (2, 2, 1));
    assert_eq!(diff.comparisons.calls.len(), 2);
    let path = format!(
        "/api/plugins/deal-desk/diff?money=true&component={}",
        two.component.short()
    );
    let diff: Diff = site.get(&path).await.read();
    assert_eq!(diff.comparisons.calls.len(), 1);

    let share: Stepped = step(&site, "share", json!({"by": "b.keller", "percent": 25}))
        .await
        .read();
    assert!(matches!(standing(&share).standing, Standing::Sharing { share } if share == Share::of(25)));
    let withdraw = json!({"by": "b.keller", "reason": "seen enough"});
    let withdrawn: Stepped = step(&site, "withdraw", withdraw.clone()).await.read();
    assert_eq!(standing(&withdrawn).standing.name(), "draining");
    assert_eq!(standing(&withdrawn).withdrawn.as_deref(), Some("seen enough"));

    let live = Digest::of(b"good").short();
    for (what, body, status, code) in [
        ("withdraw", withdraw, 404, "unknown-component"),
        ("withdraw", json!({"by": "a", "reason": ""}), 422, "unreadable"),
        (
            "shadow",
            json!({"by": "a", "component": live}),
            409,
            "nothing-beside",
        ),
        ("share", json!({"by": "a", "percent": 100}), 422, "no-share"),
        ("share", json!({"by": "a"}), 422, "unreadable"),
    ] {
        let answer = step(&site, what, body).await;
        assert!(answer.is_problem(status, code), "{what}: {answer:?}");
    }
    let nothing = site.get("/api/plugins/deal-desk/diff").await;
    assert!(nothing.is_problem(404, "unknown-component"), "{nothing:?}");
    let much = site.get("/api/plugins/deal-desk/diff?limit=1001").await;
    assert!(much.is_problem(422, "unreadable"), "{much:?}");
}

#[tokio::test]
async fn a_config_that_does_not_pass_is_told_line_by_line() {
    let site = Site::new();
    let refused = site.post("/api/config/reload", "{}".to_owned()).await;
    assert!(refused.is_problem(409, "config-refused"), "{refused:?}");
    assert!(
        refused
            .text
            .contains("line 7: flow `deals` writes to `nobody`\\nline 9: two"),
        "{refused:?}"
    );
    let strange = site
        .post("/api/config/reload", r#"{"force": true}"#.to_owned())
        .await;
    assert!(strange.is_problem(422, "unreadable"), "{strange:?}");
}
