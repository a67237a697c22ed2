//! What others ask of the registry: who serves a message, and what is live.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use cambist_contract::{
    digest::Digest,
    plugin::{Loader, Plugin},
    revision::{Revision, Tables},
    stage::Stage,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    archive::Archive,
    binding::{Binding, Subject},
    error::{RegistryError, RouteError},
    examine::{Refusal, absent},
    ledger::Ledger,
    life::{Component, Life, Standing},
    loaded::Loaded,
    status::{BindingStatus, ComponentStatus, PluginStatus},
};

/// What a registry is made of.
#[derive(Debug)]
pub struct Options {
    /// The folder that is watched for plugins.
    pub plugins: PathBuf,
    /// The folder that keeps every revision that was ever live.
    pub archive: PathBuf,
    /// Who is served by what.
    pub bindings: Vec<Binding>,
    /// The reference tables that bindings may grant.
    pub tables: Tables,
    /// What becomes of a file in the folder that passes its checks.
    pub new_plugins: NewPlugins,
}

/// What becomes of a new component that passes its checks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewPlugins {
    /// It is live at once.
    #[default]
    Live,
    /// It waits until somebody makes it live: `cambist plugin live`.
    Wait,
}

/// A revision with the plugin that is ready to be called.
#[derive(Clone)]
pub struct Pinned {
    /// The revision's id.
    pub id: Digest,
    /// The revision.
    pub revision: Arc<Revision>,
    /// The plugin.
    pub plugin: Arc<dyn Plugin>,
}

/// How many components that are of no use any more are told of with the others.
const PAST: usize = 5;

/// The live revision of each binding, swapped as a whole.
type Live = Vec<Option<Pinned>>;

/// Which revision is live for whom.
pub struct Registry {
    pub(crate) options: Options,
    pub(crate) loader: Arc<dyn Loader>,
    pub(crate) archive: Archive,
    pub(crate) ledger: Arc<dyn Ledger>,
    live: ArcSwap<Live>,
    loaded: Loaded,
    status: Mutex<BTreeMap<String, PluginStatus>>,
    /// By the plugin's name. Whoever holds it takes the next step: it is written, and
    /// then counts.
    pub(crate) lives: Mutex<BTreeMap<String, Life>>,
}

impl Registry {
    /// Opens the folders and reads the ledger. Nothing is live before
    /// [`refresh`](Self::refresh).
    ///
    /// # Errors
    ///
    /// A folder cannot be used, or the ledger not be read.
    pub fn open(
        options: Options,
        loader: Arc<dyn Loader>,
        ledger: Arc<dyn Ledger>,
    ) -> Result<Self, RegistryError> {
        let folder = |path: &Path| {
            let path = path.to_owned();
            |source| RegistryError::Folder { path, source }
        };
        std::fs::create_dir_all(&options.plugins).map_err(folder(&options.plugins))?;
        let archive = Archive::open(&options.archive).map_err(folder(&options.archive))?;
        let mut lives: BTreeMap<String, Life> = BTreeMap::new();
        for (at, act) in ledger.all().map_err(RegistryError::Ledger)? {
            lives.entry(act.plugin.clone()).or_default().follow(at, &act);
        }
        let live = vec![None; options.bindings.len()];
        Ok(Self {
            options,
            loader,
            archive,
            ledger,
            lives: Mutex::new(lives),
            live: ArcSwap::from_pointee(live),
            loaded: Loaded::default(),
            status: Mutex::default(),
        })
    }

    /// The folder that is watched.
    pub fn plugins(&self) -> &Path {
        &self.options.plugins
    }

    /// The revision that serves each of `stages` for a message that begins now.
    ///
    /// # Errors
    ///
    /// A stage has no binding, or its plugin no live revision.
    pub fn route(
        &self,
        stages: &[Stage],
        subject: Subject<'_>,
    ) -> Result<BTreeMap<Stage, Digest>, RouteError> {
        let live = self.live.load();
        let plugin_stages = stages.iter().copied().filter(|stage| stage.interface().is_some());
        plugin_stages
            .map(|stage| Ok((stage, self.serving(&live, stage, subject)?)))
            .collect()
    }

    fn serving(&self, live: &Live, stage: Stage, subject: Subject<'_>) -> Result<Digest, RouteError> {
        let fitting = self
            .options
            .bindings
            .iter()
            .zip(live)
            .filter_map(|(binding, revision)| {
                binding.fit(stage, subject).map(|rank| (rank, binding, revision))
            });
        let (_, binding, revision) =
            fitting
                .max_by_key(|(rank, ..)| *rank)
                .ok_or_else(|| RouteError::NoBinding {
                    stage,
                    flow: subject.flow.to_owned(),
                    region: subject.region.to_owned(),
                })?;
        match revision {
            Some(pinned) => Ok(pinned.id),
            None => {
                let plugin = binding.plugin.clone();
                Err(match self.statuses().get(&binding.plugin) {
                    Some(PluginStatus {
                        refused: Some(reason),
                        seen,
                        ..
                    }) => {
                        let reason = reason.clone();
                        match seen {
                            Some(_) => RouteError::NotLive { plugin, reason },
                            // it will be looked at again: see `offer`
                            None => RouteError::Trouble { plugin, reason },
                        }
                    }
                    _ => RouteError::NotLive {
                        reason: self.why_not_live(&plugin).unwrap_or_else(|| absent(&plugin)),
                        plugin,
                    },
                })
            }
        }
    }

    /// A revision that a message is pinned to, live or not. May compile, so it
    /// belongs on a thread that may block.
    ///
    /// # Errors
    ///
    /// It is not on disk any more, does not load in this host, or was taken out.
    pub fn pinned(&self, id: &Digest) -> Result<Pinned, RouteError> {
        let pinned = match self.loaded.get(id) {
            Some(pinned) => pinned,
            None => self.load(id)?,
        };
        let (plugin, component) = (&pinned.revision.plugin, pinned.revision.component);
        let lives = self.lives();
        match lives.get(plugin).and_then(|life| life.standing(&component)) {
            Some(Standing::Killed { reason }) => Err(RouteError::Killed {
                plugin: plugin.clone(),
                component,
                reason: reason.clone(),
            }),
            _ => Ok(pinned),
        }
    }

    fn load(&self, id: &Digest) -> Result<Pinned, RouteError> {
        let gone = |reason: String| RouteError::Gone { id: *id, reason };
        let trouble = |plugin: &str, reason: String| RouteError::Trouble {
            plugin: plugin.to_owned(),
            reason,
        };
        let (revision, component) = self.archive.find(id).map_err(|error| match error.kind() {
            // not there, changed, or of another kind of file than we write
            io::ErrorKind::NotFound | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                gone(error.to_string())
            }
            _ => trouble(
                &id.short(),
                format!("the archive of revisions cannot be read: {error}"),
            ),
        })?;
        let plugin = self
            .loader
            .load(&component, &revision)
            .map_err(|error| match Refusal::from(error) {
                Refusal::Component(reason) => gone(reason),
                Refusal::Host(reason) => trouble(&revision.plugin, reason),
            })?;
        let pinned = Pinned {
            id: *id,
            revision: Arc::new(revision),
            plugin,
        };
        self.loaded.keep(pinned.clone(), &self.live_ids());
        Ok(pinned)
    }

    /// Whether something serves the bindings of a plugin.
    pub(crate) fn is_live(&self, plugin: &str) -> bool {
        let statuses = self.statuses();
        statuses.get(plugin).is_some_and(|status| status.live.is_some())
    }

    /// What is known of each plugin that has a file, is live, or ever came in. Blocks: it
    /// asks the ledger who is pinned to what.
    pub fn plugin_statuses(&self) -> Vec<PluginStatus> {
        let mut statuses = self.statuses().clone();
        let lives = self.lives().clone();
        for (plugin, life) in &lives {
            let last = life.components.values().map(|it| it.since).max();
            let status = statuses
                .entry(plugin.clone())
                .or_insert_with(|| PluginStatus::new(plugin, last.unwrap_or_default()));
            status.waits = life.candidate();
            status.components = self.component_statuses(life);
        }
        for status in statuses.values_mut() {
            self.explain(status);
        }
        statuses.into_values().collect()
    }

    fn component_statuses(&self, life: &Life) -> Vec<ComponentStatus> {
        let mut found: Vec<_> = life.components.iter().collect();
        // of what changed at one moment, what serves comes first
        found.sort_by_key(|(_, known)| (Reverse(known.since), known.standing != Standing::Live));
        let mut past = 0;
        found.retain(|(_, known)| {
            let is_past = matches!(known.standing, Standing::Retired | Standing::Refused { .. });
            past += usize::from(is_past);
            !is_past || past <= PAST
        });
        found
            .into_iter()
            .map(|(component, known)| ComponentStatus {
                component: *component,
                version: known.version.clone(),
                standing: known.standing.clone(),
                since: known.since,
                by: known.by.clone(),
                pinned: self.pinned_messages(known),
            })
            .collect()
    }

    /// How many messages are to finish on a component; all there could be, where the
    /// ledger does not tell.
    pub(crate) fn pinned_messages(&self, known: &Component) -> u64 {
        let revisions: Vec<_> = known.revisions.iter().copied().collect();
        match self.ledger.pinned(&revisions) {
            Ok(counts) => counts.iter().sum(),
            Err(error) => {
                tracing::warn!(error, "cannot tell who is pinned to a component");
                u64::MAX
            }
        }
    }

    /// Plugins that bindings name and that have no live revision, with the reason.
    pub fn missing(&self) -> Vec<(String, String)> {
        let live = self.live.load();
        let lacking = self
            .options
            .bindings
            .iter()
            .zip(live.iter())
            .filter(|(_, live)| live.is_none());
        let reasons: BTreeMap<String, String> = lacking
            .map(|(binding, _)| {
                let status = self
                    .statuses()
                    .get(&binding.plugin)
                    .and_then(|status| status.refused.clone());
                let reason = status
                    .or_else(|| self.why_not_live(&binding.plugin))
                    .unwrap_or_else(|| absent(&binding.plugin));
                (binding.plugin.clone(), reason)
            })
            .collect();
        reasons.into_iter().collect()
    }

    /// Every binding, in the order of the config, and what serves it now.
    pub fn binding_statuses(&self) -> Vec<BindingStatus> {
        let live = self.live.load();
        let bindings = self.options.bindings.iter().zip(live.iter());
        bindings
            .map(|(binding, live)| BindingStatus {
                stage: binding.stage,
                plugin: binding.plugin.clone(),
                flow: binding.flow.clone(),
                region: binding.region.clone(),
                unit: binding.unit.clone(),
                revision: live.as_ref().map(|pinned| pinned.id),
                component: live.as_ref().map(|pinned| pinned.revision.component),
            })
            .collect()
    }

    pub(crate) fn switch(&self, revisions: Vec<(usize, Pinned)>) {
        self.live.rcu(|live| {
            let mut live = Live::clone(live);
            for (place, pinned) in &revisions {
                if let Some(slot) = live.get_mut(*place) {
                    *slot = Some(pinned.clone());
                }
            }
            live
        });
        let live = self.live_ids();
        for (_, pinned) in revisions {
            self.loaded.keep(pinned, &live);
        }
    }

    /// Takes a component out of the bindings it serves.
    pub(crate) fn take_out(&self, plugin: &str, component: &Digest) {
        self.live.rcu(|live| {
            let mut live = Live::clone(live);
            for slot in &mut live {
                slot.take_if(|pinned| {
                    pinned.revision.plugin == plugin && pinned.revision.component == *component
                });
            }
            live
        });
    }

    pub(crate) fn lives(&self) -> MutexGuard<'_, BTreeMap<String, Life>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live_ids(&self) -> HashSet<Digest> {
        let live = self.live.load();
        live.iter().flatten().map(|pinned| pinned.id).collect()
    }

    pub(crate) fn statuses(&self) -> MutexGuard<'_, BTreeMap<String, PluginStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
