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
    plugin::{Loader, Plugin},
    revision::{Revision, Tables},
    stage::Stage,
};
use jiff::Timestamp;

use crate::{
    archive::Archive,
    binding::{Binding, Subject},
    error::{RegistryError, RouteError},
    examine::{Refusal, absent},
    folder,
    loaded::Loaded,
    metrics,
    prepare::Prepared,
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

/// The live revision of each binding, swapped as a whole.
type Live = Vec<Option<Pinned>>;

/// Which revision is live for whom.
pub struct Registry {
    pub(crate) options: Options,
    pub(crate) loader: Arc<dyn Loader>,
    pub(crate) archive: Archive,
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
                        reason: absent(&plugin),
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
    /// It is not on disk any more, or does not load in this host.
    pub fn pinned(&self, id: &Digest) -> Result<Pinned, RouteError> {
        if let Some(pinned) = self.loaded.get(id) {
            return Ok(pinned);
        }
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
                Err(error) if self.is_live(&plugin) || error.kind() == io::ErrorKind::NotFound => {
                    tracing::debug!(plugin, %error, "cannot read a plugin file yet");
                    continue;
                }
                Err(error) => {
                    let refusal = Refusal::Host(format!("its file cannot be read: {error}"));
                    changed.push(self.settle(&plugin, None, Err(refusal), now));
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
    /// them to it, or none. When it is refused and nothing is live, because the host
    /// has just started, the one that was live last is made so again.
    pub fn offer(&self, plugin: &str, bytes: &[u8], now: Timestamp) -> PluginStatus {
        self.settle(plugin, Some(Digest::of(bytes)), self.prepare(plugin, bytes), now)
    }

    /// Switches to what passed, or takes down why it did not pass.
    fn settle(
        &self,
        plugin: &str,
        digest: Option<Digest>,
        outcome: Result<Prepared, Refusal>,
        now: Timestamp,
    ) -> PluginStatus {
        let last_good = match &outcome {
            Err(_) if !self.is_live(plugin) => self.last_good(plugin, digest),
            _ => None,
        };
        let mut statuses = self.statuses();
        let status = statuses
            .entry(plugin.to_owned())
            .or_insert_with(|| PluginStatus::new(plugin, now));
        status.seen = digest;
        status.at = now;
        if let Some((last, Prepared { version, revisions })) = last_good {
            self.switch(revisions);
            status.live = Some(last);
            status.version = version;
            tracing::warn!(
                plugin,
                component = last.short(),
                "the last good one is live again"
            );
        }
        let component = digest.map(|digest| digest.short());
        match outcome {
            Ok(Prepared { version, revisions }) => {
                self.switch(revisions);
                status.live = digest;
                status.version = version;
                status.refused = None;
                tracing::info!(plugin, component, "plugin is live");
                metrics::switched(plugin);
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
                tracing::error!(
                    plugin,
                    component,
                    reason,
                    "plugin refused, the last good one stays"
                );
                metrics::refused(plugin);
                status.refused = Some(reason);
            }
        }
        status.clone()
    }

    /// Whether something serves the bindings of a plugin.
    fn is_live(&self, plugin: &str) -> bool {
        let statuses = self.statuses();
        statuses.get(plugin).is_some_and(|status| status.live.is_some())
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
                let reason = status.unwrap_or_else(|| absent(&binding.plugin));
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
