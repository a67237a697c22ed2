//! What a flow notices of another one whose plugin never ends: how long its messages take
//! from the webhook to the dry run's receipt, with the neighbour quiet and with a backlog
//! of messages whose every call loops until its fuel is spent.
//!
//! The two flows have a system each, and share all else: the host, its threads and the
//! processors. The neighbour's plugin is `loop-in-realloc` of `tests/guests/by-hand`, its
//! limits are the default ones, so each of its calls takes a processor for some 50 ms.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use cambist_doubles::HubSpotDouble;
use cambist_e2e::{Deal, plugins, sender, setup::OTHER_HUBSPOT};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serde_json::json;

use crate::{
    clock::{quantile, us},
    way::{Bench, config},
};

/// Messages that are measured with the neighbour quiet, and as many with it at work, unless
/// that takes longer than [`AT_MOST`]. The p99 is the eleventh longest, so that one hiccup of the
/// machine or the disk does not make it.
const MEASURED: u64 = 1_000;

/// How long it is measured at most, on either side.
const AT_MOST: Duration = Duration::from_secs(60);

/// Messages before any is measured.
const WARM: u64 = 50;

/// The pause between two messages: the flow that is measured is not busy itself.
const PAUSE: Duration = Duration::from_millis(20);

/// The neighbour's messages that wait, at any time: more than the pipeline works on at once.
const BACKLOG: u64 = 100;

/// How often the backlog is filled up. What ended meanwhile, some two messages, comes anew: a
/// hundred at once would be measured with them, which are accepted and fetched and loop nowhere.
const FILLED: Duration = Duration::from_millis(100);

/// The neighbour's messages that have ended before it is measured: the backlog has come by then,
/// and waits.
const BEGUN: u64 = 40;

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    /// With the neighbour quiet.
    pub(crate) quiet: Taken,
    /// With it at work.
    pub(crate) beside: Taken,
    /// How many times the quiet p99 the other one is.
    pub(crate) p99_factor: f64,
    /// The neighbour's messages that ended meanwhile, in a second.
    pub(crate) neighbours_per_second: f64,
}

/// How long messages took, wall clock.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Taken {
    pub(crate) messages: usize,
    pub(crate) median_us: f64,
    pub(crate) p99_us: f64,
}

impl Taken {
    pub(crate) fn of(times: Vec<Duration>) -> Self {
        Self {
            messages: times.len(),
            median_us: us(quantile(times.clone(), 50)),
            p99_us: us(quantile(times, 99)),
        }
    }
}

/// Measures it on the disk of `folder`.
pub(crate) async fn measure(folder: &Path, metrics: &PrometheusHandle) -> Result<Measured> {
    let folder = tempfile::tempdir_in(folder)?;
    let neighbours = HubSpotDouble::start(json!({})).await?;
    let hubspot = HubSpotDouble::start(json!({})).await?;
    let mut text = config(&hubspot.url());
    write!(text, "{}", NEIGHBOUR.replace("ADDRESS", &neighbours.url()))?;
    plugins::install(&folder.path().join("plugins"))?;
    let looping = cambist_guests::by_hand("loop-in-realloc")?;
    plugins::put(&folder.path().join("plugins"), "looping", &looping)?;
    let bench = Arc::new(Bench::start(folder.path(), &text, hubspot, metrics).await?);
    bench.together(1..=WARM).await?;

    let quiet = Taken::of(take(&bench, 1_000).await?);
    let stop = Arc::new(AtomicBool::new(false));
    let at_work = tokio::spawn(loop_on(Arc::clone(&bench), neighbours, Arc::clone(&stop)));
    // until the backlog is there
    while parked(&bench).await? < BEGUN {
        tokio::time::sleep(FILLED).await;
    }
    let (before, started) = (parked(&bench).await?, Instant::now());
    let beside = Taken::of(take(&bench, 10_000).await?);
    let ended = parked(&bench).await? - before;
    let neighbours_per_second = ended as f64 / started.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    at_work.await??;
    Ok(Measured {
        quiet,
        beside,
        p99_factor: beside.p99_us / quiet.p99_us,
        neighbours_per_second,
    })
}

/// Messages of the flow that is measured, one after another.
async fn take(bench: &Bench, first: u64) -> Result<Vec<Duration>> {
    let (mut times, started) = (Vec::new(), Instant::now());
    for id in first..first + MEASURED {
        if started.elapsed() > AT_MOST {
            break;
        }
        times.push(bench.alone(&Deal::german(id)).await?.total);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(times)
}

/// Keeps the neighbour's backlog up.
async fn loop_on(bench: Arc<Bench>, double: HubSpotDouble, stop: Arc<AtomicBool>) -> Result<()> {
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let more = (BACKLOG + parked(&bench).await?)
            .saturating_sub(sent)
            .min(BACKLOG);
        if more > 0 {
            let ids = 1_000_000 + sent..1_000_000 + sent + more;
            for (kind, id, object) in ids.clone().flat_map(|id| Deal::german(id).objects()) {
                double.put(kind, &id, object);
            }
            let events: Vec<_> = ids.map(|id| sender::won(id, 1)).collect();
            let status = sender::post_as(&bench.client, bench.host.ingress, OTHER_HUBSPOT, &events).await?;
            ensure!(status == 202, "the host answered {status}");
            sent += more;
        }
        tokio::time::sleep(FILLED).await;
    }
    Ok(())
}

/// The neighbour's messages that ended: each call is parked by its limit, and nothing else is.
async fn parked(bench: &Bench) -> Result<u64> {
    let counts = bench.host.journal.counts().await?;
    Ok(counts.by_state.get("parked").copied().unwrap_or_default())
}

/// The neighbour: a system, a flow and a plugin of its own.
const NEIGHBOUR: &str = r#"
[ingress.systems.hubspot-other]
kind = "hubspot"
secrets = [{ env = "E2E_CLIENT_SECRET" }]

[connect.systems.hubspot-other]
kind = "hubspot"
address = "ADDRESS"
key = { env = "E2E_HUBSPOT_TOKEN" }

[connect.systems.hubspot-other.properties]
deals = ["region", "contract_terms", "delivery_owner_email"]
companies = ["vat_id", "vat_id_confirmed_on", "legal_name"]
line-items = ["unit_of_measure", "tax_class"]

[region-of.hubspot-other]
default = "de"

[[flows]]
name = "neighbour"
from = ["hubspot-other"]
events = ["deal.propertyChange"]
to = { "*" = "dry" }

[[bindings]]
stage = "judge"
plugin = "looping"
flow = "neighbour"
"#;
