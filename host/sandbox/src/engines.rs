//! An engine for each size of native stack: wasmtime knows one size for all calls of an engine.
//!
//! They compile alike, so one cache of compiled code serves all of them. Each has a pool of its
//! own, which reserves address space and no memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use cambist_contract::plugin::LoadError;
use wasmtime::Engine;

use crate::{engine::engine, sandbox::InUse};

/// The sizes of stack that a revision's limit may allow, in bytes, so that there are few
/// engines: each reserves 2 TiB of address space, and a process has 128. A call's thread has
/// 2 MiB, of which the host's own frames need some.
pub(crate) const STACKS: [u32; 5] = [64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20];

/// The engines that were asked for so far, by their stack.
#[derive(Default)]
pub(crate) struct Engines(Mutex<BTreeMap<u32, Engine>>);

impl Engines {
    /// The engine whose calls have so much stack, in bytes.
    ///
    /// # Errors
    ///
    /// It is none of [`STACKS`], or the machine gives no more address space.
    pub(crate) fn with_stack(&self, bytes: u32) -> Result<Engine, LoadError> {
        if !STACKS.contains(&bytes) {
            let sizes = STACKS.map(|size| size.to_string()).join(", ");
            return Err(LoadError::TooLarge(format!("`stack` may be one of {sizes}")));
        }
        let mut engines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = engines.get(&bytes) {
            return Ok(engine.clone());
        }
        let engine = engine(bytes as usize).map_err(|error| LoadError::Host(format!("{error:#}")))?;
        engines.insert(bytes, engine.clone());
        Ok(engine)
    }

    /// What is taken of all pools now.
    pub(crate) fn in_use(&self) -> InUse {
        let engines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = InUse::default();
        for metrics in engines.values().filter_map(Engine::pooling_allocator_metrics) {
            all.instances += metrics.component_instances();
            all.memories += metrics.memories() as u64;
            all.tables += metrics.tables() as u64;
        }
        all
    }
}
