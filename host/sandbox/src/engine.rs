//! The settings of wasmtime, and the numbers behind them.
//!
//! # Fuel, and no epochs
//!
//! A budget must mean the same on every machine and on every replay, so it is
//! counted in fuel. Wasmtime 48 also charges fuel for what one instruction does
//! in bulk (a unit for each byte of `memory.copy` and `memory.fill`, for each
//! table entry), so that no guest code runs unseen. What fuel does not see is
//! bounded otherwise: calls of host functions are counted and are look-ups in
//! memory; copying of arguments and answers is charged to `transfer` and `host-bytes`; text that one
//! component hands to another inside a plugin would be copied by the host for
//! nothing, so a plugin made of several components that have code is refused
//! (`check.rs`). Fuel itself has a ceiling, [`MAX_FUEL`].
//!
//! Epochs would be a second net under the same code, stop a call at a moment that
//! no replay can repeat, and cost more: on the benchmark's deal a call took 42 us
//! without metering, 51 with epochs alone and 57 with fuel alone.

use wasmtime::{Config, Enabled, Engine, PoolingAllocationConfig};

/// Calls that may be under way at once. The pipeline runs at most as many as the
/// machine has threads for blocking work; more wait there, not here. Instances that are
/// kept and wait count too, and go when their place is wanted (`kept.rs`).
pub(crate) const MAX_CALLS: u32 = 128;

/// The largest linear memory that a revision's limit may allow. The pool
/// reserves address space for it, not memory.
pub(crate) const MAX_MEMORY: u64 = 256 << 20;

/// The most core instances, and the most tables, that a revision's limit may allow
/// in one component.
pub(crate) const MAX_INSTANCES: u32 = 100;

/// The most linear memories that a revision's limit may allow in one component. The
/// pool has so many for each call that may be under way.
pub(crate) const MAX_MEMORIES: u32 = 4;

/// The most levels of JSON that a revision's limit may allow. `serde_json` reads 128
/// and refuses the rest; a plan or a change around the text takes up to 12, the
/// journal's entry two more. 64 leaves room for what a later generation puts around.
pub(crate) const MAX_DEPTH: u32 = 64;

/// The most entries that a revision's limit may allow in one table.
pub(crate) const MAX_TABLE_ENTRIES: u64 = 100_000;

/// The most fuel that a revision's limit may allow: about a second of one core. A
/// call that is under way cannot be stopped by anything else.
pub(crate) const MAX_FUEL: u64 = 4_000_000_000;

/// Memory of an instance that is kept for the next one in the same slot and
/// reset page by page, as far as it was touched. More costs memory (this times
/// the slots in use), less costs page faults: 128 KiB took 2 us a call more.
const KEEP_RESIDENT: usize = 1 << 20;

/// Makes an engine whose calls have so much native stack, in bytes.
///
/// # Errors
///
/// The machine does not give the address space the pool reserves.
pub(crate) fn engine(stack: usize) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .consume_fuel(true)
        .max_wasm_stack(stack)
        // no component-model async: 1.5 to 2 us a call
        .concurrency_support(false)
        // same input, same output, to the last bit
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        // never needed by a mapping, and where past flaws were found
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(MAX_CALLS)
        .total_core_instances(MAX_CALLS * MAX_INSTANCES)
        .max_core_instances_per_component(MAX_INSTANCES)
        .total_memories(MAX_CALLS * MAX_MEMORIES)
        .max_memories_per_component(MAX_MEMORIES)
        .total_tables(MAX_CALLS * 8)
        .max_tables_per_component(MAX_INSTANCES)
        .max_memory_size(usize::try_from(MAX_MEMORY).unwrap_or(usize::MAX))
        .table_elements(usize::try_from(MAX_TABLE_ENTRIES).unwrap_or(usize::MAX))
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(4096)
        // asks the kernel which pages were touched, where it can tell (Linux 6.7)
        .pagemap_scan(Enabled::Auto);
    config.allocation_strategy(pool);
    Engine::new(&config)
}
