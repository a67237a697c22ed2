//! Real components with damage: bits turned, pieces cut out, doubled, exchanged.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use cambist_contract::plugin::Loader as _;
use cambist_fuzz::{
    ask::{FUNCTIONS, ask, refused, revision},
    seed::{Chance, seeds},
};
use cambist_sandbox::Sandbox;
use serde_json::Value;

/// The same bytes with one to four pieces of damage.
fn damaged(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        let end = (at + 1 + chance.below(64)).min(bytes.len());
        match chance.below(6) {
            0 => bytes.truncate(at.max(9)),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            3 => {
                let noise = chance.bytes(end - at);
                bytes.splice(at..end, noise);
            }
            // mostly one bit: what is nearly right goes furthest
            _ => {
                let bit = 1 << chance.below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bit;
                }
            }
        }
    }
    bytes
}

/// Damages one component, and says how many could be called in spite of it.
fn harm(good: &[u8], runs: u32) -> u32 {
    let mut called = 0;
    let cache = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(cache.path()).unwrap();
    for seed in seeds(runs) {
        let bytes = damaged(good, &mut Chance::new(seed));
        let told = match sandbox.load(&bytes, &revision(&bytes)) {
            Err(error) => refused(&error),
            Ok(plugin) => {
                called += 1;
                FUNCTIONS
                    .into_iter()
                    .try_for_each(|function| ask(&*plugin, function, &Value::from("00")).map(drop))
            }
        };
        told.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
        // describing it runs nothing, and must not fall over what loading refuses
        if let Err(error) = sandbox.describe(&bytes) {
            refused(&error).unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
        }
    }
    called
}

#[test]
fn a_small_component_with_damage() {
    let good = cambist_guests::by_hand("parrot").unwrap();
    assert!(
        harm(&good, 400) > 0,
        "none could be called: the damage is too much"
    );
}

#[test]
fn a_shipped_plugin_with_damage() {
    let good = cambist_guests::component("policy-deal-desk").unwrap();
    assert!(
        harm(&good, 40) > 0,
        "none could be called: the damage is too much"
    );
}
