//! From the bytes of a component to revisions that may become live.

use cambist_contract::digest::Digest;

use crate::{Registry, examine::Refusal, registry::Pinned};

/// A component that passed for all its bindings.
pub(crate) struct Prepared {
    pub(crate) version: Option<String>,
    /// The revision for each binding, by the binding's place.
    pub(crate) revisions: Vec<(usize, Pinned)>,
}

impl Registry {
    /// Everything that can be wrong, before anything is switched. What passes for
    /// all bindings is on disk when this returns.
    pub(crate) fn prepare(&self, plugin: &str, bytes: &[u8]) -> Result<Prepared, Refusal> {
        let about = self.loader.describe(bytes)?;
        let mut revisions = Vec::new();
        for (place, binding) in self.options.bindings.iter().enumerate() {
            if binding.plugin == plugin {
                let pinned = self
                    .examine(binding, &about, bytes)
                    .map_err(|(_, refusal)| refusal)?;
                revisions.push((place, pinned));
            }
        }
        if revisions.is_empty() {
            let unbound = "no binding names it; add one to the config".to_owned();
            return Err(Refusal::Component(unbound));
        }
        let kept = revisions
            .iter()
            .try_for_each(|(_, pinned)| self.archive.keep(&pinned.revision, bytes))
            .and_then(|()| self.archive.set_live(plugin, Digest::of(bytes)));
        kept.map_err(|error| Refusal::Host(format!("the archive of revisions cannot keep it: {error}")))?;
        Ok(Prepared {
            version: about.version,
            revisions,
        })
    }

    /// The component that was live before the host's start, made to pass under the
    /// bindings of today; none when there is none, or it does not pass.
    pub(crate) fn last_good(&self, plugin: &str, refused: Option<Digest>) -> Option<(Digest, Prepared)> {
        let component = self.archive.live(plugin).filter(|last| Some(*last) != refused)?;
        let prepared = match self.archive.component(&component) {
            Ok(bytes) => self.prepare(plugin, &bytes).map_err(Refusal::reason),
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
