//! From the bytes of a component to revisions that may become live.

use cambist_contract::digest::Digest;

use crate::{
    Registry,
    examine::{Examined, Refusal},
    registry::Pinned,
};

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
        let about = self.loader.describe(bytes)?;
        let (mut revisions, mut found) = (Vec::new(), Vec::new());
        for (place, binding) in self.options.bindings.iter().enumerate() {
            if binding.plugin == plugin {
                let Examined { pinned, warnings } = self
                    .examine(binding, &about, bytes)
                    .map_err(|(_, refusal)| refusal)?;
                found.extend(warnings);
                revisions.push((place, pinned));
            }
        }
        if revisions.is_empty() {
            let unbound = "no binding names it; add one to the config".to_owned();
            return Err(Refusal::Component(unbound));
        }
        revisions
            .iter()
            .try_for_each(|(_, pinned)| self.archive.keep(&pinned.revision, bytes))
            .map_err(|error| Refusal::Host(format!("the archive of revisions cannot keep it: {error}")))?;
        for warning in &found {
            tracing::warn!(plugin, component = about.component.short(), warning);
        }
        self.warnings.keep(about.component, found);
        Ok(Prepared {
            component: Digest::of(bytes),
            version: about.version,
            revisions,
        })
    }
}
