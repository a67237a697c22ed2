//! Other terms for a host that runs: a config that was changed. All of it holds from one
//! moment on, or nothing of it.
//!
//! Everything is checked first, as it is at a start, while the old terms hold: what is live
//! has to pass on the new ones, for every binding. Then the steps are written, and one swap
//! lets all bindings be served on the new terms.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cambist_contract::{
    digest::Digest,
    rollout::{Act, Step},
};

use crate::{
    Obstacle, Registry,
    error::ReloadError,
    examine::{Part, Refusal, absent},
    folder,
    life::{Life, Mode},
    metrics,
    prepare::{Prepared, Unfit},
    registry::Options,
    serving::{Beside, Place, Serving},
    standing::Standing,
    step::{BY_CONFIG, BY_HOST},
    terms::Terms,
    trial::Trial,
};

/// How often it is begun anew when steps are taken while it is checked. Each takes a person
/// or a file; more than some in a row are no accident.
const TRIES: usize = 5;

/// New terms, checked and ready to hold.
struct Ready {
    terms: Arc<Terms>,
    live: BTreeMap<String, Prepared>,
    beside: BTreeMap<String, (Mode, Result<Prepared, String>)>,
    /// What is live and not trusted any more, and why.
    untrusted: BTreeMap<String, (Digest, String)>,
}

impl Registry {
    /// Serves on the terms of another config from now on, and tells the plugins that are
    /// served by other revisions for it. Blocks while it compiles and runs cases.
    ///
    /// `together` is handed the switch, and does in the same moment what else has to change.
    /// The folders stay those that it was opened with.
    ///
    /// Who signed it is asked anew of everything. What is live and is not trusted any more is
    /// taken out, as at a start: a key that is revoked waits for nobody.
    ///
    /// # Errors
    ///
    /// Something does not pass on these terms, or the steps could not be written. The old
    /// ones hold.
    pub fn reload(
        &self,
        options: Options,
        together: impl FnOnce(&mut dyn FnMut()),
    ) -> Result<BTreeSet<String>, ReloadError> {
        let terms = Arc::new(Terms::new(options));
        let mut together = Some(together);
        for _ in 0..TRIES {
            let ready = self.ready(&terms)?;
            if let Some(changed) = self.adopt(ready, &mut together)? {
                self.forget_unbound();
                self.load_again();
                return Ok(changed);
            }
        }
        let text = "plugins change faster than the config can be checked against them".to_owned();
        Err(ReloadError::Trouble(text))
    }

    /// Checks everything that serves on other terms.
    fn ready(&self, terms: &Arc<Terms>) -> Result<Ready, ReloadError> {
        let lives = self.lives().clone();
        let (mut live, mut beside, mut untrusted) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut obstacles = Vec::new();
        let bound: BTreeSet<&String> = terms.bindings.iter().map(|binding| &binding.plugin).collect();
        for plugin in bound {
            let life = lives.get(plugin);
            let Some(component) = life.and_then(Life::live_component) else {
                // nothing served it before either, unless it is new here
                if !self.is_bound(plugin) {
                    obstacles.extend(self.newcomer(terms, plugin));
                }
                continue;
            };
            let prepared = self.again(terms, plugin, &component);
            match prepared {
                Ok(prepared) => drop(live.insert(plugin.clone(), prepared)),
                Err(unfit) if unfit.part == Part::Trust => {
                    untrusted.insert(plugin.clone(), (component, unfit.refusal.reason()));
                }
                Err(unfit) => obstacles.push(obstacle(terms, plugin, unfit)),
            }
            if let Some(known) = life.and_then(|life| life.beside.as_ref()) {
                let prepared = self.again(terms, plugin, &known.component);
                let prepared = prepared.map_err(|unfit| unfit.refusal.reason());
                beside.insert(plugin.clone(), (known.mode, prepared));
            }
        }
        if !obstacles.is_empty() {
            return Err(ReloadError::Obstacles(obstacles));
        }
        Ok(Ready {
            terms: Arc::clone(terms),
            live,
            beside,
            untrusted,
        })
    }

    /// What is wrong with a plugin that no binding named so far: it has to be in the folder.
    fn newcomer(&self, terms: &Arc<Terms>, plugin: &str) -> Option<Obstacle> {
        let whole = |refusal| Unfit {
            binding: None,
            part: Part::Plugin,
            refusal,
        };
        let mut listing = folder::list(self.plugins()).unwrap_or_default();
        let file = listing.files.remove(plugin);
        let checked = match file.map(|path| folder::read(&path)) {
            None => {
                let odd = listing.odd.remove(plugin);
                Err(whole(Refusal::Component(odd.unwrap_or_else(|| absent(plugin)))))
            }
            Some(Err(error)) => Err(whole(error.into())),
            Some(Ok(bytes)) => self.prepare_on(terms, plugin, &bytes).map(drop),
        };
        checked.err().map(|unfit| obstacle(terms, plugin, unfit))
    }

    fn again(&self, terms: &Arc<Terms>, plugin: &str, component: &Digest) -> Result<Prepared, Unfit> {
        let bytes = self.archive.component(component).map_err(|error| Unfit {
            binding: None,
            part: Part::Plugin,
            refusal: Refusal::Host(format!("component {} cannot be read: {error}", component.short())),
        })?;
        self.prepare_on(terms, plugin, &bytes)
    }

    /// Writes the steps and switches. None when a step was taken meanwhile.
    fn adopt(
        &self,
        ready: Ready,
        together: &mut Option<impl FnOnce(&mut dyn FnMut())>,
    ) -> Result<Option<BTreeSet<String>>, ReloadError> {
        let mut held = self.hold();
        let lives = self.lives().clone();
        let stands = |plugin: &str, of: fn(&Life) -> Option<_>| lives.get(plugin).and_then(of);
        for plugin in ready.terms.bindings.iter().map(|binding| &binding.plugin) {
            let untrusted = ready.untrusted.get(plugin).map(|(component, _)| *component);
            let live = ready
                .live
                .get(plugin)
                .map(|prepared| prepared.component)
                .or(untrusted);
            let mode = ready.beside.get(plugin).map(|(mode, _)| *mode);
            let known = lives.get(plugin).and_then(|life| life.beside.as_ref());
            if stands(plugin, Life::live_component) != live || known.map(|known| known.mode) != mode {
                return Ok(None);
            }
        }
        let mut acts = Vec::new();
        let mut act = |plugin: &String, component, by: &str, step| {
            acts.push(Act {
                plugin: plugin.clone(),
                component,
                by: by.to_owned(),
                step,
            });
        };
        for (plugin, prepared) in &ready.live {
            let revisions = prepared.named();
            let life = lives.get(plugin);
            let known = life.and_then(|life| life.live.as_ref());
            let standing = life.and_then(|life| life.standing(&prepared.component));
            // one that was not trusted for a while comes back by a step of its own
            let was_refused = matches!(standing, Some(Standing::Refused { .. }));
            if was_refused || known.is_some_and(|(_, known)| *known != revisions) {
                act(plugin, prepared.component, BY_CONFIG, Step::Live { revisions });
            }
        }
        for (plugin, (component, reason)) in &ready.untrusted {
            let is_known = matches!(
                lives.get(plugin).and_then(|life| life.standing(component)),
                Some(Standing::Refused { reason: known }) if known == reason
            );
            if !is_known {
                let reason = reason.clone();
                act(plugin, *component, BY_HOST, Step::Refused { reason });
            }
        }
        for (plugin, (mode, prepared)) in &ready.beside {
            let Some(known) = lives.get(plugin).and_then(|life| life.beside.as_ref()) else {
                continue;
            };
            let (by, step) = match prepared {
                Ok(prepared) if prepared.named() == known.revisions => continue,
                Ok(prepared) => (BY_CONFIG, mode.step(prepared.named())),
                Err(reason) => {
                    let reason = format!("it does not pass any more: {reason}");
                    (BY_HOST, Step::Withdrawn { reason })
                }
            };
            act(plugin, known.component, by, step);
        }
        let changed: BTreeSet<String> = acts.iter().map(|act| act.plugin.clone()).collect();
        self.write_all(&mut held, acts)
            .map_err(|refusal| ReloadError::Trouble(refusal.reason()))?;
        let mut next = Some(ready.serving());
        let mut switch = || {
            if let Some(next) = next.take() {
                self.switch(&held, next);
            }
        };
        if let Some(together) = together.take() {
            together(&mut switch);
        }
        // whatever was done together, the terms that were written hold
        switch();
        for plugin in &changed {
            metrics::switched(plugin);
        }
        Ok(Some(changed))
    }

    /// Has the next look try again what was refused because no binding named it.
    fn forget_unbound(&self) {
        self.looks()
            .retain(|plugin, _| !self.is_bound(plugin) || self.serves(plugin).is_some());
    }
}

impl Ready {
    /// What serves on these terms.
    fn serving(self) -> Serving {
        let mut places = vec![Place::default(); self.terms.bindings.len()];
        let mut put = |prepared: Prepared, at: &dyn Fn(&mut Place, crate::Pinned)| {
            for (number, pinned) in prepared.revisions {
                if let Some(place) = places.get_mut(number) {
                    at(place, pinned);
                }
            }
        };
        for prepared in self.live.into_values() {
            put(prepared, &|place, pinned| place.live = Some(pinned));
        }
        for (plugin, (mode, prepared)) in self.beside {
            let Ok(prepared) = prepared else { continue };
            let trial = Arc::new(Trial::new(&plugin, prepared.component, mode.share()));
            put(prepared, &|place, pinned| {
                place.beside = Some(Beside {
                    pinned,
                    mode,
                    trial: Arc::clone(&trial),
                });
            });
        }
        Serving::new(self.terms, places)
    }
}

/// What keeps a binding from being served; one about none in particular is about the
/// plugin's first.
fn obstacle(terms: &Terms, plugin: &str, unfit: Unfit) -> Obstacle {
    let first = || terms.of(plugin).next().map(|(place, _)| place);
    Obstacle {
        binding: unfit.binding.or_else(first).unwrap_or_default(),
        part: unfit.part,
        reason: unfit.refusal.reason(),
        is_warning: false,
    }
}
