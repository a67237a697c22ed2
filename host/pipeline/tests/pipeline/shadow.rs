//! Shadows and shares: what is called beside, what it is told, and that no message knows.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    digest::Digest,
    fault::{Fault, Violation},
    plugin::{CallError, Called},
    policy::{Decision, Verdict},
    share::Share,
    stage::Stage,
};
use cambist_journal::{
    Event,
    comparison::{Comparisons, Tally, Which},
};
use cambist_registry::Standing;

use crate::double::{Pack, Site, called, flow_with, id, message, verdict};

/// Two plugins, of which the second is sent in, and a flow with all their stages.
fn site(first: Pack, second: Pack) -> Site {
    let mut site = Site::with_two(first, second);
    site.routes.flows = vec![flow_with("deals", &["judge"])];
    site.registry.push("map", b"2", "b.keller", false).unwrap();
    site
}

/// Puts the second plugin beside the first.
fn shadow(site: &Site) -> Digest {
    site.registry.shadow_live("map", None, "b.keller").unwrap()
}

/// What is known of the shadow, once so many calls have been compared.
async fn told(site: &Site, calls: u64) -> Comparisons {
    let which = Which {
        money: false,
        limit: 99,
    };
    loop {
        let told = site
            .shadows
            .comparisons("map", &Digest::of(b"2"), which)
            .await
            .unwrap();
        if told
            .tallies
            .iter()
            .map(|tally| tally.compared + tally.skipped)
            .sum::<u64>()
            >= calls
        {
            return told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

fn tally(told: &Comparisons, stage: Stage) -> &Tally {
    told.tallies
        .iter()
        .find(|tally| tally.pair.stage == stage)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_is_called_with_the_same_and_its_answer_goes_nowhere() {
    let second = Pack {
        reads: Box::new(|_| " (new)".to_owned()),
        ..Pack::default()
    };
    let site = site(Pack::default(), second);
    shadow(&site);
    site.accept("crm", 0..3).await;
    for object in 0..3 {
        let (_, events) = site.bring(&id("crm", object), "done").await;
        let text = format!("{events:?}");
        assert!(!text.contains("(new)"), "{text}");
    }
    let told = told(&site, 9).await;
    let read = tally(&told, Stage::Read);
    assert_eq!((read.compared, read.differ, read.skipped), (3, 3, 0));
    assert_eq!(tally(&told, Stage::Judge).differ, 0);
    assert_eq!(tally(&told, Stage::Write).differ, 0);
    let paths: Vec<_> = told.paths.iter().map(|path| path.path.as_str()).collect();
    assert_eq!(paths, ["[].entity.account.name"]);
    let first = told
        .calls
        .iter()
        .find(|call| call.message == id("crm", 0))
        .unwrap();
    let [difference] = &first.differences[..] else {
        unreachable!("one field differs: {first:?}")
    };
    let shown = |value: &Option<String>| value.clone().unwrap();
    assert!(shown(&difference.shadow).contains("(new)"));
    assert!(!shown(&difference.live).contains("(new)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_that_breaks_stops_no_message_and_is_told_of() {
    let second = Pack {
        judges: Box::new(|_| called(Err(CallError::Trapped("at the wall".to_owned())))),
        ..Pack::default()
    };
    let site = site(Pack::default(), second);
    shadow(&site);
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    let told = told(&site, 3).await;
    let judge = tally(&told, Stage::Judge);
    assert_eq!((judge.differ, judge.live_errors, judge.shadow_errors), (1, 0, 1));
    let [call] = &told.calls[..] else {
        unreachable!("one call differs: {:?}", told.calls)
    };
    assert_eq!(
        call.shadow_cost.error.as_deref(),
        Some("the plugin trapped: at the wall")
    );
    assert_eq!((call.shadow_cost.fuel, call.shadow_cost.us), (7, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_is_answered_links_as_the_live_one_was() {
    let asked = EntityRef {
        kind: EntityKind::Account,
        system: "crm".to_owned(),
        id: "0".to_owned(),
    };
    let asks = |asked: EntityRef| Pack {
        reads: Box::new(move |links| format!(", linked to {:?}", links.find(&asked, "odoo", Duration::MAX))),
        ..Pack::default()
    };
    // by the time the shadow of the first is called, the link may be there
    let gate = Arc::new(Barrier::new(2));
    let (opens, second) = (Arc::clone(&gate), asks(asked.clone()));
    let late = Pack {
        reads: Box::new(move |links| {
            gate.wait();
            (second.reads)(links)
        }),
        ..Pack::default()
    };
    let site = site(asks(asked), late);
    shadow(&site);
    site.accept("crm", 0..1).await;
    site.bring(&id("crm", 0), "done").await;
    tokio::task::spawn_blocking(move || opens.wait()).await.unwrap();
    let told = told(&site, 3).await;
    assert_eq!(tally(&told, Stage::Read).differ, 0, "{:?}", told.calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_shadow_holds_up_nobody_and_what_it_misses_is_counted() {
    let calls = Arc::new(AtomicU32::new(0));
    let gate = Arc::new((std::sync::Mutex::new(false), std::sync::Condvar::new()));
    let (counts, waits) = (Arc::clone(&calls), Arc::clone(&gate));
    let second = Pack {
        reads: Box::new(move |_| {
            counts.fetch_add(1, Ordering::SeqCst);
            let (open, opened) = &*waits;
            drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
            String::new()
        }),
        ..Pack::default()
    };
    let site = site(Pack::default(), second);
    shadow(&site);
    site.accept("crm", 0..100).await;
    let running = site.run(4);
    for object in 0..100 {
        running.until(&id("crm", object), "done").await;
    }
    assert!(calls.load(Ordering::SeqCst) <= 1, "no more are called at once");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    // 3 of each message, of which some were skipped: those are counted with the next that ends
    site.accept("crm", 100..101).await;
    running.until(&id("crm", 100), "done").await;
    let told = told(&site, 303).await;
    let skipped: u64 = told.tallies.iter().map(|tally| tally.skipped).sum();
    assert!(skipped >= 200, "{skipped}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_breaks_goes_back_within_a_few_messages() {
    let why = goes_back(|| called(Err(Fault::Broken("no rule".to_owned()).into()))).await;
    assert!(
        why.starts_with("3 of its ") && why.ends_with(" calls broke, and 5 % may"),
        "{why}"
    );
}

fn invalid() -> Called<Verdict> {
    let rule = Violation {
        field: "name".to_owned(),
        rule: "is needed".to_owned(),
    };
    called(Err(Fault::Invalid(rule).into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_that_refuses_what_the_live_one_takes() {
    let why = goes_back(invalid).await;
    assert!(
        why.starts_with("it refuses ") && why.contains(" calls, the live one 0 of "),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_bad_for_both_send_no_share_back() {
    let refusing = || Pack {
        judges: Box::new(|_| invalid()),
        ..Pack::default()
    };
    let site = site(refusing(), refusing());
    site.registry
        .share("map", None, Share::of(50), "b.keller")
        .unwrap();
    site.accept("crm", 0..60).await;
    let running = site.run(1);
    for object in 0..60 {
        let (status, events) = running.until_rest(&id("crm", object)).await;
        assert_eq!(status.state.name(), "parked", "{events:?}");
    }
    running.stop().await;
    let status = site.registry.plugin_status("map");
    let mut all = status.components.iter();
    let second = all.find(|it| it.component == Digest::of(b"2")).unwrap();
    assert!(matches!(second.standing, Standing::Sharing { .. }), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_whose_answers_are_of_no_use() {
    let why = goes_back(|| {
        called(Ok(Verdict {
            decision: Decision::Allow,
            reasons: Vec::new(),
        }))
    })
    .await;
    assert!(
        why.starts_with("3 of its ") && why.ends_with(" calls broke, and 5 % may"),
        "{why}"
    );
}

/// A share that judges so goes back, and this is why.
async fn goes_back(judges: fn() -> Called<Verdict>) -> String {
    let second = Pack {
        judges: Box::new(move |_| judges()),
        ..Pack::default()
    };
    let site = site(Pack::default(), second);
    site.registry
        .share("map", None, Share::of(50), "b.keller")
        .unwrap();
    site.accept("crm", 0..60).await;
    let running = site.run(1);
    let mut parked = 0;
    for object in 0..60 {
        let (status, events) = running.until_rest(&id("crm", object)).await;
        match status.state.name() {
            "parked" => parked += 1,
            state => assert_eq!(state, "done", "{events:?}"),
        }
    }
    running.stop().await;
    let key = |object: u32| message("crm", "deal", object).key;
    let share = (0..60).filter(|object| Share::of(50).takes("map", &key(*object)));
    // those that were routed by then finish on what they are pinned to
    assert!(parked >= 3 && parked < share.count(), "{parked}");
    let status = site.registry.plugin_status("map");
    let mut all = status.components.iter();
    let second = all.find(|it| it.component == Digest::of(b"2")).unwrap();
    assert_eq!(second.standing, Standing::Draining);
    second.withdrawn.clone().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_verdict_is_a_difference_and_none_in_money() {
    let second = Pack {
        judges: Box::new(|_| verdict(Decision::Deny)),
        ..Pack::default()
    };
    let site = site(Pack::default(), second);
    shadow(&site);
    site.accept("crm", 0..1).await;
    let (_, events) = site.bring(&id("crm", 0), "done").await;
    assert!(events.contains(&Event::Done));
    let told = told(&site, 3).await;
    let paths: Vec<_> = told
        .paths
        .iter()
        .map(|path| (path.path.as_str(), path.money))
        .collect();
    assert_eq!(paths, [("decision", false)]);
}
