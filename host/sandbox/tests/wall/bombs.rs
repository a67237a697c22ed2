//! Components that are small and would cost much to compile. Each is refused before
//! the compiler sees it, so these tests end at once or for ever.

use cambist_contract::plugin::LoadError;
use wasm_encoder::{
    BlockType, CodeSection, Component, Function, FunctionSection, Instruction as I, Module, ModuleSection,
    TypeSection, ValType,
};

use crate::host::Host;

/// A component with `count` functions of these locals and this code, and `types` more
/// types than it needs.
fn component(count: u32, types: u32, locals: u32, code: impl Fn(&mut Function)) -> Vec<u8> {
    let mut all = TypeSection::new();
    for _ in 0..=types {
        all.ty().function([], []);
    }
    let (mut functions, mut bodies) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..count {
        functions.function(0);
        let mut body = Function::new([(locals, ValType::I64)]);
        code(&mut body);
        body.instruction(&I::End);
        bodies.function(&body);
    }
    let mut module = Module::new();
    module.section(&all).section(&functions).section(&bodies);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.finish()
}

/// That it is refused, and with which words.
fn refused(bytes: &[u8], words: &str) {
    let error = Host::new().refusal(bytes, &[]);
    assert!(matches!(error, LoadError::TooLarge(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("it would cost too much to compile: ") && text.contains(words),
        "{text}"
    );
}

fn times(body: &mut Function, count: u32, code: &[I<'_>]) {
    for _ in 0..count {
        for instruction in code {
            body.instruction(instruction);
        }
    }
}

/// Loops within loops, in the middle of which every local is changed.
fn loops(body: &mut Function, depth: u32, locals: u32) {
    times(body, depth, &[I::Loop(BlockType::Empty)]);
    for local in 0..locals {
        times(
            body,
            1,
            &[I::LocalGet(local), I::I64Const(1), I::I64Add, I::LocalSet(local)],
        );
    }
    times(body, depth, &[I::I32Const(1), I::BrIf(0), I::End]);
}

#[test]
fn a_huge_function() {
    refused(
        &component(1, 0, 1, |body| {
            times(body, 300_000, &[I::I64Const(1 << 20), I::Drop])
        }),
        "bytes of one function",
    );
}

#[test]
fn a_function_of_calls_or_blocks_alone() {
    refused(
        &component(1, 0, 0, |body| times(body, 100_001, &[I::Call(0)])),
        "steps of one function",
    );
    let nested = |body: &mut Function| {
        times(body, 100_001, &[I::Block(BlockType::Empty)]);
        times(body, 100_001, &[I::End]);
    };
    refused(&component(1, 0, 0, nested), "steps of one function");
}

#[test]
fn loops_within_loops() {
    refused(
        &component(1, 0, 100, |body| loops(body, 1_000, 100)),
        "loops within loops",
    );
    refused(
        &component(1, 0, 4_000, |body| loops(body, 50, 4_000)),
        "loops times locals of one function",
    );
}

#[test]
fn branches_with_thousands_of_locals() {
    refused(&component(1, 0, 50_000, |_| {}), "locals of one function");
    let branches =
        |body: &mut Function| times(body, 2_000, &[I::I32Const(1), I::If(BlockType::Empty), I::End]);
    refused(
        &component(1, 0, 4_000, branches),
        "steps times locals of one function",
    );
}

#[test]
fn what_each_function_may_many_may_not() {
    refused(
        &component(50, 0, 500, |body| loops(body, 50, 500)),
        "loops times locals of all",
    );
    let branches =
        |body: &mut Function| times(body, 1_000, &[I::I32Const(1), I::If(BlockType::Empty), I::End]);
    refused(&component(30, 0, 1_000, branches), "steps times locals of all");
    refused(
        &component(50, 0, 0, |body| times(body, 90_000, &[I::Call(0)])),
        "steps of all functions",
    );
    refused(&component(60_001, 0, 0, |_| {}), "functions, and 60000");
}

#[test]
fn thousands_of_types() {
    refused(
        &component(1, 200_000, 0, |_| {}),
        "types, globals, imports and the like",
    );
    let mut types = TypeSection::new();
    types.ty().function(vec![ValType::I64; 65], []);
    let mut module = Module::new();
    module.section(&types);
    let mut wide = Component::new();
    wide.section(&ModuleSection(&module));
    refused(&wide.finish(), "parameters or results of one type");
}
