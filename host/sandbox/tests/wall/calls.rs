//! What a guest can do while it is called: loops, bombs, traps and lies, each with
//! the text that a person reads.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use cambist_contract::{
    invoicing::Billable,
    limits::Limits,
    mapping::{Inbound, Outbound},
    plugin::{CallError, NoLinks, Plugin},
    tax::Document,
};
use serde_json::json;

use crate::host::{Host, context, judge};

fn tight() -> Limits {
    Limits {
        fuel: 1_000_000,
        memory: 8 << 20,
        ..Limits::default()
    }
}

/// A guest, and what is told of it.
const TOLD: [(&str, &str); 17] = [
    ("loop-in-realloc", "the call passed the limit `fuel` = 1000000"),
    (
        "loop-in-post-return",
        "the call passed the limit `fuel` = 1000000",
    ),
    ("memory-bomb", "the call passed the limit `memory` = 8388608"),
    ("realloc-grows", "the call passed the limit `memory` = 8388608"),
    ("table-bomb", "the call passed the limit `table-entries` = 20000"),
    ("stack-bomb", "the call passed the limit `stack` = 524288"),
    (
        "trap",
        "the plugin trapped: wasm trap: wasm `unreachable` instruction executed, without a word of its own",
    ),
    (
        "trap-in-realloc",
        "the plugin trapped: wasm trap: wasm `unreachable` instruction executed, without a word of its own",
    ),
    (
        "trap-in-post-return",
        "the plugin trapped: wasm trap: wasm `unreachable` instruction executed, without a word of its own",
    ),
    (
        "trap-everywhere",
        "the plugin trapped: wasm trap: out of bounds memory access, without a word of its own",
    ),
    (
        "realloc-outside",
        "the plugin's answer breaks the contract: realloc return: beyond end of memory",
    ),
    (
        "answer-outside",
        "the plugin's answer breaks the contract: pointer out of bounds of memory",
    ),
    (
        "answer-crooked",
        "the plugin's answer breaks the contract: return pointer not aligned",
    ),
    (
        "lying-length",
        "the plugin's answer breaks the contract: list pointer/length out of bounds of memory",
    ),
    (
        "list-outside",
        "the plugin's answer breaks the contract: list pointer/length out of bounds of memory",
    ),
    (
        "no-such-case",
        "the plugin's answer breaks the contract: invalid expected discriminant",
    ),
    (
        "not-utf8",
        "the plugin's answer breaks the contract: invalid utf-8 sequence of 1 bytes from index 0",
    ),
];

#[test]
fn what_a_guest_does_ends_its_call_and_says_why() {
    let host = Host::new();
    let mut wrong = Vec::new();
    for (guest, told) in TOLD {
        let text = host.error(guest, tight()).to_string();
        if text != told {
            wrong.push(format!("{guest}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_binding_may_set_another_stack() {
    let host = Host::new();
    let with = |stack| Limits {
        stack,
        ..Limits::default()
    };
    let fuel = [64 << 10, 1 << 20].map(|stack| {
        let called = judge(&*host.guest("stack-bomb", with(stack)));
        let told = called.answer.unwrap_err().to_string();
        assert_eq!(told, format!("the call passed the limit `stack` = {stack}"));
        host.has_all_back("stack-bomb");
        host.lives("stack-bomb");
        called.cost.fuel
    });
    let [small, large] = fuel;
    // sixteen times as deep, less what the host's own frames take
    assert!(large > small * 12, "{fuel:?}");
    let good = cambist_guests::by_hand("good").unwrap();
    let refusal = host.load(&good, with(100_000), &[]).err().unwrap().to_string();
    assert!(
        refusal.ends_with("`stack` may be one of 65536, 131072, 262144, 524288, 1048576"),
        "{refusal}"
    );
}

#[test]
fn a_trap_in_any_export_is_one_calls_end() {
    let host = Host::new();
    let plugin = host.guest("trap-everywhere", Limits::default());
    for _ in 0..2 {
        for (function, error) in everything(&*plugin) {
            assert!(matches!(error, CallError::Trapped(_)), "{function}: {error}");
            host.has_all_back(function);
        }
    }
    host.lives("traps in every export");
}

/// Calls every function, and tells what each failed with.
fn everything(plugin: &dyn Plugin) -> Vec<(&'static str, CallError)> {
    let links = || Arc::new(NoLinks);
    let context = context();
    let deal = json!({"kind": "opportunity", "system": "crm", "id": "1"});
    let party = json!({"name": "A", "address": {"country": "DE"}, "business": true});
    let inbound: Inbound = from(json!({
        "system": "crm", "event": "won", "object-kind": "deal", "object-id": "1", "body": {},
    }));
    let outbound: Outbound = from(json!({"system": "odoo", "changes": [], "assessments": []}));
    let document: Document = from(json!({
        "ref": deal, "kind": "order", "tax-point": "2026-11-22", "currency": "EUR",
        "supplier": party, "customer": party, "lines": [],
    }));
    let billable: Billable = from(json!({
        "contract": {"ref": deal}, "account": {"ref": deal}, "from": "2026-11-01", "until": "2026-11-30",
    }));
    vec![
        (
            "read",
            plugin.read(&context, &inbound, links()).answer.unwrap_err(),
        ),
        (
            "write",
            plugin.write(&context, &outbound, links()).answer.unwrap_err(),
        ),
        ("judge", judge(plugin).answer.unwrap_err()),
        (
            "assess",
            plugin.assess(&context, &document, links()).answer.unwrap_err(),
        ),
        (
            "draft-invoice",
            plugin
                .draft_invoice(&context, &billable, links())
                .answer
                .unwrap_err(),
        ),
    ]
}

fn from<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

#[test]
fn memory_comes_back_after_every_bomb() {
    let host = Host::new();
    let plugin = host.guest("memory-bomb", Limits::default());
    let touched = host.guest("looks-around", Limits::default());
    let before = resident();
    for _ in 0..200 {
        assert!(judge(&*plugin).answer.is_err());
        assert!(judge(&*touched).answer.is_err());
    }
    // kept, they would be 12 GiB; other tests run beside this one
    let grown = resident().saturating_sub(before);
    assert!(grown < 1 << 30, "{grown} bytes more than before");
}

/// What this process has in memory, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
