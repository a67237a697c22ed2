//! How much one plugin call may use. On by default; a binding may set its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest component that is looked at, in bytes: 32 MiB. CPython's is 19 MB,
/// SpiderMonkey's 12; compiling takes about a second of one core for each megabyte.
pub const MAX_COMPONENT: usize = 32 << 20;

/// The limits of one revision.
///
/// Each default is argued beside it. The measurements are of the shipped
/// plugins on the HubSpot deal of the benchmark: 1.5 to 6 kB of JSON.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// Linear memory of one call, in bytes, all of the component's memories
    /// together. Default 64 MiB: a QuickJS guest
    /// uses under 3 MiB, CPython 18, and a document of 1 MiB parsed into a tree
    /// takes some 30 times its size.
    pub memory: u64,
    /// Entries of all tables of one call together. Default 20 000: the tables of a
    /// CPython guest, the largest seen, hold under 10 000 functions.
    pub table_entries: u64,
    /// Core instances of one component, and as many tables. Default 60: a CPython guest of
    /// componentize-py 0.25.1 has 39, and a package with native code adds to them.
    pub instances: u32,
    /// Linear memories of one component. Default 4: one is what a component has;
    /// guests that are linked from many modules (JavaScript, Python) share theirs.
    pub memories: u32,
    /// Instructions of one call, in wasmtime's fuel. Default 100 million: some
    /// 25 ms of one core; a mapping uses 0.1 to 0.5 million, CPython 10. At most
    /// 4 000 million, about a second: a call cannot be stopped otherwise.
    pub fuel: u64,
    /// Native stack of one call, in bytes: 65536, 131072, 262144, 524288 or 1048576. Default
    /// 512 KiB, wasmtime's own; no guest that was measured meets it. The thread has 2 MiB.
    // left out of what is digested where it is the default: revisions had none before
    #[serde(skip_serializing_if = "is_default_stack")]
    pub stack: u32,
    /// Wall clock of one call, in milliseconds, looked at whenever the guest calls
    /// the host; what the host asks its journal is given up when it is over. The
    /// guest's own work is bounded by `fuel`. Default 1000: forty
    /// times what the fuel lasts, so that only slow host calls end here.
    pub time_ms: u64,
    /// Bytes that one call may hand to the host at once: its answer, or the
    /// arguments of one host call, as wasmtime counts them per string, list and
    /// record before it keeps them.
    /// Default 16 MiB: sixteen times the largest message ingress takes.
    pub transfer: u64,
    /// Items of one answer, in all of its lists together: changes, commands, lines,
    /// rates, reasons, extension fields. Default 50 000: an invoice of 3 000 lines
    /// with three rates each and as many extension fields has some 20 000.
    pub items: u32,
    /// Levels of arrays and objects in a JSON text that a plugin hands out. Default
    /// 64, and no more than that, since the journal has to read it again; what
    /// systems speak of is a handful of levels deep.
    pub depth: u32,
    /// Log lines of one call. Default 200.
    pub log_lines: u32,
    /// Bytes of log of one call. Default 64 KiB.
    pub log_bytes: u64,
    /// Calls of the host's functions in one call. Default 10 000: a mapping
    /// looks a code up per line, and documents have up to some thousand lines.
    pub host_calls: u32,
    /// Bytes that go either way in all host calls of one call together. Default
    /// 4 MiB: 400 bytes for each of the 10 000 calls; a row of rates has under 100.
    pub host_bytes: u64,
}

/// A limit that is above what is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Beyond {
    /// Its name, as it stands in a config.
    pub limit: &'static str,
    /// What it is.
    pub is: u64,
    /// The most that it may be.
    pub most: u64,
}

impl Limits {
    /// Those of these limits that let a call use more than `bounds` do.
    pub fn beyond(&self, bounds: &Self) -> Vec<Beyond> {
        // whole, so that a limit that comes to be is not forgotten here
        let Self {
            memory,
            table_entries,
            instances,
            memories,
            fuel,
            stack,
            time_ms,
            transfer,
            items,
            depth,
            log_lines,
            log_bytes,
            host_calls,
            host_bytes,
        } = self;
        let all = [
            ("memory", *memory, bounds.memory),
            ("table-entries", *table_entries, bounds.table_entries),
            ("instances", (*instances).into(), bounds.instances.into()),
            ("memories", (*memories).into(), bounds.memories.into()),
            ("fuel", *fuel, bounds.fuel),
            ("stack", (*stack).into(), bounds.stack.into()),
            ("time-ms", *time_ms, bounds.time_ms),
            ("transfer", *transfer, bounds.transfer),
            ("items", (*items).into(), bounds.items.into()),
            ("depth", (*depth).into(), bounds.depth.into()),
            ("log-lines", (*log_lines).into(), bounds.log_lines.into()),
            ("log-bytes", *log_bytes, bounds.log_bytes),
            ("host-calls", (*host_calls).into(), bounds.host_calls.into()),
            ("host-bytes", *host_bytes, bounds.host_bytes),
        ];
        let beyond = all.into_iter().filter(|(_, is, most)| is > most);
        beyond
            .map(|(limit, is, most)| Beyond { limit, is, most })
            .collect()
    }
}

const DEFAULT_STACK: u32 = 512 << 10;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_default_stack(stack: &u32) -> bool {
    *stack == DEFAULT_STACK
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            table_entries: 20_000,
            instances: 60,
            memories: 4,
            fuel: 100_000_000,
            stack: DEFAULT_STACK,
            time_ms: 1_000,
            transfer: 16 << 20,
            items: 50_000,
            depth: 64,
            log_lines: 200,
            log_bytes: 64 << 10,
            host_calls: 10_000,
            host_bytes: 4 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_above_its_bound_is_beyond() {
        let bounds = Limits::default();
        assert_eq!(bounds.beyond(&bounds), []);
        let mut more = bounds.clone();
        more.fuel += 1;
        more.stack += 1;
        more.depth -= 1;
        let names: Vec<_> = more.beyond(&bounds).iter().map(|it| it.limit).collect();
        assert_eq!(names, ["fuel", "stack"]);
        let depth = Beyond {
            limit: "depth",
            is: 64,
            most: 63,
        };
        assert_eq!(bounds.beyond(&more), [depth]);
    }

    #[test]
    fn every_limit_is_looked_at() {
        let least = Limits {
            memory: 0,
            table_entries: 0,
            instances: 0,
            memories: 0,
            fuel: 0,
            stack: 0,
            time_ms: 0,
            transfer: 0,
            items: 0,
            depth: 0,
            log_lines: 0,
            log_bytes: 0,
            host_calls: 0,
            host_bytes: 0,
        };
        let told = Limits::default().beyond(&least);
        let mut told: Vec<_> = told.iter().map(|it| it.limit).collect();
        told.sort_unstable();
        // each by its name in a config; the least stack is not the default, so it is there
        let names = serde_json::to_value(&least).unwrap_or_default();
        let mut names: Vec<_> = names.as_object().into_iter().flat_map(|all| all.keys()).collect();
        names.sort_unstable();
        assert_eq!(told, names);
    }
}
