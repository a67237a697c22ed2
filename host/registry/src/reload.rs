//! Other terms for a host that runs: a config that was changed. All of it holds from one
//! moment on, or nothing of it.
//!
//! Everything is checked first, as it is at a start, while the old terms hold: what is live
//! has to pass on the new ones, for every binding. Then the steps are written, and one swap
//! lets all bindings be served on the new terms.
//!
//! A plugin that is held goes on serving what it is held on, where the new terms allow that, and the
//! answer says so; where they do not, they do not hold before somebody ends the hold.
//!
//! # What is taken out, and what is not
//!
//! No config leaves a binding without a plugin that has one now: signatures that are required
//! from now on and are not there, a key that is gone from the config or is for other regions, and
//! a binding that changes hands to what does not serve yet all refuse the config as a whole. A
//! key that is revoked is the exception: what only it signed may be anybody's, so it is taken
//! out. Whether a revocation is the reason is found by asking again with what the old terms
//! had revoked: what would pass then is out for nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cambist_contract::{
    digest::Digest,
    rollout::{Act, Origin, Step},
};

use crate::{
    Obstacle, Registry,
    error::ReloadError,
    examine::{Part, Refusal, absent},
    folder,
    handed::{WAITS, left_alone},
    held::{Stood, stands},
    life::{Life, Mode},
    metrics,
    prepare::{Prepared, Unfit},
    registry::{NewPlugins, Options},
    serving::{Beside, Place, Serving},
    standing::Standing,
    status::HeldStatus,
    step::{BY_CONFIG, BY_HOST},
    terms::Terms,
    trial::Trial,
};

/// How often it is begun anew when steps are taken while it is checked. Each takes a person
/// or a file; more than some in a row are no accident.
const TRIES: usize = 5;

/// What came of another config that holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reloaded {
    /// The plugins that are served by other revisions for it, or not any more.
    pub plugins: BTreeSet<String>,
    /// Those of which nothing serves any more, because a key was revoked: the component that was
    /// taken out, and why.
    pub out: BTreeMap<String, (Digest, String)>,
    /// Those that are held, and so are not served by what this config says before the hold ends.
    pub held: Vec<HeldStatus>,
    /// Those of which what stood beside the live one was withdrawn, and why.
    pub withdrawn: BTreeMap<String, (Digest, String)>,
}

/// New terms, checked and ready to hold.
struct Ready {
    terms: Arc<Terms>,
    live: BTreeMap<String, Prepared>,
    /// Those of the live ones that no binding named so far.
    newcomers: BTreeSet<String>,
    /// What was live and held when it was checked, by the plugin.
    stood: BTreeMap<String, Stood>,
    beside: BTreeMap<String, (Mode, Result<Prepared, String>)>,
    /// What is live by the ledger and not trusted any more, and why.
    untrusted: BTreeMap<String, Untrusted>,
}

/// A component that the new terms do not trust.
struct Untrusted {
    component: Digest,
    reason: String,
    /// Whether it serves until they hold.
    serves: bool,
}

impl Registry {
    /// Serves on the terms of another config from now on, and tells the plugins that are
    /// served by other revisions for it. Blocks while it compiles and runs cases.
    ///
    /// `together` is handed the switch, and does in the same moment what else has to change.
    /// The folders stay those that it was opened with.
    ///
    /// Who signed it is asked anew of everything. What only a key signed that is revoked now
    /// is taken out: that waits for nobody. What is not trusted for another reason and serves
    /// keeps the terms from holding.
    ///
    /// # Errors
    ///
    /// Something does not pass on these terms, a binding that is served now would not be, or
    /// the steps could not be written. The old ones hold.
    pub fn reload(
        &self,
        options: Options,
        together: impl FnOnce(&mut dyn FnMut()),
    ) -> Result<Reloaded, ReloadError> {
        let terms = Arc::new(Terms::new(options));
        let mut together = Some(together);
        for _ in 0..TRIES {
            let ready = self.ready(&terms)?;
            let newcomers = ready.newcomers.clone();
            if let Some(reloaded) = self.adopt(ready, &mut together)? {
                self.forget_unbound(&newcomers);
                self.load_again();
                return Ok(reloaded);
            }
        }
        let text = "plugins change faster than the config can be checked against them".to_owned();
        Err(ReloadError::Trouble(text))
    }

    /// Checks everything that serves on other terms.
    fn ready(&self, terms: &Arc<Terms>) -> Result<Ready, ReloadError> {
        let lives = self.lives().clone();
        let mut ready = Ready {
            terms: Arc::clone(terms),
            live: BTreeMap::new(),
            newcomers: BTreeSet::new(),
            stood: BTreeMap::new(),
            beside: BTreeMap::new(),
            untrusted: BTreeMap::new(),
        };
        let mut obstacles = Vec::new();
        let bound: BTreeSet<&String> = terms.bindings.iter().map(|binding| &binding.plugin).collect();
        for plugin in bound {
            let life = lives.get(plugin);
            ready.stood.insert(plugin.clone(), stands(life));
            let Some(component) = life.and_then(Life::live_component) else {
                // nothing served it before either, unless it is new here
                if !self.is_bound(plugin) {
                    match self.newcomer(terms, plugin) {
                        Err(unfit) => obstacles.push(obstacle(terms, plugin, unfit)),
                        Ok(prepared) if terms.new_plugins == NewPlugins::Live => {
                            ready.newcomers.insert(plugin.clone());
                            ready.live.insert(plugin.clone(), prepared);
                        }
                        Ok(_) => {}
                    }
                }
                continue;
            };
            // one that no binding names is held from nobody
            let held = life.filter(|life| life.hold.is_some() && self.is_bound(plugin));
            if let Some(life) = held {
                let found = self.obstacles_of_end(terms, plugin, life);
                obstacles.extend(found);
            }
            let again = match held {
                Some(life) => self.held_again(terms, plugin, life, &mut obstacles),
                None => Some(self.again(terms, plugin, &component)),
            };
            let Some(again) = again else { continue };
            match again {
                Ok(prepared) => drop(ready.live.insert(plugin.clone(), prepared)),
                Err(unfit) if unfit.part == Part::Trust => {
                    let serves = self.serves(plugin).is_some();
                    if serves && !self.is_for_a_revoked_key(terms, plugin, &component) {
                        obstacles.extend(self.distrust(terms, plugin, &component));
                        continue;
                    }
                    let reason = unfit.refusal.reason();
                    let untrusted = Untrusted {
                        component,
                        reason,
                        serves,
                    };
                    ready.untrusted.insert(plugin.clone(), untrusted);
                }
                Err(unfit) => obstacles.push(obstacle(terms, plugin, unfit)),
            }
            if let Some(known) = life.and_then(|life| life.beside.as_ref()) {
                let prepared = self.again(terms, plugin, &known.component);
                let prepared = prepared.map_err(|unfit| unfit.refusal.reason());
                ready.beside.insert(plugin.clone(), (known.mode, prepared));
            }
        }
        obstacles.extend(self.left_alone(&ready, &obstacles));
        if obstacles.is_empty() {
            return Ok(ready);
        }
        // a revocation waits with all else, and who revoked the key has to know
        for (plugin, untrusted) in ready.untrusted.iter().filter(|(_, it)| it.serves) {
            let reason = format!(
                "{}; it serves until all of the config passes, and is taken out then",
                untrusted.reason
            );
            obstacles.push(obstacle(terms, plugin, distrusted(None, reason)));
        }
        Err(ReloadError::Obstacles(obstacles))
    }

    /// What a plugin is that no binding named so far: it has to be in the folder.
    fn newcomer(&self, terms: &Arc<Terms>, plugin: &str) -> Result<Prepared, Unfit> {
        let whole = |refusal| Unfit {
            binding: None,
            part: Part::Plugin,
            refusal,
        };
        let mut listing = folder::list(self.plugins()).unwrap_or_default();
        let bytes = match listing.files.remove(plugin).map(|path| folder::read(&path)) {
            None => {
                let odd = listing.odd.remove(plugin);
                return Err(whole(Refusal::Component(odd.unwrap_or_else(|| absent(plugin)))));
            }
            Some(read) => read.map_err(|error| whole(error.into()))?,
        };
        self.is_not_out(plugin, &Digest::of(&bytes)).map_err(whole)?;
        self.prepare_on(terms, plugin, &bytes)
    }

    /// Whether a component that these terms do not trust would be trusted if no more keys were
    /// revoked than are now.
    fn is_for_a_revoked_key(&self, terms: &Terms, plugin: &str, component: &Digest) -> bool {
        let Ok(bytes) = self.archive.component(component) else {
            return false;
        };
        let trust = terms.trust.as_revoked_in(&self.serving().terms.trust);
        let admits = |region: Option<&str>| {
            let found = trust.look(&bytes);
            found.and_then(|found| trust.admit(&found, region)).is_ok()
        };
        terms
            .of(plugin)
            .all(|(_, binding)| admits(binding.region.as_deref()))
    }

    /// Why a component that serves is not trusted any more, for each of its bindings that says it
    /// otherwise.
    fn distrust(&self, terms: &Terms, plugin: &str, component: &Digest) -> Vec<Obstacle> {
        let Ok(bytes) = self.archive.component(component) else {
            return Vec::new();
        };
        let mut told = BTreeSet::new();
        let why = |(place, binding)| {
            let admission = terms.admission(&bytes);
            let (part, refusal) = admission
                .and_then(|admission| terms.admit(binding, &admission))
                .err()?;
            let reason = refusal.reason();
            let is_news = part == Part::Trust && told.insert(reason.clone());
            is_news.then(|| {
                let reason = format!(
                    "{reason}; it serves now, so the config does not hold before another one does, or `revoked = true` \
                     at its key says that it is to be taken out"
                );
                obstacle(terms, plugin, distrusted(Some(place), reason))
            })
        };
        terms.of(plugin).filter_map(why).collect()
    }

    /// The bindings that something serves now and nothing would serve on the new terms, though no
    /// key was revoked for it. A binding that is new takes nothing away, also where it is more
    /// specific than another: so a plugin has somewhere to wait.
    fn left_alone(&self, ready: &Ready, known: &[Obstacle]) -> Vec<Obstacle> {
        let (terms, serving) = (&ready.terms, self.serving());
        let is_known = |plugin: &str| {
            let mut known = known.iter().filter_map(|it| terms.bindings.get(it.binding));
            known.any(|binding| binding.plugin == plugin)
        };
        let mut told = BTreeSet::new();
        let lacking = terms.bindings.iter().enumerate().filter_map(|(place, binding)| {
            let plugin = &binding.plugin;
            if ready.live.contains_key(plugin) || is_known(plugin) {
                return None;
            }
            let mut all = serving.all();
            let (now, _) = all.find(|(now, at)| now.ties_with(binding) && at.live.is_some())?;
            let is_revoked = now.plugin == *plugin && ready.untrusted.contains_key(plugin);
            if is_revoked || !told.insert(plugin) {
                return None;
            }
            let why = match self.is_bound(plugin) {
                true => self.why_not_live(plugin).reason(),
                false => WAITS.to_owned(),
            };
            let refusal = Refusal::Component(left_alone(binding, &now.plugin, &why));
            let part = Part::Plugin;
            Some(obstacle(
                terms,
                plugin,
                Unfit {
                    binding: Some(place),
                    part,
                    refusal,
                },
            ))
        });
        lacking.collect()
    }

    pub(crate) fn again(
        &self,
        terms: &Arc<Terms>,
        plugin: &str,
        component: &Digest,
    ) -> Result<Prepared, Unfit> {
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
    ) -> Result<Option<Reloaded>, ReloadError> {
        let mut held = self.hold();
        let lives = self.lives().clone();
        let live_by_now = |plugin: &str| lives.get(plugin).and_then(Life::live_component);
        for plugin in ready.terms.bindings.iter().map(|binding| &binding.plugin) {
            let untrusted = ready.untrusted.get(plugin).map(|it| it.component);
            let again = ready
                .live
                .get(plugin)
                .filter(|_| !ready.newcomers.contains(plugin));
            let live = again.map(|prepared| prepared.component).or(untrusted);
            let mode = ready.beside.get(plugin).map(|(mode, _)| *mode);
            let known = lives.get(plugin).and_then(|life| life.beside.as_ref());
            if live_by_now(plugin) != live || known.map(|known| known.mode) != mode {
                return Ok(None);
            }
            if ready.stood.get(plugin) != Some(&stands(lives.get(plugin))) {
                return Ok(None);
            }
            // one that is new here may have been taken out while it was checked
            let is_out = |it: &Prepared| self.is_not_out(plugin, &it.component).is_err();
            if ready.newcomers.contains(plugin) && ready.live.get(plugin).is_some_and(is_out) {
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
            let live = Step::Live {
                revisions: revisions.clone(),
                held: prepared.held,
            };
            let life = lives.get(plugin);
            let known = life.and_then(|life| life.live.as_ref());
            let standing = life.and_then(|life| life.standing(&prepared.component));
            if ready.newcomers.contains(plugin) {
                if life.and_then(|life| life.seen) != Some(prepared.component) {
                    let from = Origin::Folder;
                    act(plugin, prepared.component, BY_CONFIG, Step::Registered { from });
                }
                if Standing::is_open(standing) {
                    let version = prepared.version.clone();
                    act(plugin, prepared.component, BY_CONFIG, Step::Passed { version });
                }
                act(plugin, prepared.component, BY_CONFIG, live);
                continue;
            }
            // one that was not trusted for a while comes back by a step of its own
            let was_refused = matches!(standing, Some(Standing::Refused { .. }));
            let was_held = life.is_some_and(|life| life.hold.is_some());
            let is_another = known.is_some_and(|(_, known)| *known != revisions) || was_held != prepared.held;
            if was_refused || is_another {
                act(plugin, prepared.component, BY_CONFIG, live);
            }
        }
        let (mut out, mut withdrawn) = (BTreeMap::new(), BTreeMap::new());
        for (plugin, it) in &ready.untrusted {
            let is_known = matches!(
                lives.get(plugin).and_then(|life| life.standing(&it.component)),
                Some(Standing::Refused { reason: known }) if *known == it.reason
            );
            if !is_known {
                let reason = it.reason.clone();
                act(plugin, it.component, BY_HOST, Step::Refused { reason });
            }
            if it.serves {
                out.insert(plugin.clone(), (it.component, it.reason.clone()));
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
                    withdrawn.insert(plugin.clone(), (known.component, reason.clone()));
                    let reason = format!("it does not pass any more: {reason}");
                    (BY_HOST, Step::Withdrawn { reason })
                }
            };
            act(plugin, known.component, by, step);
        }
        let plugins: BTreeSet<String> = acts.iter().map(|act| act.plugin.clone()).collect();
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
        for plugin in &plugins {
            metrics::switched(plugin);
        }
        Ok(Some(Reloaded {
            plugins,
            held: self.all_held(),
            out,
            withdrawn,
        }))
    }

    /// Has the next look try again what was refused because no binding named it.
    fn forget_unbound(&self, newcomers: &BTreeSet<String>) {
        self.looks().retain(|plugin, _| {
            let serves = self.serves(plugin).is_some() && !newcomers.contains(plugin);
            !self.is_bound(plugin) || serves
        });
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

/// A component is not trusted, at a binding or as a whole.
fn distrusted(binding: Option<usize>, reason: String) -> Unfit {
    Unfit {
        binding,
        part: Part::Trust,
        refusal: Refusal::Component(reason),
    }
}

/// What keeps a binding from being served; one about none in particular is about the
/// plugin's first.
pub(crate) fn obstacle(terms: &Terms, plugin: &str, unfit: Unfit) -> Obstacle {
    let first = || terms.of(plugin).next().map(|(place, _)| place);
    Obstacle {
        binding: unfit.binding.or_else(first).unwrap_or_default(),
        part: unfit.part,
        reason: unfit.refusal.reason(),
        is_warning: false,
    }
}
