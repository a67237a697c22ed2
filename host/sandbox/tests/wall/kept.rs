//! Instances that are kept for another call, with a guest that counts its calls in memory:
//! who meets what was left, for how long, and what ends it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{collections::BTreeSet, sync::Arc};

use cambist_contract::{
    Json,
    context::Context,
    fault::Fault,
    isolation::Kept,
    limits::Limits,
    plugin::{CallError, Called, Loader as _, NoLinks, Plugin},
    policy::{Proposal, Verdict},
    revision::Revision,
};
use cambist_sandbox::{InUse, Sandbox};
use serde_json::json;
use tempfile::TempDir;

use crate::host::{context, revision};

struct Keeping {
    sandbox: Sandbox,
    _cache: TempDir,
}

impl Keeping {
    fn new(seed: u64) -> Self {
        let cache = TempDir::new().unwrap();
        Self {
            sandbox: Sandbox::new(cache.path()).unwrap().with_seed(seed),
            _cache: cache,
        }
    }

    /// The unruly guest as a binding of this name has it.
    fn plugin(&self, binding: &str, calls: u32, limits: Limits) -> Arc<dyn Plugin> {
        let bytes = cambist_guests::component("unruly").unwrap();
        let kept = Kept {
            calls: calls.try_into().unwrap(),
            binding: binding.to_owned(),
        };
        let revision = Revision {
            kept: Some(kept),
            ..revision(&bytes, limits, &["log", "reference:rates", "links:odoo"])
        };
        self.sandbox.load(&bytes, &revision).unwrap()
    }

    fn instances(&self) -> u64 {
        self.sandbox.in_use().instances
    }
}

fn told(plugin: &dyn Plugin, what: &str) -> Called<Verdict> {
    let context = Context {
        settings: Json::from(json!({ "do": what })),
        ..context()
    };
    let proposal = Proposal {
        changes: Vec::new(),
        approvals: Vec::new(),
    };
    plugin.judge(&context, &proposal, Arc::new(NoLinks))
}

/// The how-manieth call of its instance this one was.
fn count(plugin: &dyn Plugin) -> u32 {
    let verdict = told(plugin, "count").answer.unwrap();
    verdict.reasons[0].text.parse().unwrap()
}

/// How many calls each instance served, of the first hundred calls.
fn lives(seed: u64) -> Vec<u32> {
    let host = Keeping::new(seed);
    let plugin = host.plugin("judge", 6, Limits::default());
    let counts: Vec<u32> = (0..100).map(|_| count(&*plugin)).collect();
    let ends = counts.windows(2).filter(|pair| pair[1] == 1);
    ends.map(|pair| pair[0]).collect()
}

#[test]
fn an_instance_serves_a_number_of_calls_that_is_drawn_and_never_more_than_the_bound() {
    let drawn = lives(1);
    assert_eq!(drawn, lives(1), "the same seed draws the same");
    assert_ne!(drawn, lives(2));
    let all: BTreeSet<u32> = drawn.into_iter().collect();
    assert!(
        all.len() > 2 && all.iter().all(|calls| (2..=6).contains(calls)),
        "{all:?}"
    );
}

#[test]
fn memory_never_crosses_from_one_binding_to_another() {
    let host = Keeping::new(0);
    let de = host.plugin("judge region=de", 1000, Limits::default());
    let it = host.plugin("judge region=it", 1000, Limits::default());
    for call in 1..=5 {
        assert_eq!(count(&*de), call);
    }
    assert_eq!(count(&*it), 1);
    assert_eq!(count(&*de), 6);
    assert_eq!(host.instances(), 2);
    // nor to one that is loaded later for the same binding
    let again = host.plugin("judge region=de", 1000, Limits::default());
    assert_eq!(count(&*again), 1);
    drop(de);
    assert_eq!(host.instances(), 2, "what was kept for it went with it");
}

#[test]
fn any_fault_throws_the_instance_away() {
    let host = Keeping::new(0);
    let limits = Limits {
        fuel: 20_000_000,
        log_lines: 10,
        transfer: 1 << 20,
        ..Limits::default()
    };
    let plugin = host.plugin("judge", 1000, limits);
    for what in [
        "count-unhandled",
        "loop",
        "panic",
        "huge-answer",
        "log-lines",
        "recurse",
    ] {
        assert_eq!((count(&*plugin), count(&*plugin)), (1, 2), "before `{what}`");
        told(&*plugin, what).answer.unwrap_err();
        assert_eq!(host.sandbox.in_use(), InUse::default(), "after `{what}`");
    }
}

#[test]
fn what_breaks_in_a_used_instance_is_tried_in_a_fresh_one() {
    let host = Keeping::new(0);
    let plugin = host.plugin("judge", 1000, Limits::default());
    for _ in 0..5 {
        told(&*plugin, "panic-when-used").answer.unwrap();
    }
    // and what breaks in a fresh one as well is told as ever
    let error = told(&*plugin, "panic").answer.unwrap_err();
    assert!(matches!(error, CallError::Trapped(_)), "{error}");
    // a plugin's own word on its input counts as it is
    count(&*plugin);
    let fault = told(&*plugin, "count-unhandled").answer.unwrap_err();
    assert_eq!(fault, CallError::Fault(Fault::Unhandled("not mine".to_owned())));
}

#[test]
fn budgets_are_whole_at_every_call() {
    let host = Keeping::new(0);
    let limits = Limits {
        log_lines: 3,
        log_bytes: 6,
        host_calls: 3,
        host_bytes: 6,
        fuel: 400_000,
        ..Limits::default()
    };
    let plugin = host.plugin("judge", 1000, limits);
    for call in 1..=9 {
        let called = told(&*plugin, "log-count");
        called.answer.unwrap();
        let lines: Vec<_> = called.cost.log.iter().map(|line| line.text.as_str()).collect();
        let call = call.to_string();
        assert_eq!(lines, [&*call; 3], "its own lines, and none from before");
        assert!(called.cost.fuel < 400_000);
    }
}

#[test]
fn what_has_grown_large_is_not_kept() {
    let host = Keeping::new(0);
    let plugin = host.plugin("judge", 1000, Limits::default());
    told(&*plugin, "grow").answer.unwrap();
    assert_eq!(host.sandbox.in_use(), InUse::default());
    assert_eq!(count(&*plugin), 1);
}

#[test]
fn so_many_wait_and_no_more_and_they_go_before_a_call_is_refused() {
    let host = Keeping::new(0);
    let plugins: Vec<_> = (0..40)
        .map(|binding| host.plugin(&format!("judge region={binding}"), 1000, Limits::default()))
        .collect();
    for plugin in &plugins {
        count(&**plugin);
    }
    assert_eq!(host.instances(), 32);
    // those that came last wait, and the one that had waited longest has gone
    assert_eq!((count(&*plugins[39]), count(&*plugins[0])), (2, 1));
}

#[test]
fn calls_side_by_side_have_an_instance_each() {
    let host = Keeping::new(0);
    let plugin = host.plugin("judge", 1000, Limits::default());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    count(&*plugin);
                }
            });
        }
    });
    assert!((1..=8).contains(&host.instances()), "{}", host.instances());
}
