//! The steps of a plugin's life, taken: checked, written down, and then in effect.
//!
//! Whatever is slow (compiling, cases) comes first and holds nobody up; a step itself is
//! one entry in the ledger and one swap, under one lock.

use std::{collections::BTreeMap, sync::MutexGuard};

use cambist_contract::{
    digest::Digest,
    rollout::{Act, Origin, Step},
};
use jiff::Timestamp;

use crate::{
    Registry,
    error::RolloutError,
    examine::{Refusal, absent},
    life::{Life, Standing},
    metrics,
    prepare::Prepared,
    status::PluginStatus,
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
        if !self
            .options
            .bindings
            .iter()
            .any(|binding| binding.plugin == plugin)
        {
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
        self.settle(plugin, None, None, now);
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
            let mut lives = self.lives();
            self.write(&mut lives, plugin, component, by, step, now)
                .map_err(|refusal| told(plugin, component, refusal))?;
            self.take_out(plugin, &component);
        }
        tracing::warn!(
            plugin,
            component = component.short(),
            by,
            "a component was taken out"
        );
        self.settle(plugin, None, None, now);
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
        if let Some(Standing::Refused { reason }) = self.standing(plugin, &component) {
            return Err(refused(Refusal::Component(reason)));
        }
        let bytes = self.archive.component(&component).map_err(|error| {
            RolloutError::Trouble(format!("component {} cannot be read: {error}", component.short()))
        })?;
        let prepared = self.prepare(plugin, &bytes).map_err(refused)?;
        self.go_live(plugin, prepared, by, now).map_err(refused)?;
        self.settle(plugin, None, None, now);
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

    fn standing(&self, plugin: &str, component: &Digest) -> Option<Standing> {
        self.lives().get(plugin)?.standing(component).cloned()
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
        let take = |step| self.write(&mut self.lives(), plugin, component, coming.by, step, now);
        if let Some(from) = coming.origin {
            take(Step::Registered { from })?;
        }
        let prepared = match self.prepare(plugin, bytes) {
            Ok(prepared) => prepared,
            Err(Refusal::Component(reason)) => {
                let known = Some(Standing::Refused {
                    reason: reason.clone(),
                });
                if self.standing(plugin, &component) != known {
                    take(Step::Refused {
                        reason: reason.clone(),
                    })?;
                }
                return Err(Refusal::Component(reason));
            }
            Err(trouble) => return Err(trouble),
        };
        let standing = self.standing(plugin, &component);
        let is_open = matches!(
            standing,
            None | Some(Standing::Checking | Standing::Refused { .. })
        );
        if is_open {
            take(Step::Passed {
                version: prepared.version.clone(),
            })?;
        }
        match standing {
            Some(Standing::Killed { reason }) => Err(Refusal::Component(format!(
                "it was taken out: {reason}; `cambist plugin live {plugin} {}` puts it back",
                component.short()
            ))),
            _ if coming.goes_live => self.go_live(plugin, prepared, coming.by, now),
            _ => Ok(()),
        }
    }

    /// Makes what the ledger has as live serve again, as the config is today.
    pub(crate) fn restore(&self, plugin: &str, now: Timestamp) -> Result<(), Refusal> {
        let component = self.lives().get(plugin).and_then(Life::live_component);
        let Some(component) = component.filter(|_| !self.is_live(plugin)) else {
            return Ok(());
        };
        let bytes = self.archive.component(&component).map_err(|error| {
            Refusal::Host(format!("component {} cannot be read: {error}", component.short()))
        })?;
        let prepared = self.prepare(plugin, &bytes)?;
        self.go_live(plugin, prepared, BY_CONFIG, now)
    }

    /// One step: written, and then all bindings of the plugin are served by it. Where the
    /// ledger has it so already, nothing is written.
    fn go_live(&self, plugin: &str, prepared: Prepared, by: &str, now: Timestamp) -> Result<(), Refusal> {
        let component = prepared.component;
        let revisions: BTreeMap<String, Digest> = prepared
            .revisions
            .iter()
            .filter_map(|(place, pinned)| {
                let binding = self.options.bindings.get(*place)?;
                Some((binding.name(), pinned.id))
            })
            .collect();
        let mut lives = self.lives();
        let known = lives.get(plugin).and_then(|life| life.live.as_ref());
        if known != Some(&(component, revisions.clone())) {
            let is_same = known.is_some_and(|(live, _)| *live == component);
            let by = if is_same { BY_CONFIG } else { by };
            self.write(&mut lives, plugin, component, by, Step::Live { revisions }, now)?;
        }
        self.switch(prepared.revisions);
        drop(lives);
        let mut statuses = self.statuses();
        let status = statuses
            .entry(plugin.to_owned())
            .or_insert_with(|| PluginStatus::new(plugin, now));
        status.live = Some(component);
        status.version = prepared.version;
        tracing::info!(plugin, component = component.short(), "plugin is live");
        metrics::switched(plugin);
        Ok(())
    }

    /// Writes a step down, and then counts it. Whoever holds the lives' lock does.
    pub(crate) fn write(
        &self,
        lives: &mut MutexGuard<'_, BTreeMap<String, Life>>,
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
        lives.entry(plugin.to_owned()).or_default().follow(now, &act);
        Ok(())
    }

    /// Takes down what a look or a step came to.
    ///
    /// `seen` is the component that was looked at in the folder, or none where it is not
    /// about the folder.
    pub(crate) fn settle(
        &self,
        plugin: &str,
        seen: Option<Digest>,
        outcome: Option<Refusal>,
        now: Timestamp,
    ) -> PluginStatus {
        let (live, waits) = {
            let lives = self.lives();
            let life = lives.get(plugin);
            (
                life.and_then(Life::live_component),
                life.and_then(Life::candidate),
            )
        };
        let mut statuses = self.statuses();
        let status = statuses
            .entry(plugin.to_owned())
            .or_insert_with(|| PluginStatus::new(plugin, now));
        status.at = now;
        status.waits = waits;
        if live.is_none() {
            status.live = None;
            status.version = None;
        }
        if seen.is_some() || outcome.is_some() {
            status.seen = seen;
        }
        match outcome {
            // what is not about the folder leaves what is known of the folder's file
            None if seen.is_none() => {}
            None => status.refused = None,
            Some(refusal) => {
                let reason = match refusal {
                    Refusal::Component(reason) => reason,
                    Refusal::Host(reason) => {
                        // nothing is known about the component: the next look tries again
                        status.seen = None;
                        reason
                    }
                };
                let component = seen.map(|digest| digest.short());
                tracing::error!(
                    plugin,
                    component,
                    reason,
                    "plugin refused, the last good one stays"
                );
                metrics::refused(plugin);
                status.refused = Some(reason);
            }
        }
        let mut told = status.clone();
        drop(statuses);
        self.explain(&mut told);
        told
    }

    /// Says why nothing is live, where nothing was refused.
    pub(crate) fn explain(&self, status: &mut PluginStatus) {
        if status.live.is_none() && status.refused.is_none() {
            let why = self.why_not_live(&status.plugin);
            status.refused = Some(why.unwrap_or_else(|| absent(&status.plugin)));
        }
    }

    /// Why nothing of a plugin is live that passed or was live.
    pub(crate) fn why_not_live(&self, plugin: &str) -> Option<String> {
        let lives = self.lives();
        let life = lives.get(plugin)?;
        if let Some(component) = life.candidate() {
            let component = component.short();
            return Some(format!(
                "component {component} passed and waits; `cambist plugin live {plugin} {component}` makes it live"
            ));
        }
        match life.standing(&life.last_live()?)? {
            Standing::Killed { reason } => Some(format!(
                "its live component was taken out: {reason}; `cambist plugin back {plugin}` makes the one before live, \
                 `cambist plugin status {plugin}` lists all"
            )),
            _ => None,
        }
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
