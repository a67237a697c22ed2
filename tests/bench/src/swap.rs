//! What a swap costs those who wait for it, and those who do not: the time from a new file in
//! the plugin folder to the first message that is routed to it, and what messages notice
//! while plugins are swapped all the time.
//!
//! The plugin is `map-odoo` with a section more each time, so each is compiled anew. Half of
//! the time to the first message is waited on purpose, until the folder is quiet
//! (`QUIET` in `host/registry/src/watch.rs`).

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use cambist_contract::{digest::Digest, rollout::Step, stage::Stage};
use cambist_doubles::HubSpotDouble;
use cambist_e2e::{Deal, plugins};
use cambist_journal::{Event, Journal as _, Ledger as _, journal::Filter, store::SqliteJournal};
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serde_json::json;

use crate::{
    clock::{quantile, us},
    neighbours::Taken,
    way::{Bench, config},
};

/// The plugin that is swapped.
const PLUGIN: &str = "map-odoo";

/// Messages with all plugins left alone, and as many while one is swapped.
const MEASURED: u64 = 400;

/// Messages before any is measured.
const WARM: u64 = 50;

/// The pause between two messages.
const PAUSE: Duration = Duration::from_millis(10);

/// The pause between two swaps: each is over before the next begins.
const BETWEEN: Duration = Duration::from_millis(500);

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    /// Swaps that a message came after.
    pub(crate) swaps: usize,
    /// From the file's rename to the first message that was routed to it: wall clock.
    pub(crate) first_message_median_us: f64,
    pub(crate) first_message_p99_us: f64,
    /// From the rename until it was live.
    pub(crate) live_median_us: f64,
    /// Messages with all plugins left alone.
    pub(crate) quiet: Taken,
    /// Messages while one was swapped.
    pub(crate) during: Taken,
    /// How many times the quiet p99 the other one is.
    pub(crate) p99_factor: f64,
}

/// Measures it on the disk of `folder`.
pub(crate) async fn measure(folder: &Path, metrics: &PrometheusHandle) -> Result<Measured> {
    let folder = tempfile::tempdir_in(folder)?;
    let hubspot = HubSpotDouble::start(json!({})).await?;
    let text = config(&hubspot.url());
    let plugins = folder.path().join("plugins");
    plugins::install(&plugins)?;
    let bench = Bench::start(folder.path(), &text, hubspot, metrics).await?;
    bench.together(1..=WARM).await?;

    let quiet = Taken::of(take(&bench, 1_000).await?);
    let stop = Arc::new(AtomicBool::new(false));
    let swapping = tokio::task::spawn_blocking({
        let stop = Arc::clone(&stop);
        move || swap(&plugins, &stop)
    });
    let during = Taken::of(take(&bench, 10_000).await?);
    stop.store(true, Ordering::Relaxed);
    let swapped = swapping.await??;
    let journal = SqliteJournal::open_read_only(folder.path().join("data/journal.db"))?;
    let (live, first) = after(&journal, &swapped).await?;
    bench.host.stop().await;
    Ok(Measured {
        swaps: first.len(),
        first_message_median_us: us(quantile(first.clone(), 50)),
        first_message_p99_us: us(quantile(first, 99)),
        live_median_us: us(quantile(live, 50)),
        quiet,
        during,
        p99_factor: during.p99_us / quiet.p99_us,
    })
}

/// Messages, one after another.
async fn take(bench: &Bench, first: u64) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for id in first..first + MEASURED {
        times.push(bench.alone(&Deal::german(id)).await?.total);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(times)
}

/// Swaps until it is told to stop, and tells when each component came.
#[expect(
    clippy::disallowed_methods,
    reason = "compared with what the host's clock says"
)]
fn swap(folder: &Path, stop: &AtomicBool) -> Result<BTreeMap<Digest, Timestamp>> {
    let (built, mut swapped) = (cambist_guests::component(PLUGIN)?, BTreeMap::new());
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let component = plugins::numbered(&built, number);
        swapped.insert(Digest::of(&component), Timestamp::now());
        plugins::put(folder, PLUGIN, &component)?;
        std::thread::sleep(BETWEEN);
    }
    Ok(swapped)
}

/// How long after its file came each component was live, and had its first message.
async fn after(
    journal: &SqliteJournal,
    swapped: &BTreeMap<Digest, Timestamp>,
) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let mut routed: BTreeMap<Digest, Timestamp> = BTreeMap::new();
    let all = Filter {
        limit: 10_000,
        ..Filter::default()
    };
    for status in journal.list(all).await? {
        let claim = journal
            .message(&status.id)
            .await?
            .context("it is in the journal")?;
        for entry in claim.entries {
            if let Event::Routed { pins, .. } = entry.event
                && let Some(pin) = pins.get(&Stage::Write)
            {
                let first = routed.entry(*pin).or_insert(entry.at);
                *first = entry.at.min(*first);
            }
        }
    }
    let (mut live, mut first) = (Vec::new(), Vec::new());
    for acted in journal.acts().await? {
        let Step::Live { revisions, .. } = acted.act.step else {
            continue;
        };
        let Some(came) = swapped.get(&acted.act.component) else {
            continue;
        };
        let since = |at: Timestamp| Duration::try_from(at.duration_since(*came)).unwrap_or_default();
        live.push(since(acted.at));
        let message = revisions
            .values()
            .filter_map(|revision| routed.get(revision))
            .min();
        first.extend(message.map(|at| since(*at)));
    }
    Ok((live, first))
}
