//! What a thousand different plugins cost, each bound to a unit of its own: memory, the time
//! of a start with nothing compiled and with everything, and what a message notices.

use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use cambist_doubles::HubSpotDouble;
use cambist_e2e::{Deal, plugins};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serde_json::json;

use crate::{
    clock::{median, us},
    way::{Bench, config},
};

/// How many.
const PLUGINS: u32 = 1_000;

/// Messages that are measured on each side, one here and one there in turns: the machine's
/// clock drifts.
const MEASURED: u64 = 300;

/// Messages before any is measured.
const WARM: u64 = 50;

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    pub(crate) plugins: u32,
    /// Bytes of one component.
    pub(crate) component: usize,
    /// A start with nothing compiled, of the shipped plugins and of these: seconds.
    pub(crate) cold_start_s: f64,
    /// A start with everything compiled: seconds.
    pub(crate) warm_start_s: f64,
    /// The same with the shipped plugins alone.
    pub(crate) few_start_s: f64,
    /// What the process holds in memory after the warm start, more than with the shipped ones
    /// alone: bytes.
    pub(crate) memory: u64,
    /// A message alone, with the shipped plugins: the median.
    pub(crate) few_us: f64,
    /// The same with a thousand more.
    pub(crate) many_us: f64,
    pub(crate) ratio: f64,
}

/// Measures it on the disk of `folder`.
pub(crate) async fn measure(folder: &Path, metrics: &PrometheusHandle) -> Result<Measured> {
    let folder = tempfile::tempdir_in(folder)?;
    let place = folder.path().join("plugins");
    plugins::install(&place)?;
    let apart = tempfile::tempdir_in(folder.path())?;
    plugins::install(&apart.path().join("plugins"))?;
    let few = start(apart.path(), "", metrics).await?;
    few.bench.host.stop().await;
    let few = start(apart.path(), "", metrics).await?;

    let mut bindings = String::new();
    let mut component = 0;
    for number in 0..PLUGINS {
        let bytes = plugins::marked(number + 1)?;
        component = bytes.len();
        plugins::put(&place, &format!("unit-{number}"), &bytes)?;
        write!(
            bindings,
            "\n[[bindings]]\nstage = \"judge\"\nunit = \"{number}\"\nplugin = \"unit-{number}\"\n"
        )?;
    }
    let cold = start(folder.path(), &bindings, metrics).await?;
    cold.bench.host.stop().await;
    let before = resident()?;
    let warm = start(folder.path(), &bindings, metrics).await?;
    let memory = resident()?.saturating_sub(before);
    let (few_us, many_us) = messages(&few.bench, &warm.bench).await?;
    few.bench.host.stop().await;
    warm.bench.host.stop().await;
    Ok(Measured {
        plugins: PLUGINS,
        component,
        cold_start_s: cold.took.as_secs_f64(),
        warm_start_s: warm.took.as_secs_f64(),
        few_start_s: few.took.as_secs_f64(),
        memory,
        few_us,
        many_us,
        ratio: many_us / few_us,
    })
}

struct Started {
    bench: Bench,
    took: Duration,
}

async fn start(folder: &Path, bindings: &str, metrics: &PrometheusHandle) -> Result<Started> {
    let hubspot = HubSpotDouble::start(json!({})).await?;
    let text = config(&hubspot.url()) + bindings;
    let started = Instant::now();
    let bench = Bench::start(folder, &text, hubspot, metrics).await?;
    Ok(Started {
        bench,
        took: started.elapsed(),
    })
}

/// The medians of messages alone, with few plugins and with many.
async fn messages(few: &Bench, many: &Bench) -> Result<(f64, f64)> {
    few.together(1..=WARM).await?;
    many.together(1..=WARM).await?;
    let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
    for id in 1_000..1_000 + MEASURED {
        let deal = Deal::german(id);
        with_few.push(few.alone(&deal).await?.total);
        with_many.push(many.alone(&deal).await?.total);
    }
    Ok((us(median(with_few)), us(median(with_many))))
}

/// What this process holds in memory, in bytes.
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: u64 = number.context("the system tells no VmRSS")?.parse()?;
    Ok(kib * 1024)
}
