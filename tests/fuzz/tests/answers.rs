//! All that a guest can return, and what it should not: right and wrong answers of
//! every function's type, bit by bit and with damage.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{cell::Cell, sync::Arc};

use arbitrary::Unstructured;
use cambist_contract::plugin::{CallError, Function, Loader as _, Plugin};
use cambist_fuzz::{
    ask::{FUNCTIONS, ask, revision},
    lower::Image,
    seed::runs,
};
use cambist_sandbox::Sandbox;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use wit_parser::{PackageId, Resolve, Type};

/// Where the parrot keeps what it is told.
const BASE: u32 = 65_536;

fn parrot() -> Arc<dyn Plugin> {
    let cache = tempfile::tempdir().unwrap();
    let bytes = cambist_guests::by_hand("parrot").unwrap();
    Sandbox::new(cache.path())
        .unwrap()
        .load(&bytes, &revision(&bytes))
        .unwrap()
}

/// What a function answers, as the contract's text has it.
fn answer(resolve: &Resolve, package: PackageId, function: Function) -> Type {
    let (interface, name) = match function {
        Function::Read => ("mapping", "read"),
        Function::Write => ("mapping", "write"),
        Function::Judge => ("policy", "judge"),
        Function::Assess => ("tax", "assess"),
        Function::DraftInvoice => ("invoicing", "draft-invoice"),
    };
    let interface = resolve.packages[package].interfaces[interface];
    resolve.interfaces[interface].functions[name].result.unwrap()
}

fn hexadecimal(bytes: &[u8]) -> serde_json::Value {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into()
}

/// Runs `damage` on answers of every function, and says how many were taken in.
fn speak(cases: u32, damage: impl Fn(&mut Vec<u8>, &[(u16, u8)])) -> u32 {
    let plugin = parrot();
    let (resolve, package) = cambist_guests::contract().unwrap();
    let taken = Cell::new(0);
    for function in FUNCTIONS {
        let ty = answer(&resolve, package, function);
        let config = ProptestConfig {
            cases: runs(cases),
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let inputs = (vec(any::<u8>(), 0..1500), vec(any::<(u16, u8)>(), 1..6));
        TestRunner::new(config)
            .run(&inputs, |(bytes, places)| {
                let mut image = Image::of(&resolve, &ty, BASE, &mut Unstructured::new(&bytes)).unwrap();
                damage(&mut image, &places);
                let told = ask(&*plugin, function, &hexadecimal(&image));
                match told.map_err(|error| TestCaseError::fail(format!("{error:#}")))? {
                    None | Some(CallError::Fault(_)) => taken.set(taken.get() + 1),
                    Some(CallError::BadAnswer(_) | CallError::Limit { .. }) => {}
                    Some(other) => return Err(TestCaseError::fail(other.to_string())),
                }
                Ok(())
            })
            .unwrap();
    }
    taken.get()
}

#[test]
fn every_answer_is_taken_in_whole_or_refused() {
    let cases = 400;
    let taken = speak(cases, |_, _| {});
    // an answer that is never right would show nothing
    assert!(
        taken > cases,
        "only {taken} were taken in: the answers have become wrong"
    );
}

#[test]
fn answers_with_damage_harm_nobody() {
    speak(400, |image, places| {
        for (at, byte) in places {
            let at = usize::from(*at) % image.len();
            image[at] = *byte;
        }
    });
}

#[test]
fn noise_is_no_answer_that_harms() {
    speak(200, |image, places| {
        // no zeros, of which an empty list is made
        for (at, byte) in image.iter_mut().enumerate() {
            let (place, noise) = places[at % places.len()];
            *byte = noise
                .wrapping_mul(31)
                .wrapping_add((usize::from(place) * at).to_le_bytes()[0]);
        }
    });
}
