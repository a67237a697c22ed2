//! What a component may cost to compile, looked at before it is compiled.
//!
//! Cranelift cannot be interrupted, and what it costs does not follow from the
//! size of a file: 30 kB of loops within loops that all change the same locals took
//! more than a minute. So one pass over the code counts what it costs much by, and
//! refuses what is beyond. The pass reads 18 MB in a fraction of a second and is made
//! only where nothing is in the cache.
//!
//! # The numbers
//!
//! Each is several times what the largest guest has that was measured (a CPython of
//! 18.4 MB, made by componentize-py 0.25.1, which takes 32 s and 380 MB on two busy
//! cores), and small enough that a component at the bound costs not much more than
//! that guest. Measured with wasmtime 48 with fuel, on the same two cores.
//!
//! What is bounded elsewhere: the size of a file (`MAX_COMPONENT`, a second for each
//! megabyte of straight code), types within types and names (wasmparser's own limits).

use cambist_contract::plugin::LoadError;
use wasmparser::{BinaryReaderError, FunctionBody, Operator, Parser, Payload};

use crate::trap::not_a_component;

/// Core functions. An empty one takes 0.13 ms, so these take 8 s. CPython has 13 500.
const MAX_FUNCTIONS: u64 = 60_000;

/// Entries of all other sections together: types, globals, imports, exports, data,
/// elements, aliases, of all modules. 100 000 types take 0.1 s. CPython has 13 000.
const MAX_ENTRIES: u64 = 100_000;

/// Bytes of one function's body. Straight code of 1.7 MB takes 2.6 s and 300 MB.
/// CPython's largest has 427 kB.
const MAX_BODY: u64 = 1 << 20;

/// Locals and parameters of one function. CPython has 271, a shipped mapping 315.
const MAX_LOCALS: u64 = 5_000;

/// Parameters or results of one type: each branch to a block hands over all of them.
/// Compilers make at most 19 in what was measured.
const MAX_ARITY: u64 = 64;

/// Loops within loops. With 1000 locals, 50 take 0.9 s, 100 take 1.5 s, and 200 more than
/// 40 s; 400 with 250 locals take as long. People write under 10.
const MAX_LOOP_DEPTH: u64 = 64;

/// Steps of one function: blocks, branches, calls, instructions that do much at once.
/// 100 000 calls take 2.4 s and 256 MB, as many blocks 0.6 s. CPython has 16 300
/// branches in one function.
const MAX_STEPS: u64 = 100_000;

/// Steps times locals of one function: what may have to be handed on at each step.
/// 2 million take 5 s and 280 MB, half a million 1 s and 80 MB. A shipped mapping had
/// 270 000 when more of it was inlined, and a test's guest into which the compiler put all
/// others 1.2 million.
const MAX_STEPS_BY_LOCALS: u64 = 4_000_000;

/// Loops times locals of one function: what is handed on at each turn. These take 0.9 s
/// where they lie within each other; CPython has 8 400, a shipped mapping 18 800, and a
/// test's guest that hands every record back 36 600.
const MAX_LOOPS_BY_LOCALS: u64 = 50_000;

/// Steps of all functions together: at 24 us a call, a minute. CPython's were not
/// counted; its branches alone are some hundred thousand.
const MAX_ALL_STEPS: u64 = 3_000_000;

/// Steps times locals, of all functions together: some 50 s. CPython has 4 million.
const MAX_ALL_STEPS_BY_LOCALS: u64 = 20_000_000;

/// Loops times locals, of all functions together: some 20 s. CPython has 143 000.
const MAX_ALL_LOOPS_BY_LOCALS: u64 = 1_000_000;

/// Refuses a component that would cost too much to compile.
///
/// # Errors
///
/// [`LoadError::TooLarge`] with what it has too much of; or its bytes are none.
pub(crate) fn check(bytes: &[u8]) -> Result<(), LoadError> {
    let mut all = Costs::default();
    let mut functions = 0;
    let mut entries = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(wrong)? {
            Payload::FunctionSection(section) => functions += u64::from(section.count()),
            Payload::CodeSectionEntry(body) => {
                let function = Costs::of(&body).map_err(wrong)?;
                function.fit()?;
                all.add(&function);
            }
            Payload::TypeSection(section) => {
                entries += u64::from(section.count());
                for ty in section.into_iter_err_on_gc_types() {
                    let ty = ty.map_err(wrong)?;
                    let arity = ty.params().len().max(ty.results().len()) as u64;
                    most("parameters or results of one type", arity, MAX_ARITY)?;
                }
            }
            Payload::ImportSection(section) => entries += u64::from(section.count()),
            Payload::TableSection(section) => entries += u64::from(section.count()),
            Payload::MemorySection(section) => entries += u64::from(section.count()),
            Payload::GlobalSection(section) => entries += u64::from(section.count()),
            Payload::ExportSection(section) => entries += u64::from(section.count()),
            Payload::ElementSection(section) => entries += u64::from(section.count()),
            Payload::DataSection(section) => entries += u64::from(section.count()),
            Payload::InstanceSection(section) => entries += u64::from(section.count()),
            Payload::CoreTypeSection(section) => entries += u64::from(section.count()),
            Payload::ComponentInstanceSection(section) => entries += u64::from(section.count()),
            Payload::ComponentAliasSection(section) => entries += u64::from(section.count()),
            Payload::ComponentTypeSection(section) => entries += u64::from(section.count()),
            Payload::ComponentCanonicalSection(section) => entries += u64::from(section.count()),
            Payload::ComponentImportSection(section) => entries += u64::from(section.count()),
            Payload::ComponentExportSection(section) => entries += u64::from(section.count()),
            _ => {}
        }
        most("functions", functions, MAX_FUNCTIONS)?;
        most("types, globals, imports and the like", entries, MAX_ENTRIES)?;
    }
    most("steps of all functions", all.steps, MAX_ALL_STEPS)?;
    most(
        "steps times locals of all functions",
        all.steps_by_locals,
        MAX_ALL_STEPS_BY_LOCALS,
    )?;
    most(
        "loops times locals of all functions",
        all.loops_by_locals,
        MAX_ALL_LOOPS_BY_LOCALS,
    )
}

/// What makes a function costly.
#[derive(Default)]
struct Costs {
    bytes: u64,
    locals: u64,
    steps: u64,
    loop_depth: u64,
    steps_by_locals: u64,
    loops_by_locals: u64,
}

impl Costs {
    fn of(body: &FunctionBody<'_>) -> Result<Self, BinaryReaderError> {
        let mut costs = Self {
            bytes: body.range().len() as u64,
            ..Self::default()
        };
        for local in body.get_locals_reader()? {
            costs.locals = costs.locals.saturating_add(u64::from(local?.0));
        }
        let mut loops = 0_u64;
        // for each block that is open, whether it is a loop
        let mut open: Vec<bool> = Vec::new();
        let mut loops_open = 0_u64;
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Loop { .. } => {
                    open.push(true);
                    loops += 1;
                    loops_open += 1;
                    costs.steps += 1;
                    costs.loop_depth = costs.loop_depth.max(loops_open);
                }
                Operator::Block { .. } | Operator::If { .. } => {
                    open.push(false);
                    costs.steps += 1;
                }
                Operator::End => loops_open -= u64::from(open.pop().unwrap_or(false)),
                Operator::BrTable { targets } => costs.steps += u64::from(targets.len()),
                Operator::Else
                | Operator::Br { .. }
                | Operator::BrIf { .. }
                | Operator::Return
                | Operator::Call { .. }
                | Operator::CallIndirect { .. }
                | Operator::ReturnCall { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::MemoryGrow { .. }
                | Operator::MemoryCopy { .. }
                | Operator::MemoryFill { .. }
                | Operator::MemoryInit { .. }
                | Operator::TableGet { .. }
                | Operator::TableSet { .. }
                | Operator::TableGrow { .. }
                | Operator::TableCopy { .. }
                | Operator::TableFill { .. }
                | Operator::TableInit { .. }
                | Operator::RefFunc { .. } => costs.steps += 1,
                _ => {}
            }
        }
        costs.steps_by_locals = costs.steps.saturating_mul(costs.locals);
        costs.loops_by_locals = loops.saturating_mul(costs.locals);
        Ok(costs)
    }

    fn fit(&self) -> Result<(), LoadError> {
        most("bytes of one function", self.bytes, MAX_BODY)?;
        most("locals of one function", self.locals, MAX_LOCALS)?;
        most("steps of one function", self.steps, MAX_STEPS)?;
        most("loops within loops", self.loop_depth, MAX_LOOP_DEPTH)?;
        most(
            "steps times locals of one function",
            self.steps_by_locals,
            MAX_STEPS_BY_LOCALS,
        )?;
        most(
            "loops times locals of one function",
            self.loops_by_locals,
            MAX_LOOPS_BY_LOCALS,
        )
    }

    fn add(&mut self, function: &Self) {
        self.steps = self.steps.saturating_add(function.steps);
        self.steps_by_locals = self.steps_by_locals.saturating_add(function.steps_by_locals);
        self.loops_by_locals = self.loops_by_locals.saturating_add(function.loops_by_locals);
    }
}

fn most(what: &str, has: u64, most: u64) -> Result<(), LoadError> {
    if has <= most {
        return Ok(());
    }
    Err(LoadError::TooLarge(format!(
        "it would cost too much to compile: {has} {what}, and {most} are the most"
    )))
}

fn wrong(error: BinaryReaderError) -> LoadError {
    not_a_component(error.message())
}
