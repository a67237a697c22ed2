//! Measures what the host costs, as ratios of what the same machine does without
//! it in the same run: `cargo run --release -p cambist-bench -- --json`.
//!
//! | part | what is measured | next to |
//! |---|---|---|
//! | [`mapping`] | `read` and `write` in fresh instances, all limits on | the same plugins, linked natively ([`native`]) |
//! | [`accept`] | webhooks made durable in a second, over loopback | a loop of `fdatasync` of the same size |
//! | [`month_end`] | a backlog before one Odoo: the rate, memory, ingress, fairness; only when asked for | `load` alone, of as many rows |
//! | [`neighbours`] | a flow's p99 beside one whose plugin never ends | its p99 with that one quiet |
//! | [`swap`] | a new file to its first message, and a message's p99 meanwhile | its p99 with all plugins left alone |
//! | [`thousand`] | start and memory with 1 000 plugins, and a message among them | a message with the shipped ones |
//! | [`way`] | a message from its webhook to its dry-run receipt, stage by stage | the mapping, and the disk's syncs |
//!
//! # What is not here
//!
//! Any claim: a number means something beside another number of the same run on
//! the same machine. Tests assert none of them.

mod accept;
mod clock;
mod disk;
mod file;
mod mapping;
mod month_end;
mod native;
mod neighbours;
mod swap;
mod table;
mod thousand;
mod way;

use std::path::PathBuf;

use anyhow::Result;
use cambist_app::telemetry;
use clap::Parser;
use serde::Serialize;

/// Measures what Cambist costs on this machine.
#[derive(Parser)]
struct Options {
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
    /// A folder on the disk that is measured; a folder in memory measures nothing.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Measures a plugin's `read` as well, of this file.
    #[arg(long)]
    plugin: Option<PathBuf>,
    /// Measures this part alone.
    #[arg(long)]
    only: Option<Part>,
    /// The backlog of `--only month-end`: with the double at its pace a hundred thousand take ten minutes.
    #[arg(long, default_value_t = 100_000)]
    messages: u64,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Mapping,
    Accept,
    Way,
    Neighbours,
    Swap,
    Thousand,
    /// With the real Odoo that `CAMBIST_ODOO_ENV` names, otherwise with a double.
    MonthEnd,
}

/// What was measured: all of it, or the part that was asked for.
#[derive(Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    file: Vec<file::Measured>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mapping: Vec<mapping::Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accept: Option<accept::Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<way::Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    neighbours: Option<neighbours::Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap: Option<swap::Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thousand: Option<thousand::Measured>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month_end: Option<month_end::Measured>,
}

#[expect(clippy::print_stdout, reason = "it is what a benchmark is for")]
fn main() -> Result<()> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.folder)?;
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let mut report = Report {
        file: Vec::new(),
        mapping: Vec::new(),
        accept: None,
        way: None,
        neighbours: None,
        swap: None,
        thousand: None,
        month_end: None,
    };
    if wanted(Part::Mapping) {
        for message in ["small-deal", "deal", "large-deal"] {
            report.mapping.push(mapping::measure(message)?);
            if let Some(plugin) = &options.plugin {
                report.file.push(file::measure(plugin, message)?);
            }
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if wanted(Part::Accept) {
        report.accept = Some(runtime.block_on(accept::measure(&options.folder))?);
    }
    // one for the process, whatever hosts it runs
    let metrics = telemetry::metrics()?;
    if wanted(Part::Way) {
        report.way = Some(runtime.block_on(way::measure(&options.folder, &metrics))?);
    }
    if wanted(Part::Neighbours) {
        report.neighbours = Some(runtime.block_on(neighbours::measure(&options.folder, &metrics))?);
    }
    if wanted(Part::Swap) {
        report.swap = Some(runtime.block_on(swap::measure(&options.folder, &metrics))?);
    }
    if wanted(Part::Thousand) {
        report.thousand = Some(runtime.block_on(thousand::measure(&options.folder, &metrics))?);
    }
    if options.only == Some(Part::MonthEnd) {
        report.month_end = Some(runtime.block_on(month_end::measure(&options.folder, options.messages))?);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}", table::of(&report));
    }
    Ok(())
}
