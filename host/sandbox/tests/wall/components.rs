//! What a component may be made of, and how much it may take before it is called.

#![expect(clippy::unwrap_used, reason = "tests")]

use cambist_contract::{
    digest::Digest,
    limits::Limits,
    plugin::{LoadError, Loader as _},
    revision::{Revision, Tables},
};
use cambist_sandbox::{InUse, Sandbox};

/// Loads a component that exports an empty `policy`, with `parts` in it.
fn load(parts: &str) -> Option<LoadError> {
    load_within(parts, Limits::default())
}

fn load_within(parts: &str, limits: Limits) -> Option<LoadError> {
    let text = format!(
        r#"(component {parts} (instance $policy) (export "cambist:plugin/policy@0.1.0" (instance $policy)))"#
    );
    let bytes = wat::parse_str(text).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let revision = Revision {
        plugin: "hostile".to_owned(),
        component: Digest::of(&bytes),
        settings: serde_json::Value::Null,
        grants: Default::default(),
        limits,
        tables: Tables::new(),
        kept: None,
    };
    let sandbox = Sandbox::new(cache.path()).unwrap();
    let refused = sandbox.load(&bytes, &revision).err();
    assert_eq!(sandbox.in_use(), InUse::default(), "what it took came back");
    refused
}

/// `count` core instances of one module.
fn instances(module: &str, count: usize) -> String {
    format!("(core module $m {module})") + &"(core instance (instantiate $m))".repeat(count)
}

fn told(error: Option<LoadError>) -> String {
    error.unwrap().to_string()
}

#[test]
fn an_interface_of_the_right_name_and_the_wrong_type_is_refused() {
    let error = load("");
    assert!(matches!(error, Some(LoadError::WrongType { .. })), "{error:?}");
    assert!(told(error).contains("`judge`"));
}

#[test]
fn memories_count_together() {
    // 640 pages are 40 MiB: one fits into 64 MiB, two do not
    let one = load(&instances("(memory 640)", 1));
    assert!(matches!(one, Some(LoadError::WrongType { .. })), "{one:?}");
    let two = told(load(&instances("(memory 640)", 2)));
    assert!(two.contains("`memory` = 67108864"), "{two}");
}

#[test]
fn tables_count_together() {
    let text = told(load(&instances("(table 15000 funcref)", 2)));
    assert!(text.contains("`table-entries` = 20000"), "{text}");
}

#[test]
fn a_component_of_too_many_instances_or_memories_is_refused() {
    let text = told(load(&instances("", 61)));
    assert!(text.contains("`instances` = 60"), "{text}");
    // fewer than the pool has, and more than the binding allows
    let two = Limits {
        memories: 2,
        ..Limits::default()
    };
    let text = told(load_within(&instances("(memory 1)", 3), two));
    assert!(
        text.ends_with("the call passed the limit `memories` = 2"),
        "{text}"
    );
    // more than any binding may allow: the compiler refuses them
    for (module, count, told_of) in [
        (
            "(memory 1)",
            5,
            "it has more linear memories than the 4 that `memories` may be at most",
        ),
        (
            "",
            101,
            "it has more core module instances than the 100 that `instances` may be at most",
        ),
    ] {
        let text = told(load(&instances(module, count)));
        assert_eq!(text, format!("does not fit the limits of its binding: {told_of}"));
    }
}

#[test]
fn resources_of_its_own_are_refused() {
    let text = told(load(
        "(type $t (resource (rep i32))) (core func $new (canon resource.new $t))",
    ));
    assert!(text.contains("it makes resources of its own"), "{text}");
}

#[test]
fn a_loop_at_the_start_ends_when_its_fuel_is_spent() {
    let text = told(load(&instances("(func $f (loop (br 0))) (start $f)", 1)));
    assert!(text.contains("`fuel` = 100000000"), "{text}");
}

#[test]
fn a_component_in_which_others_have_code_is_refused() {
    let error = load("(component $inner (core module))");
    assert!(matches!(error, Some(LoadError::Composed)), "{error:?}");
    // what only renames is no other program
    let renames = load("(component $inner)");
    assert!(
        matches!(renames, Some(LoadError::WrongType { .. })),
        "{renames:?}"
    );
}
