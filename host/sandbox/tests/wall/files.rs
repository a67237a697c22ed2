//! Files that are no plugins: empty, cut off, changed, huge, of another generation.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use cambist_contract::{limits::Limits, plugin::LoadError};

use crate::host::{Host, judge};

#[test]
fn a_file_of_200_mb_is_refused_by_its_size() {
    let mut file = cambist_guests::by_hand("good").unwrap();
    file.resize(200_000_000, 0);
    let text = Host::new().refusal(&file, &[]).to_string();
    let told = "does not fit the limits of its binding: 200000000 bytes, and 33554432 are the most";
    assert_eq!(text, told);
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let host = Host::new();
    let good = cambist_guests::by_hand("good").unwrap();
    for end in (0..good.len()).step_by(7) {
        match host.load(&good[..end], Limits::default(), &[]) {
            // cut off between two sections it is a component, of less
            Err(LoadError::NotAComponent(_) | LoadError::NoInterface { .. }) => {}
            Err(other) => unreachable!("{end} bytes: {other:?}"),
            // or of all but what it says of itself
            Ok(plugin) => assert!(judge(&*plugin).answer.is_ok(), "{end} bytes"),
        }
    }
}

#[test]
fn other_generations_are_refused_by_name() {
    let host = Host::new();
    for version in ["0.0.9", "0.2.0", "1.0.0", "0.1"] {
        let export = format!("cambist:plugin/policy@{version}");
        let text = format!(r#"(component (instance $policy) (export "{export}" (instance $policy)))"#);
        let Ok(bytes) = wat::parse_str(text) else { continue };
        let error = host.refusal(&bytes, &[]);
        let text = error.to_string();
        assert!(
            matches!(error, LoadError::NoInterface { .. } | LoadError::NotAComponent(_)),
            "{text}"
        );
        assert!(
            matches!(error, LoadError::NotAComponent(_)) || text.contains(&export),
            "{text}"
        );
    }
}

/// How each of [`cambist_guests::refused`] begins to be refused.
const TOLD: [(&str, &str); 21] = [
    ("empty", "not a WebAssembly component: the file is empty"),
    (
        "no WebAssembly",
        "not a WebAssembly component: it is no WebAssembly at all",
    ),
    ("cut off", "not a WebAssembly component: "),
    ("changed", "not a WebAssembly component: "),
    (
        "too large",
        "does not fit the limits of its binding: 40000000 bytes, and 33554432 are the most",
    ),
    (
        "a core module",
        "not a WebAssembly component: it is a core module",
    ),
    (
        "nothing exported",
        "exports none of mapping, policy, tax, invoicing of a known generation; build it against wit/v0.1.0",
    ),
    (
        "an unknown generation",
        "exports none of mapping, policy, tax, invoicing of a known generation (it exports cambist:plugin/policy@0.9.0)",
    ),
    (
        "another type",
        "exports `policy` with another type than the contract's: ",
    ),
    (
        "WASI",
        "imports what its binding does not grant: wasi:clocks/monotonic-clock@0.2.6; WASI is never granted: ",
    ),
    (
        "what is not granted",
        "imports what its binding does not grant: cambist:plugin/links@0.1.0; add `links:SYSTEM` to the binding's grants",
    ),
    (
        "what nobody has",
        "imports what its binding does not grant: acme:things/secrets@1.0.0; the host has no such interface",
    ),
    (
        "an import of another type",
        "imports an interface with another type than the contract's; ",
    ),
    (
        "a loop at the start",
        "does not fit the limits of its binding: the call passed the limit `fuel` = 100000000",
    ),
    (
        "a trap at the start",
        "cannot be instantiated: the plugin trapped: wasm trap: wasm `unreachable` instruction executed",
    ),
    (
        "memory",
        "does not fit the limits of its binding: the call passed the limit `memory` = 67108864",
    ),
    (
        "tables",
        "does not fit the limits of its binding: the call passed the limit `table-entries` = 20000",
    ),
    (
        "instances",
        "does not fit the limits of its binding: the call passed the limit `instances` = 60",
    ),
    (
        "resources",
        "does not fit the limits of its binding: it makes resources of its own, ",
    ),
    ("composed", "is composed of several components; "),
    (
        "costly to compile",
        "does not fit the limits of its binding: it would cost too much to compile: ",
    ),
];

#[test]
fn each_file_that_no_host_takes_is_refused_in_its_own_words() {
    let host = Host::new();
    let mut wrong = Vec::new();
    for (what, bytes) in cambist_guests::refused().unwrap() {
        // another stage's plugin is a good one, and the binding is what refuses it
        if what == "for another stage" {
            continue;
        }
        let told = TOLD.iter().find(|(of, _)| *of == what).unwrap().1;
        let text = host.refusal(&bytes, &["log"]).to_string();
        if !text.starts_with(told) {
            wrong.push(format!("{what}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
