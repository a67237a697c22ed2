//! One component against one binding: all that must hold before it may serve it.

use std::{collections::BTreeMap, fmt, io, sync::Arc};

use cambist_contract::{
    digest::Digest,
    isolation::{Isolation, Kept},
    plugin::{Case, Description, LoadError, Plugin},
    revision::{Grant, Revision, Tables},
    stage::Stage,
};

use serde::{Deserialize, Serialize};

use crate::{
    Pinned, Registry,
    binding::Binding,
    check,
    cost::{self, CaseCost},
    folder::{self, ReadError},
    terms::Terms,
    untried,
};

/// What keeps a binding from being served, or may come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Obstacle {
    /// The binding, by its place in the config.
    pub binding: usize,
    /// Which of its settings it is about.
    pub part: Part,
    /// What is wrong, and the way out.
    pub reason: String,
    /// Whether the binding is served all the same: a warning.
    pub is_warning: bool,
}

/// The part of a binding that an obstacle is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The plugin itself, for whatever binding.
    Plugin,
    /// The component that it takes alone.
    Component,
    /// Who signed the component.
    Trust,
    /// The stage it is bound to.
    Stage,
    /// A granted table that the config does not have.
    Tables,
    /// What it may import.
    Grants,
    /// How much a call may use.
    Limits,
    /// What it is handed with every call.
    Settings,
    /// How its calls are kept apart.
    Isolation,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plugin => "plugin",
            Self::Component => "component",
            Self::Trust => "trust",
            Self::Stage => "stage",
            Self::Tables => "tables",
            Self::Grants => "grants",
            Self::Limits => "limits",
            Self::Settings => "settings",
            Self::Isolation => "isolation",
        })
    }
}

/// A component that passed for a binding.
pub(crate) struct Examined {
    pub(crate) pinned: Pinned,
    /// What its owner should know all the same, and which of the binding's settings it is about.
    pub(crate) warnings: Vec<(Part, String)>,
}

/// Why a component does not become live.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// It is not good: the same bytes will be refused again.
    Component(String),
    /// The host could not find out: the same bytes may pass next time.
    Host(String),
}

impl Refusal {
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Component(reason) | Self::Host(reason) => reason,
        }
    }
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Host(_) => Self::Host(error.to_string()),
            LoadError::NotAComponent(_)
            | LoadError::NotGranted { .. }
            | LoadError::Composed
            | LoadError::NoInterface { .. }
            | LoadError::WrongType { .. }
            | LoadError::WrongImport(_)
            | LoadError::BreaksAtStart(_)
            | LoadError::TooLarge(_) => Self::Component(error.to_string()),
        }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(_) => Self::Host(error.to_string()),
            ReadError::TooLarge(_) => Self::Component(error.to_string()),
        }
    }
}

/// A plugin's file that was read.
struct File {
    bytes: Vec<u8>,
    /// What it says of itself, once somebody has asked.
    about: Option<Description>,
}

/// What is said of a plugin without a file.
pub(crate) fn absent(plugin: &str) -> String {
    format!("there is no {plugin}.wasm in the plugin folder")
}

impl Registry {
    /// What keeps bindings from being served by the files in the folder, in the
    /// order of the config. Only looks: nothing becomes live, and nothing is kept.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn obstacles(&self) -> io::Result<Vec<Obstacle>> {
        let (listing, terms) = (folder::list(self.plugins())?, self.serving().terms.clone());
        let mut known: BTreeMap<&str, Result<File, String>> = BTreeMap::new();
        let mut found: Vec<Obstacle> = Vec::new();
        for (place, binding) in terms.bindings.iter().enumerate() {
            let plugin = known.entry(&binding.plugin).or_insert_with(|| {
                let odd = listing.odd.get(&binding.plugin).cloned();
                let path = listing
                    .files
                    .get(&binding.plugin)
                    .ok_or_else(|| odd.unwrap_or_else(|| absent(&binding.plugin)))?;
                let bytes = folder::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(File { bytes, about: None })
            });
            let told: Vec<(Part, String, bool)> = match plugin {
                Err(reason) => vec![(Part::Plugin, reason.clone(), false)],
                Ok(file) => match self.look_at(&terms, binding, file) {
                    Err((part, refusal)) => vec![(part, refusal.reason(), false)],
                    Ok(warnings) => warnings
                        .into_iter()
                        .map(|(part, reason)| (part, reason, true))
                        .collect(),
                },
            };
            for (part, reason, is_warning) in told {
                // what is wrong with the plugin itself is said once
                let is_said = found.iter().any(|other| {
                    let same = terms.bindings.get(other.binding);
                    let same = same.is_some_and(|other| other.plugin == binding.plugin);
                    let is_its_own = matches!(part, Part::Plugin | Part::Trust);
                    same && is_its_own && other.part == part && other.reason == reason
                });
                if !is_said {
                    found.push(Obstacle {
                        binding: place,
                        part,
                        reason,
                        is_warning,
                    });
                }
            }
        }
        Ok(found)
    }

    /// The same for what is live by the ledger and stands otherwise in the folder, or not at all: a
    /// host that runs has it, so a config that is reloaded has to let it pass. What is held is told of,
    /// and so is a binding that loses what serves it.
    ///
    /// # Errors
    ///
    /// The folder cannot be read.
    pub fn obstacles_of_live(&self) -> io::Result<Vec<Obstacle>> {
        let (listing, terms) = (folder::list(self.plugins())?, self.serving().terms.clone());
        let lives = self.lives().clone();
        let mut found = self.handed_to_nothing(&terms, &lives);
        for (plugin, life) in lives.iter().filter(|(plugin, _)| terms.is_bound(plugin)) {
            let Some(live) = life.live_component() else {
                continue;
            };
            found.extend(self.obstacles_of_hold(&terms, plugin, life));
            // of a plugin that is held, what serves when the hold ends takes the config's settings
            let component = life.after_hold().unwrap_or(live);
            let in_folder = listing.files.get(plugin).and_then(|path| folder::read(path).ok());
            if in_folder.is_some_and(|bytes| Digest::of(&bytes) == component) {
                continue;
            }
            // without it nothing can be said, and the host that has it says so
            let Ok(bytes) = self.archive.component(&component) else {
                continue;
            };
            let mut file = File { bytes, about: None };
            for (place, binding) in terms.of(plugin) {
                let Err((part, refusal)) = self.look_at(&terms, binding, &mut file) else {
                    continue;
                };
                let state = match life.hold {
                    Some(_) => "which is live when the plugin is held no more",
                    None => "which is live",
                };
                let reason = format!(
                    "{}, of component {}, {state}",
                    refusal.reason(),
                    component.short()
                );
                let is_said = found
                    .iter()
                    .any(|other| other.part == part && other.reason == reason);
                if !is_said {
                    found.push(Obstacle {
                        binding: place,
                        part,
                        reason,
                        is_warning: false,
                    });
                }
            }
        }
        Ok(found)
    }

    /// Looks at a file for a binding, and gives what its owner should know all the same.
    fn look_at(
        &self,
        terms: &Terms,
        binding: &Binding,
        file: &mut File,
    ) -> Result<Vec<(Part, String)>, (Part, Refusal)> {
        terms.admit(binding, &terms.admission(&file.bytes)?)?;
        if file.about.is_none() {
            let about = self.loader.describe(&file.bytes);
            file.about = Some(about.map_err(|error| (Part::Plugin, Refusal::from(error)))?);
        }
        match &file.about {
            Some(about) => self
                .examine(terms, binding, about, &file.bytes)
                .map(|examined| examined.warnings),
            None => Ok(Vec::new()),
        }
    }

    /// Everything that can be wrong with a component on a binding's terms, once it is
    /// admitted.
    pub(crate) fn examine(
        &self,
        terms: &Terms,
        binding: &Binding,
        about: &Description,
        bytes: &[u8],
    ) -> Result<Examined, (Part, Refusal)> {
        let refused = |part| move |reason: String| (part, Refusal::Component(reason));
        if let Some(needed) = binding.stage.interface()
            && !about.interfaces.contains(&needed)
        {
            let reason = format!(
                "it is bound to stage `{}` and does not export `{needed}`",
                binding.stage
            );
            return Err(refused(Part::Stage)(reason));
        }
        let revision = revision(terms, binding, Digest::of(bytes)).map_err(refused(Part::Tables))?;
        let Tried { plugin, costs } = self.try_out(binding.stage, &revision, &about.cases, bytes)?;
        Ok(Examined {
            pinned: Pinned {
                id: revision.id(),
                revision: Arc::new(revision),
                plugin,
            },
            warnings: untried::warning(binding, &about.cases)
                .into_iter()
                .map(|warning| (Part::Plugin, warning))
                .chain(
                    cost::warnings(binding, &costs)
                        .into_iter()
                        .map(|warning| (Part::Limits, warning)),
                )
                .collect(),
        })
    }

    /// That a revision loads, its component's cases pass, and it takes the settings of its
    /// binding to this stage.
    pub(crate) fn try_out(
        &self,
        stage: Stage,
        revision: &Revision,
        cases: &[Case],
        bytes: &[u8],
    ) -> Result<Tried, (Part, Refusal)> {
        let refused = |part| move |reason: String| (part, Refusal::Component(reason));
        let load = |revision: &Revision| {
            let loaded = self.loader.load(bytes, revision);
            loaded.map_err(|error| (part_of(&error), Refusal::from(error)))
        };
        let fresh = load(&Revision {
            kept: None,
            ..revision.clone()
        })?;
        let costs =
            check::cases(fresh.as_ref(), cases).map_err(|error| refused(Part::Plugin)(error.to_string()))?;
        check::settings(fresh.as_ref(), stage, &revision.settings, cases)
            .map_err(|error| refused(Part::Settings)(error.to_string()))?;
        let plugin: Arc<dyn Plugin> = match &revision.kept {
            None => fresh,
            Some(_) => {
                // what passes in fresh instances may still remember
                let kept = load(revision)?;
                check::cases(kept.as_ref(), cases).map_err(|error| {
                    let text = "in an instance that has served before, as its binding's `isolation` lets it";
                    refused(Part::Isolation)(format!("{error}, {text}; {MENDED}"))
                })?;
                kept
            }
        };
        Ok(Tried { plugin, costs })
    }
}

/// What has passed.
pub(crate) struct Tried {
    pub(crate) plugin: Arc<dyn Plugin>,
    /// What its cases cost.
    costs: Vec<CaseCost>,
}

/// What a binding makes of a component; or the table that it lacks.
pub(crate) fn revision(terms: &Terms, binding: &Binding, component: Digest) -> Result<Revision, String> {
    let mut tables = Tables::new();
    for grant in &binding.grants {
        if let Grant::Reference(name) = grant {
            let table = terms
                .tables
                .get(name)
                .ok_or_else(|| format!("its binding grants `{grant}`, and the config has no such table"))?;
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
        kept: match binding.isolation {
            Isolation::Fresh => None,
            Isolation::Calls(calls) => Some(Kept {
                calls,
                binding: binding.name(),
            }),
        },
    })
}

/// The way out for a plugin that remembers.
const MENDED: &str = "its answer may not depend on what an earlier call has left; mend that, or set \
                      `isolation = \"fresh\"`";

/// Which part of a binding a component that does not load is about.
fn part_of(error: &LoadError) -> Part {
    match error {
        LoadError::NotGranted { .. } => Part::Grants,
        LoadError::TooLarge(_) => Part::Limits,
        LoadError::NotAComponent(_)
        | LoadError::Composed
        | LoadError::NoInterface { .. }
        | LoadError::WrongType { .. }
        | LoadError::WrongImport(_)
        | LoadError::BreaksAtStart(_)
        | LoadError::Host(_) => Part::Plugin,
    }
}
