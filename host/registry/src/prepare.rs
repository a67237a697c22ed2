//! From the bytes of a component to revisions that may become live.

use std::sync::Arc;

use cambist_contract::{
    digest::Digest,
    plugin::LoadError,
    revision::{Grant, Revision, Tables},
};

use crate::{Registry, binding::Binding, check, registry::Pinned};

/// A component that passed for all its bindings.
pub(crate) struct Prepared {
    pub(crate) version: Option<String>,
    /// The revision for each binding, by the binding's place.
    pub(crate) revisions: Vec<(usize, Pinned)>,
}

/// Why a component does not become live.
pub(crate) enum Refusal {
    /// It is not good: the same bytes will be refused again.
    Component(String),
    /// The host could not find out: the same bytes may pass next time.
    Host(String),
}

impl Refusal {
    fn into_reason(self) -> String {
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

impl Registry {
    /// Everything that can be wrong, before anything is switched. What passes for
    /// all bindings is on disk when this returns.
    pub(crate) fn prepare(&self, plugin: &str, bytes: &[u8]) -> Result<Prepared, Refusal> {
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
        let kept = revisions
            .iter()
            .try_for_each(|(_, pinned)| self.archive.keep(&pinned.revision, bytes))
            .and_then(|()| self.archive.set_live(plugin, component));
        kept.map_err(|error| Refusal::Host(format!("the archive of revisions cannot keep it: {error}")))?;
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

    /// The component that was live before the host's start, made to pass under the
    /// bindings of today; none when there is none, or it does not pass.
    pub(crate) fn last_good(&self, plugin: &str, refused: Option<Digest>) -> Option<(Digest, Prepared)> {
        let component = self.archive.live(plugin).filter(|last| Some(*last) != refused)?;
        let prepared = match self.archive.component(&component) {
            Ok(bytes) => self.prepare(plugin, &bytes).map_err(Refusal::into_reason),
            Err(error) => Err(error.to_string()),
        };
        match prepared {
            Ok(prepared) => Some((component, prepared)),
            Err(reason) => {
                tracing::error!(
                    plugin,
                    component = component.short(),
                    reason,
                    "the last good one cannot be had back"
                );
                None
            }
        }
    }
}
