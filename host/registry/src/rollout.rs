//! The steps of a plugin's life, taken: checked, written down, and then in effect.
//!
//! Compiling and cases come first and hold nobody up. A step itself is one entry in the
//! ledger and then one swap, and steps wait for each other; messages wait for none.

use std::sync::Arc;

use cambist_contract::{
    digest::Digest,
    rollout::{Origin, Step},
};

use crate::{
    Pinned, Registry, back,
    error::RolloutError,
    examine::Refusal,
    held::stands,
    life::Life,
    metrics,
    prepare::{Prepared, Unfit},
    standing::Standing,
    step::{BY_CONFIG, BY_HOST, Turn, told},
};

/// A component that comes to be checked.
pub(crate) struct Coming<'a> {
    /// How it came; none when it was there before.
    pub(crate) origin: Option<Origin>,
    pub(crate) by: &'a str,
    pub(crate) goes: Goes,
    /// How many [kills](Life::kills) there were when it came.
    pub(crate) kills: u64,
}

/// Where a component goes that passes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Goes {
    /// It is live.
    Live,
    /// It stands beside the live one, which sees no difference; without a live one it waits.
    Shadow,
    /// It waits.
    Nowhere,
}

/// Why a component goes live, and so what may have been decided otherwise while it was
/// checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cause {
    /// A person names it, also one that was taken out.
    Named,
    /// It came in, and was not taken out; nor was the live one since there were so many kills.
    /// A file does not end a hold.
    Came { kills: u64, is_file: bool },
    /// A person went back to what it was, which was not taken out.
    AsItWas,
    /// It is live by the ledger, and still is, held or not.
    Restored { held: bool },
}

impl Registry {
    /// Takes in a component that somebody sends, and checks it. It goes live when it
    /// passes and `goes_live`; else it waits.
    ///
    /// # Errors
    ///
    /// No binding names the plugin, or it does not pass, or was taken out before; or the
    /// host cannot find out.
    pub fn push(
        &self,
        plugin: &str,
        bytes: &[u8],
        by: &str,
        goes_live: bool,
    ) -> Result<Digest, RolloutError> {
        if !self.is_bound(plugin) {
            return Err(RolloutError::Unbound(plugin.to_owned()));
        }
        let component = Digest::of(bytes);
        let coming = Coming {
            origin: Some(Origin::Push),
            by,
            goes: if goes_live { Goes::Live } else { Goes::Nowhere },
            kills: self.kills(plugin),
        };
        self.bring(plugin, bytes, coming)
            .map_err(|refusal| told(plugin, component, refusal))?;
        Ok(component)
    }

    /// Makes a component live that passed before: the one whose digest begins so, or the
    /// latest that waits or stands beside the live one. Where the plugin is held, left out, it is the one from before
    /// that. It is checked again, as the host and the config are today, and ends the hold.
    ///
    /// # Errors
    ///
    /// There is no such component, or it does not pass.
    pub fn make_live(&self, plugin: &str, component: Option<&str>, by: &str) -> Result<Digest, RolloutError> {
        let component = self.meant(plugin, component, "waits or stands beside", |life| {
            life.after_hold().or_else(|| life.next())
        })?;
        self.live_from_archive(plugin, component, by)
    }

    /// Makes the component live that was before the one that is, on today's settings. It ends a hold.
    ///
    /// # Errors
    ///
    /// There was none, or it does not pass any more.
    pub fn go_back(&self, plugin: &str, by: &str) -> Result<Digest, RolloutError> {
        let component = self.meant(plugin, None, "was live before", Life::before)?;
        self.live_from_archive(plugin, component, by)
    }

    /// Takes a component out at once: the one whose digest begins so, or the live one.
    /// Calls under way end by themselves, within their limits; no other begins. Nothing
    /// takes its place.
    ///
    /// # Errors
    ///
    /// There is no such component.
    pub fn kill(
        &self,
        plugin: &str,
        component: Option<&str>,
        by: &str,
        reason: &str,
    ) -> Result<Digest, RolloutError> {
        let component = self.meant(plugin, component, "is live", Life::live_component)?;
        let step = Step::Killed {
            reason: reason.to_owned(),
        };
        {
            let mut held = self.hold();
            self.write(&mut held, plugin, component, by, step)
                .map_err(|refusal| told(plugin, component, refusal))?;
            let is_out =
                |pinned: &Pinned| pinned.revision.plugin == plugin && pinned.revision.component == component;
            let without = self.serving().with(|_, place| {
                place.live.take_if(|live| is_out(live));
                place.beside.take_if(|beside| is_out(&beside.pinned));
            });
            self.switch(&held, without);
        }
        tracing::warn!(
            plugin,
            component = component.short(),
            by,
            "a component was taken out"
        );
        Ok(component)
    }

    fn live_from_archive(&self, plugin: &str, component: Digest, by: &str) -> Result<Digest, RolloutError> {
        let refused = |refusal| told(plugin, component, refusal);
        let bytes = self.kept(plugin, &component)?;
        let prepared = self.prepare(plugin, &bytes).map_err(refused)?;
        self.go_live(plugin, prepared, by, Cause::Named)
            .map_err(refused)?;
        Ok(component)
    }

    /// Checks a component for all bindings of its plugin, and makes it live for all of
    /// them, if it is to be.
    pub(crate) fn bring(&self, plugin: &str, bytes: &[u8], coming: Coming<'_>) -> Result<(), Refusal> {
        let component = Digest::of(bytes);
        let take = |step| self.write(&mut self.hold(), plugin, component, coming.by, step);
        if let Some(from) = coming.origin {
            take(Step::Registered { from })?;
        }
        let prepared = self
            .prepare(plugin, bytes)
            .map_err(|refusal| self.refuse(plugin, component, coming.by, refusal))?;
        if Standing::is_open(self.standing(plugin, &component).as_ref()) {
            take(Step::Passed {
                version: prepared.version.clone(),
            })?;
        }
        match coming.goes {
            Goes::Live => {
                let cause = Cause::Came {
                    kills: coming.kills,
                    is_file: coming.origin != Some(Origin::Push),
                };
                self.go_live(plugin, prepared, coming.by, cause)
            }
            Goes::Shadow => self.shadow_itself(plugin, prepared, coming.by),
            Goes::Nowhere => self.is_not_out(plugin, &component),
        }
    }

    /// Writes down that a component does not pass, and why, unless it is known.
    fn refuse(&self, plugin: &str, component: Digest, by: &str, refusal: Refusal) -> Refusal {
        if let Refusal::Component(reason) = &refusal {
            let reason = reason.clone();
            let known = Standing::Refused {
                reason: reason.clone(),
            };
            if self.standing(plugin, &component) != Some(known) {
                let step = Step::Refused { reason };
                let written = self.write(&mut self.hold(), plugin, component, by, step);
                return written.err().unwrap_or(refusal);
            }
        }
        refusal
    }

    /// Makes what the ledger has as live serve again, as the config is today; or, where it is held,
    /// as it was.
    pub(crate) fn restore(&self, plugin: &str) -> Result<(), Refusal> {
        if self.serves(plugin).is_some() {
            return Ok(());
        }
        let (live, hold) = stands(self.lives().get(plugin));
        let Some(lived) = live else { return Ok(()) };
        let component = lived.0;
        if hold.is_some() {
            let prepared = self
                .as_it_was(&self.serving().terms, plugin, &lived)
                .map_err(|all| self.refuse(plugin, component, BY_HOST, not_held(plugin, all)))?;
            return self.go_live(plugin, prepared, BY_CONFIG, Cause::Restored { held: true });
        }
        let bytes = self.archive.component(&component).map_err(|error| {
            Refusal::Host(format!("component {} cannot be read: {error}", component.short()))
        })?;
        let prepared = self
            .prepare(plugin, &bytes)
            .map_err(|refusal| self.refuse(plugin, component, BY_HOST, refusal))?;
        self.go_live(plugin, prepared, BY_CONFIG, Cause::Restored { held: false })
    }

    /// One step: written, and then all bindings of the plugin are served by it. Where the
    /// ledger has it so already, nothing is written.
    pub(crate) fn go_live(
        &self,
        plugin: &str,
        prepared: Prepared,
        by: &str,
        cause: Cause,
    ) -> Result<(), Refusal> {
        let component = prepared.component;
        let mut held = self.hold();
        self.is_on_terms(&prepared)?;
        if cause != Cause::Named {
            self.is_not_out(plugin, &component)?;
        }
        let (known, hold) = stands(self.lives().get(plugin));
        let revisions = prepared.named();
        let is_same = known.as_ref().is_some_and(|(live, _)| *live == component);
        if let Cause::Restored { held } = cause
            && (!is_same || held != hold.is_some())
        {
            return Ok(());
        }
        if let Cause::Came { kills, is_file } = cause {
            if !is_same && kills != self.kills(plugin) {
                return Err(self.hold_back(&mut held, plugin, component));
            }
            if let Some(hold) = hold.as_ref().filter(|_| is_file) {
                let why = format!("{} went back whole, and no file ends that", hold.by);
                return Err(self.has_to_wait(&mut held, plugin, component, why));
            }
        }
        let is_beside = self.lives().get(plugin).and_then(Life::beside_component) == Some(component);
        // one that was live and did not pass for a while comes back by a step of its own
        let was_refused = matches!(self.standing(plugin, &component), Some(Standing::Refused { .. }));
        let is_another = known != Some((component, revisions.clone())) || hold.is_some() != prepared.held;
        if is_beside || was_refused || is_another {
            // only a hold is somebody's word on the same component
            let is_word = hold.is_some() || cause == Cause::AsItWas;
            let by = if is_same && !is_word { BY_CONFIG } else { by };
            let step = Step::Live {
                revisions,
                held: prepared.held,
            };
            self.write(&mut held, plugin, component, by, step)?;
        }
        let next = self.serving().with(|number, place| {
            if let Some(pinned) = prepared.revisions.get(&number) {
                place.live = Some(pinned.clone());
                place.beside.take_if(|_| is_beside);
            }
        });
        self.switch(&held, next);
        match prepared.held {
            true => tracing::warn!(
                plugin,
                component = component.short(),
                by,
                "plugin is held: it serves older revisions, and not what the config says"
            ),
            false => tracing::info!(plugin, component = component.short(), "plugin is live"),
        }
        metrics::switched(plugin);
        Ok(())
    }

    /// Has a component that passed wait for a person, because the live one was taken out while it
    /// was checked: nothing takes that one's place by itself.
    fn hold_back(&self, held: &mut Turn<'_>, plugin: &str, component: Digest) -> Refusal {
        let last = {
            let lives = self.lives();
            let life = lives.get(plugin);
            life.and_then(|life| Some((life.last_live()?, life.standing(&life.last_live()?)?.clone())))
        };
        let why = match last {
            Some((last, Standing::Killed { reason })) => {
                format!(
                    "component {} was taken out while it was checked: {reason}",
                    last.short()
                )
            }
            _ => "the live component was taken out while it was checked".to_owned(),
        };
        self.has_to_wait(held, plugin, component, why)
    }

    /// Has a component that passed wait for a person, and says why.
    fn has_to_wait(&self, held: &mut Turn<'_>, plugin: &str, component: Digest, why: String) -> Refusal {
        let is_beside = self.lives().get(plugin).and_then(Life::beside_component) == Some(component);
        if !is_beside {
            let reason = why.clone();
            if let Err(trouble) = self.write(held, plugin, component, BY_HOST, Step::Withdrawn { reason }) {
                return trouble;
            }
        }
        Refusal::Component(format!(
            "{why}; it passed and waits, and `cambist plugin live {plugin} {}` makes it live",
            component.short()
        ))
    }

    /// How often a live component of a plugin was taken out.
    pub(crate) fn kills(&self, plugin: &str) -> u64 {
        self.lives().get(plugin).map_or(0, |life| life.kills)
    }

    /// That it was checked on the terms that hold now: the config may have been changed
    /// meanwhile.
    pub(crate) fn is_on_terms(&self, prepared: &Prepared) -> Result<(), Refusal> {
        if Arc::ptr_eq(&prepared.terms, &self.serving().terms) {
            return Ok(());
        }
        let text = "the config was reloaded while it was checked".to_owned();
        Err(Refusal::Host(text))
    }
}

/// Why what was held does not serve any more, with the way out.
fn not_held(plugin: &str, all: Vec<Unfit>) -> Refusal {
    match back::together(all) {
        Refusal::Component(reason) => Refusal::Component(format!(
            "somebody went back to it whole, and the config does not allow it any more: {reason}; `cambist plugin live \
             {plugin}` makes live what the config says"
        )),
        trouble => trouble,
    }
}
