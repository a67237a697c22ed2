//! One component against one binding: all that must hold before it may serve it.

use std::{collections::BTreeMap, io, sync::Arc};

use cambist_contract::{
    digest::Digest,
    plugin::{Description, LoadError},
    revision::{Grant, Revision, Tables},
};

use crate::{Pinned, Registry, binding::Binding, check, folder};

/// What keeps a binding from being served.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Obstacle {
    /// The binding, by its place in the config.
    pub binding: usize,
    /// Which of its settings it is about.
    pub part: Part,
    /// What is wrong, and the way out.
    pub reason: String,
}

/// The part of a binding that an obstacle is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
}

/// Why a component does not become live.
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
            | LoadError::TooLarge(_) => Self::Component(error.to_string()),
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
        let files = folder::plugins(&self.options.plugins)?;
        let mut known: BTreeMap<&str, Result<File, String>> = BTreeMap::new();
        let mut found: Vec<Obstacle> = Vec::new();
        for (place, binding) in self.options.bindings.iter().enumerate() {
            let plugin = known.entry(&binding.plugin).or_insert_with(|| {
                let path = files
                    .get(&binding.plugin)
                    .ok_or_else(|| absent(&binding.plugin))?;
                let bytes = folder::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(File { bytes, about: None })
            });
            let (part, reason) = match plugin {
                Err(reason) => (Part::Plugin, reason.clone()),
                Ok(file) => match self.look_at(binding, file) {
                    Err((part, refusal)) => (part, refusal.reason()),
                    Ok(()) => continue,
                },
            };
            // what is wrong with the plugin itself is said once
            let is_said = found.iter().any(|other| {
                let same = self.options.bindings.get(other.binding);
                let same = same.is_some_and(|other| other.plugin == binding.plugin);
                let is_its_own = matches!(part, Part::Plugin | Part::Trust);
                same && is_its_own && other.part == part && other.reason == reason
            });
            if !is_said {
                found.push(Obstacle {
                    binding: place,
                    part,
                    reason,
                });
            }
        }
        Ok(found)
    }

    fn look_at(&self, binding: &Binding, file: &mut File) -> Result<(), (Part, Refusal)> {
        self.admit(binding, &self.admission(&file.bytes)?)?;
        if file.about.is_none() {
            let about = self.loader.describe(&file.bytes);
            file.about = Some(about.map_err(|error| (Part::Plugin, Refusal::from(error)))?);
        }
        match &file.about {
            Some(about) => self.examine(binding, about, &file.bytes).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Everything that can be wrong with a component on a binding's terms, once it is
    /// admitted.
    pub(crate) fn examine(
        &self,
        binding: &Binding,
        about: &Description,
        bytes: &[u8],
    ) -> Result<Pinned, (Part, Refusal)> {
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
        let revision = self
            .revision(binding, Digest::of(bytes))
            .map_err(refused(Part::Tables))?;
        let plugin = self
            .loader
            .load(bytes, &revision)
            .map_err(|error| (part_of(&error), Refusal::from(error)))?;
        check::cases(plugin.as_ref(), &about.cases)
            .map_err(|error| refused(Part::Plugin)(error.to_string()))?;
        check::settings(plugin.as_ref(), binding.stage, &binding.settings, &about.cases)
            .map_err(|error| refused(Part::Settings)(error.to_string()))?;
        Ok(Pinned {
            id: revision.id(),
            revision: Arc::new(revision),
            plugin,
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
}

/// Which part of a binding a component that does not load is about.
fn part_of(error: &LoadError) -> Part {
    match error {
        LoadError::NotGranted { .. } => Part::Grants,
        LoadError::TooLarge(_) => Part::Limits,
        LoadError::NotAComponent(_)
        | LoadError::Composed
        | LoadError::NoInterface { .. }
        | LoadError::WrongType { .. }
        | LoadError::Host(_) => Part::Plugin,
    }
}
