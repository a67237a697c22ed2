//! The whole way: from a webhook to the receipt of the dry run, with the journal on
//! disk. The host is the product's own, in this process, with the five shipped
//! plugins; the CRM is the double, so its answers are in `fetch`.
//!
//! Two figures, because they answer two questions: how long one message takes when
//! nothing else is under way, and what one message costs when many are.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use cambist_app::{
    config::Config,
    host::{Host, Surroundings},
};
use cambist_contract::{
    message::MessageId,
    secret::{Secret, SecretRef},
    stage::Stage,
};
use cambist_doubles::hubspot::{self, HubSpotDouble};
use cambist_e2e::{
    Deal, Setup, plugins, sender,
    setup::{ADMIN_TOKEN, CLIENT_SECRET, HUBSPOT},
};
use cambist_journal::{Event, Journal, State, journal::Filter};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use serde_json::json;

use crate::{
    clock::{median, process_time, us},
    disk,
};

/// Messages that go their way one after another, and together.
const ALONE: u64 = 200;
const TOGETHER: u64 = 500;

/// Messages before any is measured: connections, pools and pages are warm then.
const WARM: u64 = 50;

/// Commits of one message: its receipt, and one for each stage; the last one also
/// holds the delivery's receipts and ends it.
const COMMITS: u32 = 8;

/// Bytes that one commit writes to the log, about: some pages of 4 KiB.
const COMMIT_BYTES: usize = 32 << 10;

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    /// One write of a commit's size and its `fdatasync`, in a loop.
    pub(crate) sync_us: f64,
    /// One message at a time: from the call until it is done, wall clock.
    pub(crate) alone_us: f64,
    /// Of that, until the sender has its 202.
    pub(crate) accepted_us: f64,
    /// Of that, each stage's own work.
    pub(crate) stages: Vec<StageTime>,
    /// The rest: commits of the journal, and waiting between the stages.
    pub(crate) rest_us: f64,
    /// What the message's commits would take as bare syncs.
    pub(crate) syncs_us: f64,
    /// The share of bare syncs in `alone_us`.
    pub(crate) syncs_share: f64,
    /// Many at once: wall clock for each message.
    pub(crate) together_us: f64,
    /// Many at once: processor time for each message, of all threads, sender and
    /// double included.
    pub(crate) together_cpu_us: f64,
}

/// What one stage took.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct StageTime {
    /// The stage.
    pub(crate) stage: &'static str,
    /// Its own work, without the commit behind it.
    pub(crate) us: f64,
}

/// One message that went its way alone.
pub(crate) struct Alone {
    pub(crate) total: Duration,
    accepted: Duration,
    stages: BTreeMap<Stage, Duration>,
}

/// Measures it on the disk of `folder`.
pub(crate) async fn measure(folder: &Path, metrics: &PrometheusHandle) -> Result<Measured> {
    let folder = tempfile::tempdir_in(folder)?;
    let sync = disk::sync_time(folder.path(), COMMIT_BYTES)?;
    let hubspot = HubSpotDouble::start(json!({})).await?;
    plugins::install(&folder.path().join("plugins"))?;
    let text = config(&hubspot.url());
    let bench = Bench::start(folder.path(), &text, hubspot, metrics).await?;
    bench.together(1..=WARM).await?;

    let mut times = Vec::new();
    for id in 1_000..1_000 + ALONE {
        times.push(bench.alone(&Deal::german(id)).await?);
    }
    let of = |what: &dyn Fn(&Alone) -> Duration| median(times.iter().map(what).collect());
    let (alone, accepted) = (of(&|it| it.total), of(&|it| it.accepted));
    let mut stages = Vec::new();
    for stage in times
        .iter()
        .flat_map(|it| it.stages.keys())
        .collect::<BTreeSet<_>>()
    {
        let took = of(&|it| it.stages.get(stage).copied().unwrap_or_default());
        stages.push(StageTime {
            stage: stage.name(),
            us: us(took),
        });
    }
    let worked: f64 = stages.iter().map(|it| it.us).sum();

    let (cpu, started) = (process_time(), Instant::now());
    bench.together(10_000..10_000 + TOGETHER).await?;
    let (cpu, wall) = (process_time() - cpu, started.elapsed());
    bench.host.stop().await;

    let syncs = sync * COMMITS;
    let each = |total: Duration| us(total) / TOGETHER as f64;
    Ok(Measured {
        sync_us: us(sync),
        alone_us: us(alone),
        accepted_us: us(accepted),
        stages,
        rest_us: us(alone) - us(accepted) - worked,
        syncs_us: us(syncs),
        syncs_share: us(syncs) / us(alone),
        together_us: each(wall),
        together_cpu_us: each(cpu),
    })
}

/// A host that runs in this process, with its CRM.
pub(crate) struct Bench {
    pub(crate) host: Host,
    hubspot: HubSpotDouble,
    pub(crate) client: reqwest::Client,
}

impl Bench {
    /// Starts a host with this config, in a folder that has its plugins.
    pub(crate) async fn start(
        folder: &Path,
        text: &str,
        hubspot: HubSpotDouble,
        metrics: &PrometheusHandle,
    ) -> Result<Self> {
        let file = folder.join("cambist.toml");
        std::fs::write(&file, text)?;
        let config = Config::read(&file)?;
        let surroundings = Surroundings {
            file,
            secrets: secrets(&config)?,
            metrics: metrics.clone(),
            reached: None,
            seed: 0,
        };
        Ok(Self {
            host: Host::start(&config, surroundings).await?,
            hubspot,
            client: sender::client()?,
        })
    }

    fn know(&self, deal: &Deal) {
        for (kind, id, object) in deal.objects() {
            self.hubspot.put(kind, &id, object);
        }
    }

    async fn post(&self, deals: &[u64]) -> Result<()> {
        let events: Vec<_> = deals.iter().map(|id| sender::won(*id, 1)).collect();
        let status = sender::post(&self.client, self.host.ingress, &sender::signed(&events)).await?;
        ensure!(status == 202, "the host answered {status}");
        Ok(())
    }

    pub(crate) async fn alone(&self, deal: &Deal) -> Result<Alone> {
        self.know(deal);
        let journal = &self.host.journal;
        let mut changed = journal.changed();
        let started = Instant::now();
        self.post(&[deal.id]).await?;
        let accepted = started.elapsed();
        let id = self.of(deal).await?;
        loop {
            changed.mark_unchanged();
            let claim = journal.message(&id).await?.context("it is in the journal")?;
            match claim.status.state {
                State::Done => {
                    let total = started.elapsed();
                    let stages = claim.entries.iter().filter_map(|entry| match &entry.event {
                        Event::Passed { stage, took_us, .. } => {
                            Some((*stage, Duration::from_micros(*took_us)))
                        }
                        _ => None,
                    });
                    return Ok(Alone {
                        total,
                        accepted,
                        stages: stages.collect(),
                    });
                }
                State::Due { .. } => {}
                other => anyhow::bail!("{} is {}", claim.status.object, other.name()),
            }
            // the last commit changes it; the pause is a net under that
            drop(tokio::time::timeout(Duration::from_millis(5), changed.changed()).await);
        }
    }

    /// The message of a deal that was accepted just now. Others may have come meanwhile.
    async fn of(&self, deal: &Deal) -> Result<MessageId> {
        let filter = Filter {
            limit: 200,
            ..Filter::default()
        };
        let object = format!("/{}", deal.id);
        let mut newest = self.host.journal.list(filter).await?.into_iter();
        let found = newest.find(|status| status.system == HUBSPOT && status.object.ends_with(&object));
        Ok(found.context("the message is not in the journal")?.id)
    }

    pub(crate) async fn together(&self, ids: impl Iterator<Item = u64>) -> Result<()> {
        let ids: Vec<u64> = ids.collect();
        for id in &ids {
            self.know(&Deal::german(*id));
        }
        let before = done(&self.host.journal).await?;
        for batch in ids.chunks(100) {
            self.post(batch).await?;
        }
        let all = before + ids.len() as u64;
        while done(&self.host.journal).await? < all {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

/// The config of a host whose CRM is reached at this address.
pub(crate) fn config(hubspot: &str) -> String {
    let any = "127.0.0.1:0";
    Setup::default().config(hubspot, any, any)
}

/// Values for what the config refers to, as the double wants them.
fn secrets(config: &Config) -> Result<BTreeMap<SecretRef, Secret>> {
    let ours = config.ingress.secret_refs().map(|(_, it)| (it, CLIENT_SECRET));
    let theirs = config.connect.secret_refs().map(|(_, it)| (it, hubspot::TOKEN));
    ours.chain(theirs)
        .chain([(&config.admin.token, ADMIN_TOKEN)])
        .map(|(reference, text)| Ok((reference.clone(), Secret::parse(text)?)))
        .collect()
}

async fn done(journal: &Arc<dyn Journal>) -> Result<u64> {
    Ok(journal
        .counts()
        .await?
        .by_state
        .get("done")
        .copied()
        .unwrap_or_default())
}
