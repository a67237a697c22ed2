//! What others ask of the registry, and how a plugin becomes live.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use cambist_contract::{
    digest::Digest,
    plugin::{LoadError, Loader, Plugin},
    revision::{Grant, Revision, Tables},
    stage::Stage,
};
use jiff::Timestamp;
use thiserror::Error;

use crate::{
    archive::Archive,
    binding::{Binding, Subject},
    check, folder,
    loaded::Loaded,
    status::{BindingStatus, PluginStatus},
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

/// The registry cannot be set up.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// A folder cannot be used.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A message finds nothing that serves it.
#[derive(Debug, Error)]
pub enum RouteError {
    /// No binding fits.
    #[error("no binding serves `{stage}` for flow `{flow}`, region `{region}`; add one to the config")]
    NoBinding {
        /// The stage.
        stage: Stage,
        /// The message's flow.
        flow: String,
        /// The message's region.
        region: String,
    },
    /// The binding's plugin never passed its checks.
    #[error("plugin `{plugin}` has no live revision: {reason}")]
    NotLive {
        /// The plugin.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// A revision that a message is pinned to cannot be had.
    #[error("revision {} cannot be loaded: {reason}", id.short())]
    Gone {
        /// The revision.
        id: Digest,
        /// Why.
        reason: String,
    },
}

/// The live revision of each binding, swapped as a whole.
type Live = Vec<Option<Pinned>>;

/// Which revision is live for whom.
pub struct Registry {
    options: Options,
    loader: Arc<dyn Loader>,
    archive: Archive,
    live: ArcSwap<Live>,
    loaded: Loaded,
    status: Mutex<BTreeMap<String, PluginStatus>>,
}

impl Registry {
    /// Opens the folders. Nothing is live before [`refresh`](Self::refresh).
    ///
    /// # Errors
    ///
    /// A folder cannot be used.
    pub fn open(options: Options, loader: Arc<dyn Loader>) -> Result<Self, RegistryError> {
        let folder = |path: &Path| {
            let path = path.to_owned();
            |source| RegistryError::Folder { path, source }
        };
        std::fs::create_dir_all(&options.plugins).map_err(folder(&options.plugins))?;
        let archive = Archive::open(&options.archive).map_err(folder(&options.archive))?;
        let live = vec![None; options.bindings.len()];
        Ok(Self {
            options,
            loader,
            archive,
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
                let reason = match self.statuses().get(&binding.plugin) {
                    Some(PluginStatus {
                        refused: Some(reason),
                        ..
                    }) => reason.clone(),
                    _ => format!("there is no {}.wasm in the plugin folder", binding.plugin),
                };
                Err(RouteError::NotLive {
                    plugin: binding.plugin.clone(),
                    reason,
                })
            }
        }
    }

    /// A revision that a message is pinned to, live or not. May compile, so it
    /// belongs on a thread that may block.
    ///
    /// # Errors
    ///
    /// It is not on disk any more, or does not load in this host.
    pub fn pinned(&self, id: &Digest) -> Result<Pinned, RouteError> {
        if let Some(pinned) = self.loaded.get(id) {
            return Ok(pinned);
        }
        let gone = |reason: String| RouteError::Gone { id: *id, reason };
        let (revision, component) = self.archive.find(id).map_err(|error| gone(error.to_string()))?;
        let plugin = self
            .loader
            .load(&component, &revision)
            .map_err(|error| gone(error.to_string()))?;
        let pinned = Pinned {
            id: *id,
            revision: Arc::new(revision),
            plugin,
        };
        self.loaded.keep(pinned.clone(), &self.live_ids());
        Ok(pinned)
    }

    /// Looks at the plugin folder and makes live what is new and passes. Blocks
    /// while it compiles and runs cases. Tells the plugins that changed.
    ///
    /// What is gone from the folder stays live, because messages need it; its
    /// status says so, because the host's next start will not find it.
    pub fn refresh(&self, now: Timestamp) -> Vec<PluginStatus> {
        let files = match folder::plugins(&self.options.plugins) {
            Ok(files) => files,
            Err(error) => {
                tracing::warn!(%error, "cannot read the plugin folder, all stays as it is");
                return Vec::new();
            }
        };
        let mut changed = self.forget(&files, now);
        for (plugin, path) in files {
            let bytes = match folder::read(&path) {
                Ok(bytes) => bytes,
                // gone or half-written: the next look will tell
                Err(error) => {
                    tracing::debug!(plugin, %error, "cannot read a plugin file yet");
                    continue;
                }
            };
            let digest = Digest::of(&bytes);
            if self
                .statuses()
                .get(&plugin)
                .is_some_and(|status| status.seen == Some(digest))
            {
                continue;
            }
            changed.push(self.offer(&plugin, &bytes, now));
        }
        changed
    }

    /// Takes down which plugins have no file any more, and tells those that are
    /// live all the same.
    fn forget(&self, files: &BTreeMap<String, PathBuf>, now: Timestamp) -> Vec<PluginStatus> {
        let mut statuses = self.statuses();
        statuses.retain(|plugin, status| status.live.is_some() || files.contains_key(plugin));
        let mut gone = Vec::new();
        for (plugin, status) in statuses.iter_mut() {
            let absent = format!(
                "{plugin}.wasm is not in the plugin folder any more; the last good one stays live until the host ends"
            );
            if files.contains_key(plugin) || status.refused.as_ref() == Some(&absent) {
                continue;
            }
            tracing::warn!(plugin, "a plugin's file is gone, the last good one stays");
            status.seen = None;
            status.refused = Some(absent);
            status.at = now;
            gone.push(status.clone());
        }
        gone
    }

    /// Checks one component for all bindings of its plugin, and switches all of
    /// them to it, or none.
    pub fn offer(&self, plugin: &str, bytes: &[u8], now: Timestamp) -> PluginStatus {
        let outcome = self.prepare(plugin, bytes);
        let mut statuses = self.statuses();
        let status = statuses
            .entry(plugin.to_owned())
            .or_insert_with(|| PluginStatus::new(plugin, now));
        let digest = Digest::of(bytes);
        status.seen = Some(digest);
        status.at = now;
        match outcome {
            Ok(Prepared { version, revisions }) => {
                self.switch(revisions);
                status.live = Some(digest);
                status.version = version;
                status.refused = None;
                tracing::info!(plugin, component = %digest.short(), "plugin is live");
                metrics::counter!("cambist_plugin_switches_total", "plugin" => plugin.to_owned())
                    .increment(1);
            }
            Err(refusal) => {
                let reason = match refusal {
                    Refusal::Component(reason) => reason,
                    Refusal::Host(reason) => {
                        // nothing is known about the component: the next look tries again
                        status.seen = None;
                        reason
                    }
                };
                tracing::error!(plugin, component = %digest.short(), reason, "plugin refused, the last good one stays");
                metrics::counter!("cambist_plugin_refused_total", "plugin" => plugin.to_owned()).increment(1);
                status.refused = Some(reason);
            }
        }
        status.clone()
    }

    /// What is known of each plugin that has a file or is live, by name.
    pub fn plugin_statuses(&self) -> Vec<PluginStatus> {
        self.statuses().values().cloned().collect()
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
                let absent = || format!("there is no {}.wasm in the plugin folder", binding.plugin);
                (binding.plugin.clone(), status.unwrap_or_else(absent))
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

    /// Everything that can be wrong, before anything is switched. What passes for
    /// all bindings is on disk when this returns.
    fn prepare(&self, plugin: &str, bytes: &[u8]) -> Result<Prepared, Refusal> {
        let about = self.loader.describe(bytes)?;
        let component = Digest::of(bytes);
        let mut revisions = Vec::new();
        for (place, binding) in self.options.bindings.iter().enumerate() {
            if binding.plugin != plugin {
                continue;
            }
            if let Some(needed) = binding.stage.interface()
                && !about.interfaces.contains(&needed)
            {
                return Err(Refusal::Component(format!(
                    "it is bound to stage `{}` and does not export `{needed}`",
                    binding.stage
                )));
            }
            let revision = self.revision(binding, component).map_err(Refusal::Component)?;
            let loaded = self.loader.load(bytes, &revision)?;
            check::cases(loaded.as_ref(), &about.cases)
                .map_err(|error| Refusal::Component(error.to_string()))?;
            revisions.push((
                place,
                Pinned {
                    id: revision.id(),
                    revision: Arc::new(revision),
                    plugin: loaded,
                },
            ));
        }
        if revisions.is_empty() {
            let unbound = "no binding names it; add one to the config".to_owned();
            return Err(Refusal::Component(unbound));
        }
        for (_, pinned) in &revisions {
            self.archive.keep(&pinned.revision, bytes).map_err(|error| {
                Refusal::Host(format!("the archive of revisions cannot keep it: {error}"))
            })?;
        }
        Ok(Prepared {
            version: about.version,
            revisions,
        })
    }

    fn revision(&self, binding: &Binding, component: Digest) -> Result<Revision, String> {
        let mut tables = Tables::new();
        for grant in &binding.grants {
            if let Grant::Reference(name) = grant {
                let table = self.options.tables.get(name);
                let table = table.ok_or_else(|| {
                    format!("its binding grants `{grant}`, and the config has no such table")
                })?;
                tables.insert(name.clone(), table.clone());
            }
        }
        Ok(Revision {
            plugin: binding.plugin.clone(),
            component,
            settings: binding.settings.clone(),
            grants: binding.grants.clone(),
            limits: binding.limits.clone(),
            tables,
        })
    }

    fn switch(&self, revisions: Vec<(usize, Pinned)>) {
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

    fn live_ids(&self) -> HashSet<Digest> {
        let live = self.live.load();
        live.iter().flatten().map(|pinned| pinned.id).collect()
    }

    fn statuses(&self) -> MutexGuard<'_, BTreeMap<String, PluginStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A component that passed for all its bindings.
struct Prepared {
    version: Option<String>,
    /// The revision for each binding, by the binding's place.
    revisions: Vec<(usize, Pinned)>,
}

/// Why a component does not become live.
enum Refusal {
    /// It is not good: the same bytes will be refused again.
    Component(String),
    /// The host could not find out: the same bytes may pass next time.
    Host(String),
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Host(_) => Self::Host(error.to_string()),
            LoadError::NotAComponent(_)
            | LoadError::NotGranted { .. }
            | LoadError::NoInterface { .. }
            | LoadError::WrongType { .. }
            | LoadError::TooLarge(_) => Self::Component(error.to_string()),
        }
    }
}
