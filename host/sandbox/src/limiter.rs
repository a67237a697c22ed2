//! Counts what an instance takes, and remembers which limit it met.

use cambist_contract::{limits::Limits, plugin::CallError};
use wasmtime::ResourceLimiter;

/// Refuses memory and tables beyond a revision's limits.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory: u64,
    table_entries: u64,
    instances: u32,
    /// The limit that was met, for the error's text.
    pub(crate) met: Option<CallError>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory: limits.memory,
            table_entries: limits.table_entries,
            instances: limits.instances,
            met: None,
        }
    }

    fn meet(&mut self, setting: &'static str, value: u64) -> wasmtime::Result<bool> {
        self.met = Some(CallError::Limit { setting, value });
        Err(wasmtime::Error::msg("a limit of the plugin was met"))
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired as u64 <= self.memory {
            return Ok(true);
        }
        self.meet("memory", self.memory)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired as u64 <= self.table_entries {
            return Ok(true);
        }
        self.meet("table-entries", self.table_entries)
    }

    fn instances(&self) -> usize {
        self.instances as usize
    }

    fn tables(&self) -> usize {
        self.instances as usize
    }

    fn memories(&self) -> usize {
        self.instances as usize
    }
}
