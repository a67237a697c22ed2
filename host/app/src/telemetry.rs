//! Logs, traces and metrics of the process.

pub mod otlp;

use std::{fs::File, path::Path, sync::Mutex};

use anyhow::{Context as _, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use self::otlp::Traces;
use crate::config::LogFormat;

/// Bounds of latency histograms, in seconds: a plugin call takes 50 us, a commit
/// some ms, Odoo up to minutes.
const SECONDS: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_25, 0.001, 0.002_5, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0, 120.0,
];

/// Starts logging to standard error, and tracing where there is a collector.
/// `RUST_LOG` decides how much is logged; left out, it is what operators need:
/// `info`.
///
/// # Errors
///
/// Somebody else logs in this process already.
pub fn log(format: LogFormat, traces: Option<&Traces>) -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let text = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    let lines = match format {
        LogFormat::Text => text.boxed(),
        LogFormat::Json => text.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(traces.map(Traces::layer))
        .with(lines.with_filter(filter))
        .try_init()
        .context("cannot start logging")
}

/// Starts logging to a file, for a command whose screen is for something else.
///
/// # Errors
///
/// The file cannot be made, or somebody else logs in this process already.
pub fn log_to(path: &Path) -> Result<()> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let text = tracing_subscriber::fmt::layer()
        .with_writer(Mutex::new(file))
        .with_target(false)
        .with_ansi(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(text)
        .try_init()
        .context("cannot start logging")
}

/// Starts counting, and tells how to render what was counted.
///
/// # Errors
///
/// Somebody else counts in this process already.
pub fn metrics() -> Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .context("the buckets")?
        .install_recorder()
        .context("cannot start counting")?;
    cambist_connect::describe();
    cambist_registry::describe();
    cambist_ingress::metrics::describe();
    cambist_pipeline::describe();
    cambist_reconcile::describe();
    cambist_admin::metrics::describe();
    Ok(handle)
}
