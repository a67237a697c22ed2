//! What others ask of the registry: who serves a message, and what is live.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use arc_swap::ArcSwap;
use cambist_contract::{
    digest::Digest,
    plugin::{Ended, Loader, Plugin},
    revision::{Revision, Tables},
    rollout::Step,
    stage::Stage,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    archive::Archive,
    binding::{Binding, Subject},
    cost::Warnings,
    error::{RegistryError, RouteError},
    examine::Refusal,
    ledger::{Ledger, Taken},
    life::{Life, Mode},
    loaded::Loaded,
    metrics,
    queue::Queue,
    seen::Look,
    serving::{Beside, Place, Serving},
    standing::Standing,
    step::Turn,
    terms::Terms,
    trust::Trust,
};

/// What a registry is made of.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The folder that is watched for plugins.
    pub plugins: PathBuf,
    /// The folder that keeps every revision that ever passed its checks.
    pub archive: PathBuf,
    /// Who is served by what.
    pub bindings: Vec<Binding>,
    /// The reference tables that bindings may grant.
    pub tables: Tables,
    /// What becomes of a file in the folder that passes its checks.
    pub new_plugins: NewPlugins,
    /// Who may sign components, and whether they have to.
    pub trust: Trust,
}

/// What becomes of a new component that passes its checks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewPlugins {
    /// It is live at once.
    #[default]
    Live,
    /// It is called beside the live one and compared, until somebody makes it live. Where
    /// nothing is live it waits.
    Shadow,
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

/// The revisions that a message is pinned to.
#[derive(Clone, Debug)]
pub struct Pins {
    /// The revision for each stage that plugins serve.
    pub revisions: BTreeMap<Stage, Digest>,
    /// The place in the ledger of the last step that was in effect: the revisions are those
    /// that served by this step and the ones before it. Zero where none was taken.
    pub step: u64,
}

/// Which revision is live for whom.
pub struct Registry {
    /// The folder that is watched.
    pub(crate) folder: PathBuf,
    pub(crate) loader: Arc<dyn Loader>,
    pub(crate) archive: Archive,
    pub(crate) ledger: Arc<dyn Ledger>,
    serving: ArcSwap<Serving>,
    loaded: Loaded,
    pub(crate) warnings: Warnings,
    /// The files that are to be checked.
    pub(crate) queue: Queue,
    /// What the last look at each file in the folder came to, by the plugin's name.
    looks: Mutex<BTreeMap<String, Look>>,
    /// What the steps taken come to, by the plugin's name. Held for moments only: every
    /// stage of every message reads it.
    lives: RwLock<BTreeMap<String, Life>>,
    /// Whoever holds it takes the next step, and nobody else while that is written: the place
    /// of the last one.
    pub(crate) steps: Mutex<u64>,
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
        let mut last = 0;
        for Taken { place, at, act } in ledger.all().map_err(RegistryError::Ledger)? {
            lives.entry(act.plugin.clone()).or_default().follow(at, &act);
            last = place;
        }
        for (plugin, life) in lives.iter().filter(|(_, life)| life.live.is_some()) {
            metrics::held(plugin, life.hold.is_some());
        }
        let folder = options.plugins.clone();
        let terms = Terms::new(options);
        let places = vec![Place::default(); terms.bindings.len()];
        Ok(Self {
            folder,
            loader,
            archive,
            ledger,
            lives: RwLock::new(lives),
            serving: ArcSwap::from_pointee(Serving::new(Arc::new(terms), places)),
            loaded: Loaded::default(),
            warnings: Warnings::default(),
            queue: Queue::default(),
            looks: Mutex::default(),
            steps: Mutex::new(last),
        })
    }

    /// The folder that is watched.
    pub fn plugins(&self) -> &Path {
        &self.folder
    }

    /// The revision that serves each of `stages` for a message that begins now, and the step
    /// that this follows from.
    ///
    /// # Errors
    ///
    /// A stage has no binding, or its plugin no live revision.
    pub fn route(&self, stages: &[Stage], subject: Subject<'_>) -> Result<Pins, RouteError> {
        let serving = self.serving.load();
        let plugin_stages = stages.iter().copied().filter(|stage| stage.interface().is_some());
        let pins = plugin_stages
            .map(|stage| Ok((stage, self.served_by(&serving, stage, subject)?)))
            .collect::<Result<_, RouteError>>()?;
        Ok(Pins {
            revisions: pins,
            step: serving.step,
        })
    }

    fn served_by(&self, serving: &Serving, stage: Stage, subject: Subject<'_>) -> Result<Digest, RouteError> {
        let (binding, place) = serving.at(stage, subject).ok_or_else(|| RouteError::NoBinding {
            stage,
            flow: subject.flow.to_owned(),
            region: subject.region.to_owned(),
        })?;
        if let Some(Beside {
            pinned,
            mode: Mode::Share(share),
            ..
        }) = &place.beside
            && share.takes(&binding.plugin, subject.key)
        {
            return Ok(pinned.id);
        }
        match &place.live {
            Some(pinned) => Ok(pinned.id),
            None => {
                let (plugin, why) = (binding.plugin.clone(), self.why_not_live(&binding.plugin));
                Err(match why {
                    Refusal::Component(reason) => RouteError::NotLive { plugin, reason },
                    Refusal::Host(reason) => RouteError::Trouble { plugin, reason },
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
        match self.standing(plugin, &component) {
            Some(Standing::Killed { reason }) => Err(RouteError::Killed {
                plugin: plugin.clone(),
                component,
                reason,
            }),
            _ => Ok(pinned),
        }
    }

    /// The revision that is called beside a live one; none when none is.
    pub fn shadow(&self, live: &Digest) -> Option<Pinned> {
        self.serving.load().shadow(live).cloned()
    }

    /// Takes notice of how a call on a revision went. One that serves a share and does too
    /// badly is withdrawn, by a step that blocks while it is written.
    pub fn called(&self, revision: &Digest, elapsed: Duration, ended: Ended) {
        let serving = self.serving.load();
        let Some((side, trial)) = serving.trial(revision) else {
            return;
        };
        if let Some(why) = trial.count(*side, elapsed, ended) {
            self.end(trial, &why);
        }
    }

    /// Takes notice that what a call answered is of no use, which shows only behind [`called`](Self::called): it broke.
    /// Blocks as that does.
    pub fn refused(&self, revision: &Digest) {
        let serving = self.serving.load();
        let Some((side, trial)) = serving.trial(revision) else {
            return;
        };
        if let Some(why) = trial.refuse(*side) {
            self.end(trial, &why);
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
        self.serving()
            .terms
            .still_trusted(&component)
            .map_err(|error| gone(error.to_string()))?;
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
        self.loaded.keep([&pinned], || self.serving_ids());
        Ok(pinned)
    }

    /// What serves now.
    pub(crate) fn serving(&self) -> Arc<Serving> {
        self.serving.load_full()
    }

    /// Lets something else serve from now on. It is the turn of whoever calls.
    pub(crate) fn switch(&self, held: &Turn<'_>, mut next: Serving) {
        next.step = **held;
        let next = Arc::new(next);
        self.serving.store(Arc::clone(&next));
        self.loaded.keep(next.revisions(), || next.ids().collect());
    }

    /// The component that serves a plugin's bindings; none when none does.
    pub(crate) fn serves(&self, plugin: &str) -> Option<Digest> {
        let serving = self.serving.load();
        let mut live = serving.places.iter().filter_map(|place| place.live.as_ref());
        live.find(|pinned| pinned.revision.plugin == plugin)
            .map(|pinned| pinned.revision.component)
    }

    /// Has what does not serve be loaded again when it is asked for, and be looked at again.
    pub(crate) fn load_again(&self) {
        self.loaded.keep_only(&self.serving_ids());
    }

    pub(crate) fn is_bound(&self, plugin: &str) -> bool {
        self.serving.load().terms.is_bound(plugin)
    }

    pub(crate) fn lives(&self) -> RwLockReadGuard<'_, BTreeMap<String, Life>> {
        self.lives.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn standing(&self, plugin: &str, component: &Digest) -> Option<Standing> {
        self.lives().get(plugin)?.standing(component).cloned()
    }

    /// Counts a step that is written.
    pub(crate) fn follow(&self, step: &Taken) {
        let mut lives = self.lives.write().unwrap_or_else(PoisonError::into_inner);
        let life = lives.entry(step.act.plugin.clone()).or_default();
        life.follow(step.at, &step.act);
        if matches!(step.act.step, Step::Live { .. } | Step::Killed { .. }) {
            metrics::held(&step.act.plugin, life.hold.is_some());
        }
    }

    pub(crate) fn looks(&self) -> MutexGuard<'_, BTreeMap<String, Look>> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serving_ids(&self) -> HashSet<Digest> {
        self.serving.load().ids().collect()
    }
}
