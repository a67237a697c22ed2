//! Components that wasm-smith makes: whole ones, which export what they like, and core
//! modules of random code behind the contract's five functions.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use arbitrary::Unstructured;
use cambist_contract::plugin::Loader as _;
use cambist_fuzz::{
    ask::{FUNCTIONS, ask, refused, revision},
    seed::{Chance, seeds},
};
use cambist_sandbox::Sandbox;
use serde_json::json;
use wasm_smith::{Component, Config, Module};

/// The exports of a plugin that does everything: `trap-everywhere` has their types.
fn exports() -> Vec<u8> {
    let path = cambist_guests::root().join("tests/guests/by-hand/trap-everywhere.wat");
    wat::parse_str(std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Code without imports, in a WebAssembly that the host takes.
fn config(exports: Option<Vec<u8>>) -> Config {
    Config {
        exports,
        max_imports: 0,
        min_funcs: 3,
        max_memories: 1,
        max_memory32_bytes: 4 << 20,
        max_instructions: 300,
        allow_start_export: true,
        memory64_enabled: false,
        gc_enabled: false,
        // with them it takes references to functions of a type, which are gc's
        reference_types_enabled: false,
        exceptions_enabled: false,
        threads_enabled: false,
        relaxed_simd_enabled: false,
        tail_call_enabled: true,
        ..Config::default()
    }
}

#[test]
fn random_code_behind_the_contracts_functions() {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(cache.path()).unwrap();
    let exports = exports();
    let (mut made, mut called) = (0, 0);
    let mut last = String::new();
    for seed in seeds(150) {
        let noise = Chance::new(seed).bytes(4096);
        let Ok(module) = Module::new(config(Some(exports.clone())), &mut Unstructured::new(&noise)) else {
            continue;
        };
        let Ok(bytes) = cambist_guests::component_of(module.to_bytes(), "plugin") else {
            continue;
        };
        made += 1;
        let told = match sandbox.load(&bytes, &revision(&bytes)) {
            Err(error) => {
                last = error.to_string();
                refused(&error)
            }
            Ok(plugin) => {
                called += 1;
                FUNCTIONS
                    .into_iter()
                    .try_for_each(|function| ask(&*plugin, function, &json!({})).map(drop))
            }
        };
        told.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
    }
    assert!(
        called > 10,
        "{made} were made and {called} called: this test has become blind; the last: {last}"
    );
}

#[test]
fn random_components() {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(cache.path()).unwrap();
    let mut made = 0;
    for seed in seeds(400) {
        let noise = Chance::new(seed).bytes(8192);
        let Ok(component) = Component::new(Config::default(), &mut Unstructured::new(&noise)) else {
            continue;
        };
        made += 1;
        let bytes = component.to_bytes();
        let error = sandbox.load(&bytes, &revision(&bytes)).err().unwrap();
        refused(&error).unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
    }
    assert!(made > 10, "only {made} were made: this test has become blind");
}
