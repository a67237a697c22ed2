//! Each limit, grant and check of the sandbox against a guest that breaks it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use cambist_contract::{
    Decimal, Json,
    canonical::{Change, ChangeKind, Entity, EntityKind, EntityRef, Opportunity},
    context::Context,
    digest::Digest,
    limits::Limits,
    message::MessageId,
    plugin::{CallError, Called, Interface, Link, Links, LoadError, Loader as _, NoLinks, Plugin},
    policy::{Proposal, Verdict},
    revision::{Grant, Revision},
};
use cambist_sandbox::{InUse, Sandbox};
use serde_json::json;
use tempfile::TempDir;

struct Bench {
    sandbox: Sandbox,
    _cache: TempDir,
}

impl Bench {
    fn new() -> Self {
        let cache = TempDir::new().unwrap();
        Self {
            sandbox: Sandbox::new(cache.path()).unwrap(),
            _cache: cache,
        }
    }

    fn load(&self, limits: Limits, grants: &[&str]) -> Result<Arc<dyn Plugin>, LoadError> {
        let bytes = cambist_guests::component("unruly").unwrap();
        self.sandbox.load(&bytes, &revision(&bytes, limits, grants))
    }

    fn unruly(self, limits: Limits) -> Unruly {
        let plugin = self.load(limits, &["log", "reference:rates", "links:odoo"]);
        Unruly {
            plugin: plugin.unwrap(),
            bench: self,
        }
    }
}

/// The guest, with the sandbox that it runs in.
struct Unruly {
    plugin: Arc<dyn Plugin>,
    bench: Bench,
}

impl std::ops::Deref for Unruly {
    type Target = Arc<dyn Plugin>;

    fn deref(&self) -> &Arc<dyn Plugin> {
        &self.plugin
    }
}

fn revision(bytes: &[u8], limits: Limits, grants: &[&str]) -> Revision {
    let rows = BTreeMap::from([("DE".to_owned(), json!({"standard": "19"}))]);
    Revision {
        plugin: "unruly".to_owned(),
        component: Digest::of(bytes),
        settings: json!({}),
        grants: grants
            .iter()
            .map(|grant| grant.parse::<Grant>().unwrap())
            .collect::<BTreeSet<_>>(),
        limits,
        tables: BTreeMap::from([("rates".to_owned(), rows)]),
        kept: None,
    }
}

struct OneLink;

impl Links for OneLink {
    fn find(&self, entity: &EntityRef, system: &str, _: Duration) -> Option<Link> {
        Some(Link {
            model: "res.partner".to_owned(),
            external_id: None,
            id: Some(format!("{system}-{}", entity.id)),
        })
    }
}

fn told(plugin: &Arc<dyn Plugin>, what: &str) -> Called<Verdict> {
    judge(plugin, what, Arc::new(OneLink))
}

fn judge(plugin: &Arc<dyn Plugin>, what: &str, links: Arc<dyn Links>) -> Called<Verdict> {
    worth(plugin, what, None, links)
}

/// The same, with a deal that is worth something.
fn worth(
    plugin: &Arc<dyn Plugin>,
    what: &str,
    amount: Option<Decimal>,
    links: Arc<dyn Links>,
) -> Called<Verdict> {
    let context = Context {
        message: MessageId::from_text("m1"),
        flow: "deal-won".to_owned(),
        region: "de".to_owned(),
        unit: String::new(),
        time: "2026-11-22T04:00:00Z".parse().unwrap(),
        settings: Json::from(json!({ "do": what })),
    };
    let deal = Opportunity {
        entity: EntityRef {
            kind: EntityKind::Opportunity,
            system: "crm".to_owned(),
            id: "1".to_owned(),
        },
        name: Some("Rollout".to_owned()),
        account: None,
        contact: None,
        status: None,
        amount,
        currency: None,
        close_date: None,
        owner: None,
        extra: Vec::new(),
    };
    let change = Change {
        entity: Entity::Opportunity(deal),
        kind: ChangeKind::Upsert,
        cleared: Vec::new(),
        changed_by: None,
        changed_at: context.time,
    };
    plugin.judge(
        &context,
        &Proposal {
            changes: vec![change],
            approvals: Vec::new(),
        },
        links,
    )
}

fn error(plugin: &Unruly, what: &str) -> CallError {
    let error = told(plugin, what).answer.unwrap_err();
    let in_use = plugin.bench.sandbox.in_use();
    assert_eq!(in_use, InUse::default(), "not all came back after `{what}`");
    // whatever it did, the next call is as good as the first
    assert!(
        told(plugin, "nothing").answer.is_ok(),
        "the plugin is gone after `{what}`"
    );
    error
}

fn limit(setting: &'static str, value: u64) -> CallError {
    CallError::Limit { setting, value }
}

#[test]
fn an_endless_loop_ends_when_its_fuel_is_spent() {
    let plugin = Bench::new().unruly(Limits {
        fuel: 1_000_000,
        ..Limits::default()
    });
    assert_eq!(error(&plugin, "loop"), limit("fuel", 1_000_000));
}

#[test]
fn much_work_by_few_instructions_is_paid_for_by_the_byte() {
    // 255 fills of 32 MiB are some thousand instructions and 8 thousand million bytes
    let plugin = Bench::new().unruly(Limits {
        fuel: 100_000_000,
        ..Limits::default()
    });
    assert_eq!(error(&plugin, "fill"), limit("fuel", 100_000_000));
}

#[test]
fn endless_recursion_traps() {
    let plugin = Bench::new().unruly(Limits::default());
    assert!(matches!(error(&plugin, "recurse"), CallError::Trapped(_)));
}

#[test]
fn memory_beyond_the_limit_is_refused_and_the_limit_named() {
    let plugin = Bench::new().unruly(Limits {
        memory: 8 << 20,
        ..Limits::default()
    });
    assert_eq!(error(&plugin, "allocate"), limit("memory", 8 << 20));
}

#[test]
fn a_panic_reaches_the_host_with_its_text_and_place() {
    let plugin = Bench::new().unruly(Limits::default());
    let CallError::Trapped(text) = error(&plugin, "panic") else {
        unreachable!("a panic is a trap")
    };
    assert!(text.contains("order has no partner, 1 changes"), "{text}");
    assert!(text.contains("lib.rs:"), "{text}");
}

#[test]
fn a_panic_with_a_huge_message_is_cut() {
    let plugin = Bench::new().unruly(Limits::default());
    let CallError::Trapped(text) = error(&plugin, "long-panic") else {
        unreachable!("a panic is a trap")
    };
    assert!(text.len() < 600 && text.ends_with('…'), "{} bytes", text.len());
}

#[test]
fn log_lines_and_log_bytes_are_counted() {
    let plugin = Bench::new().unruly(Limits {
        log_lines: 10,
        log_bytes: 1000,
        ..Limits::default()
    });
    let flood = told(&plugin, "log-lines");
    assert_eq!(flood.answer.unwrap_err(), limit("log-lines", 10));
    assert_eq!(flood.cost.log.len(), 10, "what was within the limit is kept");
    assert_eq!(error(&plugin, "log-bytes"), limit("log-bytes", 1000));
}

#[test]
fn host_calls_are_counted() {
    let plugin = Bench::new().unruly(Limits {
        host_calls: 50,
        ..Limits::default()
    });
    assert_eq!(error(&plugin, "host-calls"), limit("host-calls", 50));
}

#[test]
fn what_host_calls_are_handed_counts_together() {
    let plugin = Bench::new().unruly(Limits::default());
    assert_eq!(error(&plugin, "links-flood"), limit("host-bytes", 4 << 20));
}

/// A journal that does not answer. It is given up when the time is over that it is given.
#[derive(Default)]
struct Hung(Mutex<Vec<Duration>>);

impl Links for Hung {
    #[expect(clippy::disallowed_methods, reason = "it stands for a disk that hangs")]
    fn find(&self, _: &EntityRef, _: &str, within: Duration) -> Option<Link> {
        self.0.lock().unwrap().push(within);
        std::thread::sleep(within);
        None
    }
}

#[test]
fn a_call_that_waits_for_the_host_too_long_ends() {
    let plugin = Bench::new().unruly(Limits {
        time_ms: 50,
        ..Limits::default()
    });
    let hung = Arc::new(Hung::default());
    let called = judge(&plugin, "links-twice", Arc::clone(&hung) as Arc<dyn Links>);
    assert_eq!(called.answer.unwrap_err(), limit("time-ms", 50));
    let waits = hung.0.lock().unwrap().clone();
    assert_eq!(waits.len(), 1, "it does not ask twice");
    assert!(waits[0] <= Duration::from_millis(50), "{waits:?}");
    assert_eq!(plugin.bench.sandbox.in_use(), InUse::default());
    assert!(told(&plugin, "nothing").answer.is_ok());
}

#[test]
fn an_answer_beyond_the_limit_is_refused() {
    let plugin = Bench::new().unruly(Limits {
        transfer: 1 << 20,
        ..Limits::default()
    });
    assert_eq!(error(&plugin, "huge-answer"), limit("transfer", 1 << 20));
    assert_eq!(error(&plugin, "many-reasons"), limit("transfer", 1 << 20));
    // small enough to be copied, and too many to be kept
    let plugin = Bench::new().unruly(Limits::default());
    assert_eq!(error(&plugin, "many-reasons"), limit("items", 50_000));
}

#[test]
fn answers_that_break_the_contract_name_the_field() {
    let plugin = Bench::new().unruly(Limits::default());
    for (what, place) in [
        ("bad-scale", "amount has a scale above 18"),
        ("many-digits", "amount has more digits than 9007199254740991"),
        (
            "clear-unknown",
            "decision.amend[0].cleared[0] is no field of the entity that can be empty",
        ),
        (
            "clear-said",
            "decision.amend[0].cleared[0] is emptied and has a value",
        ),
        (
            "bad-date",
            "decision.amend[0].entity.opportunity.close-date is not a date",
        ),
        ("bad-json", "value is not JSON"),
        ("deep-json", "value is nested deeper than 64 levels"),
        ("bad-currency", "currency is not an ISO 4217 code"),
    ] {
        let CallError::BadAnswer(text) = error(&plugin, what) else {
            unreachable!("{what} is a bad answer")
        };
        assert!(text.contains(place), "{what}: {text}");
    }
}

#[test]
fn a_number_that_the_contract_cannot_carry_is_not_handed_over() {
    let plugin = Bench::new().unruly(Limits::default());
    for (amount, is_told) in [
        ("-9007199254740991", true),
        ("9007199254740992", false),
        ("0.9007199254740993", false),
        ("0.0000000000000000001", false),
        ("1.0000000000000000000000", true),
    ] {
        let called = worth(&plugin, "nothing", amount.parse().ok(), Arc::new(OneLink));
        match called.answer {
            Ok(_) => assert!(is_told, "{amount}"),
            Err(error) => assert_eq!(
                (error, is_told),
                (CallError::Unsayable("a number has more than 15 digits"), false),
                "{amount}"
            ),
        }
    }
}

#[test]
fn each_call_has_a_fresh_instance() {
    let plugin = Bench::new().unruly(Limits::default());
    for _ in 0..3 {
        assert_eq!(told(&plugin, "count").answer.unwrap().reasons[0].text, "1");
    }
}

#[test]
fn fuel_is_the_same_every_time() {
    let plugin = Bench::new().unruly(Limits::default());
    let first = told(&plugin, "nothing").cost.fuel;
    assert!(first > 0);
    for _ in 0..20 {
        assert_eq!(told(&plugin, "nothing").cost.fuel, first);
    }
}

#[test]
fn granted_imports_answer_and_others_are_refused_by_name() {
    let plugin = Bench::new().unruly(Limits::default());
    let text = |what: &str| told(&plugin, what).answer.unwrap().reasons[0].text.clone();
    assert_eq!(text("reference"), r#"Ok(Some("{\"standard\":\"19\"}"))"#);
    assert!(
        text("reference-other").contains("NotGranted"),
        "{}",
        text("reference-other")
    );
    let link = r#"Ok(Some(Link { model: "res.partner", external-id: None, id: Some("odoo-1") }))"#;
    assert_eq!(text("links"), link);
    assert_eq!(told(&plugin, "log").cost.log[0].text, "hello");
}

#[test]
fn a_load_without_grants_names_every_missing_import_and_the_way_out() {
    let error = Bench::new().load(Limits::default(), &[]).err().unwrap();
    let text = error.to_string();
    for word in [
        "cambist:plugin/log@0.1.0",
        "cambist:plugin/reference@0.1.0",
        "cambist:plugin/links@0.1.0",
        "add `log`, `reference:TABLE`, `links:SYSTEM` to the binding's grants",
    ] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn broken_files_are_refused() {
    let bench = Bench::new();
    let good = cambist_guests::component("unruly").unwrap();
    let mut flipped = good.to_vec();
    flipped[good.len() / 2] ^= 0xff;
    let files: [&[u8]; 5] = [b"", b"\0asm", &good[..good.len() / 2], &flipped, b"(component)"];
    for bytes in files {
        let revision = revision(
            bytes,
            Limits::default(),
            &["log", "reference:rates", "links:odoo"],
        );
        let error = bench.sandbox.load(bytes, &revision).err();
        assert!(
            matches!(error, Some(LoadError::NotAComponent(_))),
            "{} bytes: {error:?}",
            bytes.len()
        );
    }
    // what is said of files that are something else
    let about = |bytes: &[u8]| {
        bench
            .sandbox
            .describe(bytes)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    for (bytes, told) in [
        (&b""[..], "not a WebAssembly component: the file is empty"),
        (
            b"<html>",
            "not a WebAssembly component: it is no WebAssembly at all, by its first bytes; `cambist plugin build` makes a plugin of a crate",
        ),
        (
            &wasm_encoder::Module::new().finish(),
            "not a WebAssembly component: it is a core module; `cambist plugin build` makes a component of a crate, and `wasm-tools component new` of a module",
        ),
    ] {
        assert_eq!(about(bytes), Err(told.to_owned()));
    }
    // a core module, and an empty component
    let module = wasm_encoder::Module::new().finish();
    let component = wasm_encoder::Component::new().finish();
    let load = |bytes: &[u8]| {
        bench
            .sandbox
            .load(bytes, &revision(bytes, Limits::default(), &[]))
            .err()
    };
    assert!(matches!(load(&module), Some(LoadError::NotAComponent(_))));
    assert!(matches!(load(&component), Some(LoadError::NoInterface { .. })));
}

#[test]
fn limits_that_the_pool_cannot_keep_are_refused() {
    let error = Bench::new()
        .load(
            Limits {
                memory: 1 << 40,
                ..Limits::default()
            },
            &["log"],
        )
        .err()
        .unwrap();
    assert!(error.to_string().contains("`memory` may be at most"), "{error}");
    let limits = Limits {
        fuel: u64::MAX,
        ..Limits::default()
    };
    let error = Bench::new().load(limits, &["log"]).err().unwrap();
    assert!(error.to_string().contains("`fuel` may be at most"), "{error}");
}

#[test]
fn a_component_says_what_it_is() {
    let bench = Bench::new();
    let bytes = cambist_guests::component("unruly").unwrap();
    let about = bench.sandbox.describe(&bytes).unwrap();
    assert_eq!(about.interfaces, [Interface::Policy]);
    assert_eq!(about.name.as_deref(), Some("unruly"));
    assert_eq!(about.version.as_deref(), Some("0.1.0"));
    assert_eq!(about.imports.len(), 3);
}

#[test]
fn a_cache_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let cache = TempDir::new().unwrap();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(cache.path(), open).unwrap();
    assert!(Sandbox::new(cache.path()).is_err());
}

#[test]
fn a_cached_component_that_was_changed_is_compiled_anew() {
    let cache = TempDir::new().unwrap();
    let bytes = cambist_guests::component("unruly").unwrap();
    let terms = revision(
        &bytes,
        Limits::default(),
        &["log", "reference:rates", "links:odoo"],
    );
    Sandbox::new(cache.path()).unwrap().load(&bytes, &terms).unwrap();
    let file = std::fs::read_dir(cache.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let file = std::fs::read_dir(file).unwrap().next().unwrap().unwrap().path();
    let mut code = std::fs::read(&file).unwrap();
    let middle = code.len() / 2;
    code[middle] ^= 0xff;
    std::fs::write(&file, code).unwrap();
    let plugin = Sandbox::new(cache.path()).unwrap().load(&bytes, &terms).unwrap();
    assert!(told(&plugin, "nothing").answer.is_ok());
}

#[test]
fn calls_side_by_side_do_not_meet() {
    let plugin = Bench::new().unruly(Limits {
        fuel: 5_000_000,
        ..Limits::default()
    });
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let plugin = &plugin;
            scope.spawn(move || {
                for _ in 0..20 {
                    let what = if thread % 2 == 0 { "loop" } else { "count" };
                    let answer = told(plugin, what).answer;
                    assert_eq!(answer.is_ok(), thread % 2 == 1);
                }
            });
        }
    });
}

#[test]
fn without_links_there_are_none() {
    assert_eq!(
        NoLinks.find(
            &EntityRef {
                kind: EntityKind::Account,
                system: String::new(),
                id: String::new()
            },
            "",
            Duration::MAX
        ),
        None
    );
}
