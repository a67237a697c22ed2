//! Imports that nobody granted: refused at load, every one named, with the way out.

#![expect(clippy::unwrap_used, reason = "tests")]

use cambist_contract::plugin::LoadError;

use crate::host::Host;

/// A component that exports an empty policy and imports an interface for each name.
fn importing(names: &[&str]) -> Vec<u8> {
    let imports: String = names
        .iter()
        .map(|name| format!(r#"(import "{name}" (instance (export "get" (func (result u64)))))"#))
        .collect();
    let policy = r#"(instance $policy) (export "cambist:plugin/policy@0.1.0" (instance $policy))"#;
    wat::parse_str(format!("(component {imports} {policy})")).unwrap()
}

#[test]
fn wasi_is_refused_with_each_languages_way_out() {
    let names = [
        "wasi:clocks/monotonic-clock@0.2.6",
        "wasi:random/random@0.2.6",
        "wasi:sockets/tcp@0.2.6",
    ];
    // there is no grant for it, so none helps
    let error = Host::new().refusal(&importing(&names), &["log", "reference:rates", "links:odoo"]);
    let text = error.to_string();
    for word in names.into_iter().chain([
        "WASI is never granted",
        "`wasm32-unknown-unknown`",
        "`componentize-qjs --stub-wasi`",
        "`componentize-py componentize --stub-wasi`",
    ]) {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn what_is_missing_of_each_kind_has_its_own_way_out() {
    let names = [
        "wasi:cli/environment@0.2.6",
        "cambist:plugin/links@0.1.0",
        "acme:things/secrets@1.0.0",
    ];
    let text = Host::new().refusal(&importing(&names), &["log"]).to_string();
    for word in names.into_iter().chain([
        "WASI is never granted",
        "add `links:SYSTEM` to the binding's grants",
    ]) {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_name_that_nobody_has_cannot_be_granted() {
    let text = Host::new()
        .refusal(&importing(&["acme:things/secrets@1.0.0"]), &["log"])
        .to_string();
    let told =
        "imports what its binding does not grant: acme:things/secrets@1.0.0; the host has no such interface";
    assert_eq!(text, told);
}

#[test]
fn hundreds_of_missing_imports_are_no_flood() {
    let names: Vec<String> = (0..900)
        .map(|at| format!("acme:things/{}-n{at}@1.0.0", "long".repeat(100)))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let text = Host::new().refusal(&importing(&names), &[]).to_string();
    assert!(text.contains("and 836 more"), "{text}");
    assert!(text.len() < 16 << 10, "{} bytes", text.len());
}

#[test]
fn a_known_import_of_another_type_is_refused() {
    // the name is granted, the type is not the contract's; behind it stand the linker's words
    let error = Host::new().refusal(&importing(&["cambist:plugin/log@0.1.0"]), &["log"]);
    assert!(matches!(error, LoadError::WrongImport(_)), "{error:?}");
    let text = error.to_string();
    let told = "imports an interface with another type than the contract's; build it against wit/v0.1.0: ";
    assert!(
        text.starts_with(told) && text.contains("cambist:plugin/log@0.1.0"),
        "{text}"
    );
}
