//! From the bytes of a component to revisions that may become live.

use cambist_contract::digest::Digest;

use crate::{Registry, examine::Refusal, registry::Pinned};

/// A component that passed for all its bindings.
pub(crate) struct Prepared {
    pub(crate) component: Digest,
    pub(crate) version: Option<String>,
    /// The revision for each binding, by the binding's place.
    pub(crate) revisions: Vec<(usize, Pinned)>,
}

impl Registry {
    /// Everything that can be wrong, before anything is switched. What passes for
    /// all bindings is on disk when this returns.
    pub(crate) fn prepare(&self, plugin: &str, bytes: &[u8]) -> Result<Prepared, Refusal> {
        let bindings = self.options.bindings.iter().enumerate();
        let bindings: Vec<_> = bindings.filter(|(_, it)| it.plugin == plugin).collect();
        if bindings.is_empty() {
            let unbound = "no binding names it; add one to the config".to_owned();
            return Err(Refusal::Component(unbound));
        }
        let admission = self.admission(bytes).map_err(|(_, refusal)| refusal)?;
        for (_, binding) in &bindings {
            self.admit(binding, &admission).map_err(|(_, refusal)| refusal)?;
        }
        // from here on it is compiled
        let about = self.loader.describe(bytes)?;
        let mut revisions = Vec::new();
        for (place, binding) in bindings {
            let pinned = self.examine(binding, &about, bytes);
            revisions.push((place, pinned.map_err(|(_, refusal)| refusal)?));
        }
        revisions
            .iter()
            .try_for_each(|(_, pinned)| self.archive.keep(&pinned.revision, bytes))
            .map_err(|error| Refusal::Host(format!("the archive of revisions cannot keep it: {error}")))?;
        Ok(Prepared {
            component: admission.component,
            version: about.version,
            revisions,
        })
    }
}
