//! How the parts are put together, and in which order they start and stop.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Instant};

use anyhow::{Context as _, Result, bail};
use axum::Router;
use cambist_admin::{Admin, Progress, answer::SystemStanding};
use cambist_connect::{Systems, breaker::Look, options::System};
use cambist_contract::secret::{Secret, SecretRef};
use cambist_ingress::{Ingress, serve};
use cambist_journal::{Journal, UnderWay, store::SqliteJournal};
use cambist_pipeline::{Owner, Pipeline, Poller, Reached, Replayer, Setup, Traced};
use cambist_reconcile::Reconciler;
use cambist_registry::{Registry, watch};
use cambist_sandbox::Sandbox;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::TcpListener,
    sync::watch::{Receiver, Sender, channel},
    task::JoinSet,
};

use crate::{
    config::{Config, Looked},
    ledger::Kept,
    reconcile,
    reload::{self, Reload},
    retention,
    telemetry::otlp,
};

/// A host that is running.
pub struct Host {
    /// Where senders reach it.
    pub ingress: SocketAddr,
    /// Where operators reach it.
    pub admin: SocketAddr,
    /// Its journal.
    pub journal: Arc<dyn Journal>,
    /// Its plugins.
    pub registry: Arc<Registry>,
    stop: Sender<bool>,
    tasks: JoinSet<()>,
}

/// What a host needs besides its config.
pub struct Surroundings {
    /// The config's file, which is read again when it changes.
    pub file: PathBuf,
    /// The value of every secret the config refers to.
    pub secrets: BTreeMap<SecretRef, Secret>,
    /// Renders what was counted.
    pub metrics: PrometheusHandle,
    /// Told each stage that was recorded; for crash tests.
    pub reached: Option<Reached>,
    /// The randomness of this run: where instances are kept between calls, for how many is
    /// drawn from it.
    pub seed: u64,
}

/// Asks the system's clock. The one place that does; all others are handed this.
#[expect(clippy::disallowed_methods, reason = "the one clock of the process")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

impl Host {
    /// Starts everything: journal, plugins, pipeline, and last the doors.
    ///
    /// # Errors
    ///
    /// The first part that does not start, with the way out.
    pub async fn start(config: &Config, surroundings: Surroundings) -> Result<Self> {
        let clock: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(now);
        std::fs::create_dir_all(&config.host.data)
            .with_context(|| format!("cannot make the folder {}", config.host.data.display()))?;
        let (store, registry) = blocking(config, surroundings.seed).await?;
        // behind the journal's lock, so that no other host has it
        let marks = config.host.data.join("under-way");
        let under_way = UnderWay::open(&marks).with_context(|| format!("cannot use {}", marks.display()))?;
        let journal: Arc<dyn Journal> = store.clone();
        for (plugin, reason) in registry.missing() {
            tracing::error!(
                plugin,
                reason,
                "a plugin that bindings name is not live; its messages will be parked"
            );
        }
        let systems = Systems::new(
            &config.connect,
            &surroundings.secrets,
            config
                .otlp
                .is_some()
                .then_some(otlp::carried as cambist_connect::Traced),
        )
        .map_err(listed)?;
        let (stop, stopped) = channel(false);
        let mut tasks = JoinSet::new();

        let poller = Poller {
            journal: journal.clone(),
            cursors: store.clone(),
            systems: systems.clone(),
            now: Arc::clone(&clock),
        };
        tasks.spawn(poller.run(stopped.clone()));
        let reconciler = Arc::new(Reconciler::new(
            Arc::clone(&journal),
            store.clone(),
            systems.clone(),
            Arc::clone(&clock),
            config.comparisons(),
        ));
        tasks.spawn(Arc::clone(&reconciler).run(stopped.clone()));
        let called = systems.clone();
        tasks.spawn(retention::keep(
            config.retention.clone(),
            store.clone(),
            stopped.clone(),
        ));
        let pipeline = Arc::new(Pipeline::new(Setup {
            journal: Arc::clone(&journal),
            registry: Arc::clone(&registry),
            shadows: store.clone(),
            heard: store.clone(),
            under_way,
            systems,
            sides: sides(config),
            routes: config.routes(),
            at_once: config.host.at_once.get(),
            calls_at_once: calls_at_once(),
            now: Arc::clone(&clock),
            reached: surroundings.reached,
            traced: config.otlp.is_some().then_some(otlp::continued as Traced),
        }));
        tasks.spawn(Arc::clone(&pipeline).run(stopped.clone()));
        let replayer = Replayer {
            pipeline: Arc::clone(&pipeline),
            replays: store.clone(),
        };
        tasks.spawn(replayer.run(stopped.clone()));
        let reload = Arc::new(Reload::new(surroundings.file, config, &registry, &pipeline));
        let (reloading, until) = (Arc::clone(&reload), stopped.clone());
        tasks.spawn(async move {
            if let Err(error) = reload::watch(reloading, until).await {
                tracing::error!(%error, "cannot watch the config; `cambist reload` reads it again");
            }
        });
        let watched = Arc::clone(&registry);
        let until = stopped.clone();
        tasks.spawn(async move {
            if let Err(error) = watch::watch(watched, now, until).await {
                tracing::error!(%error, "cannot watch the plugin folder; plugins are not reloaded");
            }
        });

        let doors = Ingress::new(
            &config.ingress,
            &surroundings.secrets,
            Arc::clone(&journal),
            Arc::clone(&clock),
        )
        .map_err(listed)?
        .router();
        let doors = match config.otlp {
            Some(_) => doors.layer(axum::middleware::from_fn(otlp::call)),
            None => doors,
        };
        let token = surroundings
            .secrets
            .get(&config.admin.token)
            .context("the admin token was not read")?;
        let progress = Arc::new(Progress::default());
        let watched = Arc::clone(&progress);
        tasks.spawn(watched.watch(Arc::clone(&journal), Arc::clone(&clock), stopped.clone()));
        let operators = Admin::new(cambist_admin::Setup {
            options: config.admin.clone(),
            token: token.clone(),
            journal: Arc::clone(&journal),
            erasures: store.clone(),
            shadows: store.clone(),
            replays: store.clone(),
            ledger: store.clone(),
            reload: Arc::new(move || reload.now()),
            reconcile: reconcile::asked(reconciler),
            reports: store,
            systems: Arc::new(move || standing(&called)),
            progress,
            registry: Arc::clone(&registry),
            metrics: surroundings.metrics.clone(),
            clock,
        })?
        .router();
        let ingress = open(config.host.listen, doors, &mut tasks, stopped.clone()).await?;
        let admin = open(config.host.admin, operators, &mut tasks, stopped.clone()).await?;
        tasks.spawn(upkeep(surroundings.metrics, stopped));
        Ok(Self {
            ingress,
            admin,
            journal,
            registry,
            stop,
            tasks,
        })
    }

    /// Stops: the doors first, then what is under way comes to its end.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What blocks at start: opening the journal, compiling plugins.
async fn blocking(config: &Config, seed: u64) -> Result<(Arc<SqliteJournal>, Arc<Registry>)> {
    let config = config.clone();
    tokio::task::spawn_blocking(move || {
        let journal = Arc::new(SqliteJournal::open(config.journal())?);
        let sandbox = Sandbox::new(&config.host.data.join("compiled"))?.with_seed(seed);
        let ledger = Arc::new(Kept::of(Arc::clone(&journal), now));
        let registry = Registry::open(config.registry(), Arc::new(sandbox), ledger)?;
        registry.refresh(now());
        Ok((journal, Arc::new(registry)))
    })
    .await
    .context("the start panicked")?
}

/// Half of the processors for the plugins of one flow: what is left is for the other flows,
/// the journal and the doors, and a call of a plugin that is well takes a fraction of a
/// millisecond, so that one processor is enough for some thousand messages in a second.
fn calls_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2)
}

/// How the systems are that are called.
fn standing(systems: &Systems) -> Vec<SystemStanding> {
    let now = Instant::now();
    let told = systems.lines().map(|(system, line)| {
        let (look, spared, at_once) = line.look(now);
        let (state, wait) = match (look, spared) {
            (Look::LeftAlone(wait), _) => ("left-alone", Some(wait)),
            (Look::Tried, _) => ("tried", None),
            (Look::Asked, Some(wait)) => ("spared", Some(wait)),
            (Look::Asked, None) => ("asked", None),
        };
        SystemStanding {
            system: system.to_owned(),
            state: state.to_owned(),
            // begun seconds count: one that is left alone for a moment yet is not so for none
            seconds: wait.map(|wait| wait.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)),
            at_once,
            at_once_most: line.at_once().get(),
        }
    });
    told.collect()
}

/// Odoo is the ERP; everything else counts as a CRM.
fn sides(config: &Config) -> BTreeMap<String, Owner> {
    let side = |system: &System| match system {
        System::Odoo(_) => Owner::Erp,
        System::HubSpot(_) | System::DryRun(_) => Owner::Crm,
    };
    config
        .connect
        .systems
        .iter()
        .map(|(name, system)| (name.clone(), side(system)))
        .collect()
}

/// Serves a router until the host stops.
async fn open(
    address: SocketAddr,
    router: Router,
    tasks: &mut JoinSet<()>,
    mut stopped: Receiver<bool>,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; is another host running, or the port taken?")
    })?;
    let address = listener.local_addr().context("the listener has no address")?;
    tasks.spawn(async move {
        let until = async move {
            let _ = stopped.changed().await;
        };
        if let Err(error) = serve::serve(listener, router, serve::Limits::default(), until).await {
            tracing::error!(%address, %error, "a door is closed");
        }
    });
    Ok(address)
}

/// Lets the recorder forget what was rendered long ago.
async fn upkeep(metrics: PrometheusHandle, mut stopped: Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(5)) => metrics.run_upkeep(),
            _ = stopped.changed() => return,
        }
    }
}

/// Several problems as one.
fn listed<E: std::fmt::Display>(problems: Vec<E>) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("{}", lines.join("\n"))
}

/// Reads a config and its secrets, and fails with every problem at once.
///
/// # Errors
///
/// All problems, a line each, with their places.
pub fn prepare(path: &std::path::Path) -> Result<(Config, BTreeMap<SecretRef, Secret>)> {
    let looked = Looked::at(path);
    let mut problems = looked.problems();
    let mut secrets = BTreeMap::new();
    if let Some(config) = &looked.config {
        let (known, missing) = crate::secrets::resolve(config, &looked.places);
        problems.extend(missing);
        problems.extend(looked.problems_of_parts(&known));
        secrets = known;
    }
    match looked.config {
        Some(config) if problems.is_empty() => Ok((config, secrets)),
        _ => bail!(listed(problems)),
    }
}
