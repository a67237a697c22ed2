//! The steps of a plugin's life, taken: checked, written down, and then in effect.
//!
//! Compiling and cases come first and hold nobody up. A step itself is one entry in the
//! ledger and then one swap, and steps wait for each other; messages wait for none.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use cambist_contract::{
    digest::Digest,
    rollout::{Act, Origin, Step},
};
use jiff::Timestamp;

use crate::{
    Registry,
    error::RolloutError,
    examine::Refusal,
    life::{Life, Standing},
    metrics,
    prepare::Prepared,
};

/// Who does what nobody asked for.
pub(crate) const BY_HOST: &str = "host";

/// Who makes another revision live because the config has changed.
const BY_CONFIG: &str = "config";

/// A component that comes to be checked.
pub(crate) struct Coming<'a> {
    /// How it came; none when it was there before.
    pub(crate) origin: Option<Origin>,
    pub(crate) by: &'a str,
    /// Whether it goes live when it passes.
    pub(crate) goes_live: bool,
}

/// Whether going live puts back what was taken out: a person's step does, and no other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Revives {
    Yes,
    No,
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
        now: Timestamp,
    ) -> Result<Digest, RolloutError> {
        if !self.is_bound(plugin) {
            return Err(RolloutError::Unbound(plugin.to_owned()));
        }
        let component = Digest::of(bytes);
        let coming = Coming {
            origin: Some(Origin::Push),
            by,
            goes_live,
        };
        self.bring(plugin, bytes, coming, now)
            .map_err(|refusal| told(plugin, component, refusal))?;
        Ok(component)
    }

    /// Makes a component live that passed before: the one whose digest begins so, or the
    /// latest that waits. It is checked again, as the host and the config are today.
    ///
    /// # Errors
    ///
    /// There is no such component, or it does not pass.
    pub fn make_live(
        &self,
        plugin: &str,
        component: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<Digest, RolloutError> {
        let component = self.meant(plugin, component, "waits", Life::candidate)?;
        self.live_from_archive(plugin, component, by, now)
    }

    /// Makes the component live that was before the one that is.
    ///
    /// # Errors
    ///
    /// There was none, or it does not pass any more.
    pub fn go_back(&self, plugin: &str, by: &str, now: Timestamp) -> Result<Digest, RolloutError> {
        let component = self.meant(plugin, None, "was live before", Life::before)?;
        self.live_from_archive(plugin, component, by, now)
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
        now: Timestamp,
    ) -> Result<Digest, RolloutError> {
        let component = self.meant(plugin, component, "is live", Life::live_component)?;
        let step = Step::Killed {
            reason: reason.to_owned(),
        };
        {
            let held = self.hold();
            self.write(&held, plugin, component, by, step, now)
                .map_err(|refusal| told(plugin, component, refusal))?;
            self.take_out(plugin, &component);
        }
        tracing::warn!(
            plugin,
            component = component.short(),
            by,
            "a component was taken out"
        );
        Ok(component)
    }

    fn live_from_archive(
        &self,
        plugin: &str,
        component: Digest,
        by: &str,
        now: Timestamp,
    ) -> Result<Digest, RolloutError> {
        let refused = |refusal| told(plugin, component, refusal);
        let bytes =
            self.archive
                .component(&component)
                .map_err(|error| match self.standing(plugin, &component) {
                    // it never passed, so it was not kept; what was kept is checked again
                    Some(Standing::Refused { reason }) => refused(Refusal::Component(reason)),
                    _ => RolloutError::Trouble(format!(
                        "component {} cannot be read: {error}",
                        component.short()
                    )),
                })?;
        let prepared = self.prepare(plugin, &bytes).map_err(refused)?;
        self.go_live(plugin, prepared, by, Revives::Yes, now)
            .map_err(refused)?;
        Ok(component)
    }

    /// The component whose digest begins with `wanted`, or the one that `or` picks.
    fn meant(
        &self,
        plugin: &str,
        wanted: Option<&str>,
        what: &'static str,
        or: impl FnOnce(&Life) -> Option<Digest>,
    ) -> Result<Digest, RolloutError> {
        let lives = self.lives();
        let plugin = || plugin.to_owned();
        let life = lives
            .get(&plugin())
            .ok_or_else(|| RolloutError::NoPlugin(plugin()))?;
        let Some(wanted) = wanted else {
            return or(life).ok_or_else(|| RolloutError::None {
                plugin: plugin(),
                what,
            });
        };
        let mut known = life
            .components
            .keys()
            .filter(|it| it.to_string().starts_with(wanted));
        match (known.next(), known.next()) {
            (Some(component), None) => Ok(*component),
            (Some(_), Some(_)) => Err(RolloutError::Ambiguous {
                plugin: plugin(),
                wanted: wanted.to_owned(),
            }),
            (None, _) => Err(RolloutError::NoComponent {
                plugin: plugin(),
                wanted: wanted.to_owned(),
            }),
        }
    }

    /// Checks a component for all bindings of its plugin, and makes it live for all of
    /// them, if it is to be.
    pub(crate) fn bring(
        &self,
        plugin: &str,
        bytes: &[u8],
        coming: Coming<'_>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let component = Digest::of(bytes);
        let take = |step| self.write(&self.hold(), plugin, component, coming.by, step, now);
        if let Some(from) = coming.origin {
            take(Step::Registered { from })?;
        }
        let prepared = self
            .prepare(plugin, bytes)
            .map_err(|refusal| self.refuse(plugin, component, coming.by, refusal, now))?;
        if Standing::is_open(self.standing(plugin, &component).as_ref()) {
            take(Step::Passed {
                version: prepared.version.clone(),
            })?;
        }
        if coming.goes_live {
            return self.go_live(plugin, prepared, coming.by, Revives::No, now);
        }
        self.is_not_out(plugin, &component)
    }

    /// Writes down that a component does not pass, and why, unless it is known.
    fn refuse(&self, plugin: &str, component: Digest, by: &str, refusal: Refusal, now: Timestamp) -> Refusal {
        if let Refusal::Component(reason) = &refusal {
            let reason = reason.clone();
            let known = Standing::Refused {
                reason: reason.clone(),
            };
            if self.standing(plugin, &component) != Some(known) {
                let step = Step::Refused { reason };
                let written = self.write(&self.hold(), plugin, component, by, step, now);
                return written.err().unwrap_or(refusal);
            }
        }
        refusal
    }

    /// That a component was not taken out.
    fn is_not_out(&self, plugin: &str, component: &Digest) -> Result<(), Refusal> {
        match self.standing(plugin, component) {
            Some(Standing::Killed { reason }) => Err(Refusal::Component(format!(
                "it was taken out: {reason}; `cambist plugin live {plugin} {}` puts it back",
                component.short()
            ))),
            _ => Ok(()),
        }
    }

    /// Makes what the ledger has as live serve again, as the config is today.
    pub(crate) fn restore(&self, plugin: &str, now: Timestamp) -> Result<(), Refusal> {
        let component = self.lives().get(plugin).and_then(Life::live_component);
        let Some(component) = component.filter(|_| self.serves(plugin).is_none()) else {
            return Ok(());
        };
        let bytes = self.archive.component(&component).map_err(|error| {
            Refusal::Host(format!("component {} cannot be read: {error}", component.short()))
        })?;
        let prepared = self
            .prepare(plugin, &bytes)
            .map_err(|refusal| self.refuse(plugin, component, BY_HOST, refusal, now))?;
        self.go_live(plugin, prepared, BY_CONFIG, Revives::No, now)
    }

    /// One step: written, and then all bindings of the plugin are served by it. Where the
    /// ledger has it so already, nothing is written.
    fn go_live(
        &self,
        plugin: &str,
        prepared: Prepared,
        by: &str,
        revives: Revives,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let component = prepared.component;
        let revisions: BTreeMap<String, Digest> = prepared
            .revisions
            .iter()
            .filter_map(|(place, pinned)| {
                let binding = self.options.bindings.get(*place)?;
                Some((binding.name(), pinned.id))
            })
            .collect();
        let held = self.hold();
        // it may have been taken out while it was checked
        if revives == Revives::No {
            self.is_not_out(plugin, &component)?;
        }
        let known = self.lives().get(plugin).and_then(|life| life.live.clone());
        let is_same = known.as_ref().is_some_and(|(live, _)| *live == component);
        // one that was live and did not pass for a while comes back by a step of its own
        let was_refused = matches!(self.standing(plugin, &component), Some(Standing::Refused { .. }));
        if was_refused || known != Some((component, revisions.clone())) {
            let by = if is_same { BY_CONFIG } else { by };
            self.write(&held, plugin, component, by, Step::Live { revisions }, now)?;
        }
        self.switch(prepared.revisions);
        tracing::info!(plugin, component = component.short(), "plugin is live");
        metrics::switched(plugin);
        Ok(())
    }

    /// Waits for the turn to take a step.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a step down, and then counts it. It is the turn of whoever calls.
    pub(crate) fn write(
        &self,
        _held: &MutexGuard<'_, ()>,
        plugin: &str,
        component: Digest,
        by: &str,
        step: Step,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let act = Act {
            plugin: plugin.to_owned(),
            component,
            by: by.to_owned(),
            step,
        };
        self.ledger
            .write(now, act.clone())
            .map_err(|error| Refusal::Host(format!("the journal cannot take it down: {error}")))?;
        self.follow(now, &act);
        Ok(())
    }
}

fn told(plugin: &str, component: Digest, refusal: Refusal) -> RolloutError {
    match refusal {
        Refusal::Component(reason) => RolloutError::Refused {
            plugin: plugin.to_owned(),
            component,
            reason,
        },
        Refusal::Host(reason) => RolloutError::Trouble(reason),
    }
}
