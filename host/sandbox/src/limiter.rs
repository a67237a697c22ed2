//! Counts what an instance takes, over all of its calls, and remembers which limit it met.

use cambist_contract::{limits::Limits, plugin::CallError};
use wasmtime::ResourceLimiter;

/// Refuses memory and tables beyond a revision's limits: of all memories and all
/// tables of an instance together, however many they are spread over.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory: Taken,
    table_entries: Taken,
    instances: u32,
    memories: u32,
    /// The limit that was met, for the error's text.
    pub(crate) met: Option<CallError>,
}

/// What an instance has taken of one thing, and may take.
#[derive(Debug)]
struct Taken {
    setting: &'static str,
    limit: u64,
    taken: u64,
}

impl Taken {
    fn nothing_of(setting: &'static str, limit: u64) -> Self {
        Self {
            setting,
            limit,
            taken: 0,
        }
    }

    /// Takes what one memory or table grows by, or says which limit it meets.
    fn grow(&mut self, current: usize, desired: usize) -> Result<(), CallError> {
        let more = desired.saturating_sub(current) as u64;
        let taken = self.taken.saturating_add(more);
        if taken > self.limit {
            return Err(CallError::Limit {
                setting: self.setting,
                value: self.limit,
            });
        }
        self.taken = taken;
        Ok(())
    }
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory: Taken::nothing_of("memory", limits.memory),
            table_entries: Taken::nothing_of("table-entries", limits.table_entries),
            instances: limits.instances,
            memories: limits.memories,
            met: None,
        }
    }

    /// Linear memory that is taken, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.taken
    }

    fn kept(&mut self, grown: Result<(), CallError>) -> wasmtime::Result<bool> {
        match grown {
            Ok(()) => Ok(true),
            Err(met) => {
                self.met = Some(met);
                Err(wasmtime::Error::msg("a limit of the plugin was met"))
            }
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let grown = self.memory.grow(current, desired);
        self.kept(grown)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let grown = self.table_entries.grow(current, desired);
        self.kept(grown)
    }

    fn instances(&self) -> usize {
        self.instances as usize
    }

    fn tables(&self) -> usize {
        self.instances as usize
    }

    fn memories(&self) -> usize {
        self.memories as usize
    }
}
