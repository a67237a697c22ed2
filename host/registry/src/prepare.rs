//! From the bytes of a component to revisions that may become live.

use std::{collections::BTreeMap, sync::Arc};

use cambist_contract::digest::Digest;

use crate::{
    Registry,
    examine::{Examined, Part, Refusal},
    registry::Pinned,
    terms::Terms,
};

/// A component that passed for all its bindings.
pub(crate) struct Prepared {
    pub(crate) component: Digest,
    pub(crate) version: Option<String>,
    /// The terms it passed on.
    pub(crate) terms: Arc<Terms>,
    /// The revision for each binding, by the binding's place.
    pub(crate) revisions: BTreeMap<usize, Pinned>,
    /// Whether these are other revisions than the terms make of it.
    pub(crate) held: bool,
}

impl Prepared {
    /// The revision for each binding, by the binding's name.
    pub(crate) fn named(&self) -> BTreeMap<String, Digest> {
        let named = self.revisions.iter().filter_map(|(place, pinned)| {
            let binding = self.terms.bindings.get(*place)?;
            Some((binding.name(), pinned.id))
        });
        named.collect()
    }
}

/// Why a component does not pass, and which binding it is about where it is about one.
pub(crate) struct Unfit {
    pub(crate) binding: Option<usize>,
    pub(crate) part: Part,
    pub(crate) refusal: Refusal,
}

impl Unfit {
    /// It is about this binding, if about one.
    pub(crate) fn of(binding: Option<usize>) -> impl FnOnce((Part, Refusal)) -> Self {
        move |(part, refusal)| Self {
            binding,
            part,
            refusal,
        }
    }

    /// It is about no binding in particular.
    pub(crate) fn as_a_whole(refusal: Refusal) -> Self {
        Self {
            binding: None,
            part: Part::Plugin,
            refusal,
        }
    }
}

impl Registry {
    /// Everything that can be wrong, before anything is switched. What passes for
    /// all bindings is on disk when this returns.
    pub(crate) fn prepare(&self, plugin: &str, bytes: &[u8]) -> Result<Prepared, Refusal> {
        self.prepare_on(&self.serving().terms, plugin, bytes)
            .map_err(|unfit| unfit.refusal)
    }

    /// The same on other terms than those that hold.
    pub(crate) fn prepare_on(
        &self,
        terms: &Arc<Terms>,
        plugin: &str,
        bytes: &[u8],
    ) -> Result<Prepared, Unfit> {
        if !terms.is_bound(plugin) {
            let unbound = "no binding names it; add one to the config".to_owned();
            return Err(Unfit::as_a_whole(Refusal::Component(unbound)));
        }
        let admission = terms.admission(bytes).map_err(Unfit::of(None))?;
        for (place, binding) in terms.of(plugin) {
            terms.admit(binding, &admission).map_err(Unfit::of(Some(place)))?;
        }
        // from here on it is compiled
        let about = self
            .loader
            .describe(bytes)
            .map_err(|error| Unfit::as_a_whole(error.into()))?;
        let (mut revisions, mut found) = (BTreeMap::new(), Vec::<String>::new());
        for (place, binding) in terms.of(plugin) {
            let examined = self.examine(terms, binding, &about, bytes);
            let Examined { pinned, warnings } = examined.map_err(Unfit::of(Some(place)))?;
            for (_, warning) in warnings {
                // what is so for all its bindings is said once
                if !found.contains(&warning) {
                    found.push(warning);
                }
            }
            revisions.insert(place, pinned);
        }
        revisions
            .values()
            .try_for_each(|pinned| self.archive.keep(&pinned.revision, bytes))
            .map_err(|error| {
                let text = format!("the archive of revisions cannot keep it: {error}");
                Unfit::as_a_whole(Refusal::Host(text))
            })?;
        for warning in &found {
            tracing::warn!(plugin, component = about.component.short(), warning);
        }
        self.warnings.keep(about.component, found);
        Ok(Prepared {
            component: admission.component,
            version: about.version,
            terms: Arc::clone(terms),
            revisions,
            held: false,
        })
    }
}
