//! What stands beside the live revision: a shadow, which is called and compared, or one that
//! serves a share of the keys.

use std::sync::Arc;

use cambist_contract::{digest::Digest, rollout::Step, share::Share};

use crate::{
    Registry,
    error::RolloutError,
    examine::Refusal,
    life::{Life, Mode},
    metrics,
    prepare::Prepared,
    serving::Beside,
    step::{BY_CONFIG, BY_HOST, Turn, told},
    trial::Trial,
};

impl Registry {
    /// Puts a component beside the live one that passed before, as its shadow: the one whose
    /// digest begins so, or the latest that waits. It is checked again, as the host and the
    /// config are today, and takes the place of what stood beside.
    ///
    /// # Errors
    ///
    /// There is no such component, it does not pass or is live itself, or nothing is live.
    pub fn shadow_live(
        &self,
        plugin: &str,
        component: Option<&str>,
        by: &str,
    ) -> Result<Digest, RolloutError> {
        self.put_beside(plugin, component, by, Mode::Shadow)
    }

    /// Lets a component serve a share of the keys that passed before, as
    /// [`shadow_live`](Self::shadow_live) does.
    ///
    /// # Errors
    ///
    /// As there; or there is no such share.
    pub fn share(
        &self,
        plugin: &str,
        component: Option<&str>,
        share: Share,
        by: &str,
    ) -> Result<Digest, RolloutError> {
        if !share.is_sound() {
            return Err(RolloutError::NoShare);
        }
        self.put_beside(plugin, component, by, Mode::Share(share))
    }

    /// Takes what stands beside the live one away. Messages that are pinned to it finish on it.
    ///
    /// # Errors
    ///
    /// Nothing stands beside.
    pub fn withdraw(&self, plugin: &str, by: &str, reason: &str) -> Result<Digest, RolloutError> {
        let component = self.meant(plugin, None, "stands beside the live one", Life::beside_component)?;
        self.take_away(plugin, component, by, reason)
            .map_err(|refusal| told(plugin, component, refusal))?;
        Ok(component)
    }

    /// The component whose digest begins so, or the one that stands beside the live one: of
    /// which is asked how it compares.
    ///
    /// # Errors
    ///
    /// There is no such component, or nothing stands beside.
    pub fn compared(&self, plugin: &str, component: Option<&str>) -> Result<Digest, RolloutError> {
        self.meant(
            plugin,
            component,
            "stands beside the live one",
            Life::beside_component,
        )
    }

    /// Ends a trial that goes too badly.
    pub(crate) fn end(&self, trial: &Trial, why: &str) {
        let (plugin, component) = (&trial.plugin, trial.component);
        tracing::error!(
            plugin,
            component = component.short(),
            why,
            "its share goes back to the live component"
        );
        metrics::withdrawn(plugin);
        if let Err(refusal) = self.take_away(plugin, component, BY_HOST, why) {
            // what cannot be written does not count, and the next that breaks is told of again
            trial.go_on();
            tracing::error!(plugin, error = refusal.reason(), "it stays, for now");
        }
    }

    fn take_away(&self, plugin: &str, component: Digest, by: &str, reason: &str) -> Result<(), Refusal> {
        let mut held = self.hold();
        // another may stand there by now
        if self.lives().get(plugin).and_then(Life::beside_component) != Some(component) {
            return Ok(());
        }
        let step = Step::Withdrawn {
            reason: reason.to_owned(),
        };
        self.write(&mut held, plugin, component, by, step)?;
        let without = self.serving().with(|_, place| {
            place
                .beside
                .take_if(|beside| beside.pinned.revision.plugin == plugin);
        });
        self.switch(&held, without);
        Ok(())
    }

    fn put_beside(
        &self,
        plugin: &str,
        component: Option<&str>,
        by: &str,
        mode: Mode,
    ) -> Result<Digest, RolloutError> {
        let component = self.meant(plugin, component, "waits", Life::next)?;
        match self.lives().get(plugin).and_then(Life::live_component) {
            None => return Err(RolloutError::NothingLive(plugin.to_owned())),
            Some(live) if live == component => {
                return Err(RolloutError::IsLive {
                    plugin: plugin.to_owned(),
                    component,
                });
            }
            Some(_) => {}
        }
        let refused = |refusal| told(plugin, component, refusal);
        let bytes = self.kept(plugin, &component)?;
        let prepared = self.prepare(plugin, &bytes).map_err(refused)?;
        self.go_beside(plugin, prepared, by, mode).map_err(refused)?;
        Ok(component)
    }

    /// Has a component that came in become the shadow by itself: something else is live, it does not
    /// stand there already, and no other serves a share of the keys. That is a person's word, and a
    /// file does not end it. Else it waits.
    pub(crate) fn shadow_itself(&self, plugin: &str, prepared: Prepared, by: &str) -> Result<(), Refusal> {
        let mut held = self.hold();
        let component = prepared.component;
        let (live, beside) = {
            let lives = self.lives();
            let life = lives.get(plugin);
            let beside = life.and_then(|life| life.beside.as_ref());
            (
                life.and_then(Life::live_component),
                beside.map(|beside| (beside.component, beside.mode)),
            )
        };
        let is_free = match beside {
            Some((beside, Mode::Shadow)) => beside != component,
            Some((_, Mode::Share(_))) => false,
            None => true,
        };
        if is_free && live.is_some_and(|live| live != component) {
            return self.stand_beside(&mut held, plugin, prepared, by, Mode::Shadow);
        }
        if let Some((beside, Mode::Share(_))) = beside
            && beside != component
        {
            tracing::info!(
                plugin,
                component = component.short(),
                beside = beside.short(),
                "it waits, because another serves a share of the keys"
            );
        }
        self.is_not_out(plugin, &component)
    }

    /// One step: written, and then it stands beside the live one at all its plugin's bindings.
    /// Where the ledger has it so already, nothing is written.
    pub(crate) fn go_beside(
        &self,
        plugin: &str,
        prepared: Prepared,
        by: &str,
        mode: Mode,
    ) -> Result<(), Refusal> {
        self.stand_beside(&mut self.hold(), plugin, prepared, by, mode)
    }

    /// The same for what stood there before, unless somebody has decided otherwise while it
    /// was checked.
    fn back_beside(&self, plugin: &str, prepared: Prepared, mode: Mode) -> Result<(), Refusal> {
        let mut held = self.hold();
        let stands = self.lives().get(plugin).and_then(|life| {
            let beside = life.beside.as_ref()?;
            Some((beside.component, beside.mode))
        });
        if stands != Some((prepared.component, mode)) {
            return Ok(());
        }
        self.stand_beside(&mut held, plugin, prepared, BY_CONFIG, mode)
    }

    fn stand_beside(
        &self,
        held: &mut Turn<'_>,
        plugin: &str,
        prepared: Prepared,
        by: &str,
        mode: Mode,
    ) -> Result<(), Refusal> {
        let component = prepared.component;
        self.is_on_terms(&prepared)?;
        self.is_not_out(plugin, &component)?;
        let known = self.lives().get(plugin).and_then(|life| life.beside.clone());
        let revisions = prepared.named();
        let is_known =
            known.is_some_and(|it| it.component == component && it.mode == mode && it.revisions == revisions);
        if !is_known {
            self.write(held, plugin, component, by, mode.step(revisions))?;
        }
        let trial = Arc::new(Trial::new(plugin, component, mode.share()));
        let next = self.serving().with(|number, place| {
            if let Some(pinned) = prepared.revisions.get(&number) {
                place.beside = Some(Beside {
                    pinned: pinned.clone(),
                    mode,
                    trial: Arc::clone(&trial),
                });
            }
        });
        self.switch(held, next);
        tracing::info!(
            plugin,
            component = component.short(),
            ?mode,
            "a component stands beside"
        );
        Ok(())
    }

    /// Puts back beside the live ones what the ledger has there: after a start. What does not
    /// pass any more is withdrawn.
    pub(crate) fn restore_beside(&self) {
        let lacking: Vec<_> = {
            let (lives, serving) = (self.lives(), self.serving());
            let beside = lives
                .iter()
                .filter_map(|(plugin, life)| life.beside.clone().map(|beside| (plugin.clone(), beside)));
            let stands = |plugin: &str| {
                let mut all = serving.all();
                all.any(|(binding, place)| binding.plugin == plugin && place.beside.is_some())
            };
            beside.filter(|(plugin, _)| !stands(plugin)).collect()
        };
        for (plugin, beside) in lacking {
            let component = beside.component;
            let bytes = self.kept(&plugin, &component);
            let prepared = match bytes {
                Ok(bytes) => self.prepare(&plugin, &bytes),
                Err(error) => Err(Refusal::Host(error.to_string())),
            };
            let outcome = match prepared {
                Ok(prepared) => self.back_beside(&plugin, prepared, beside.mode),
                Err(Refusal::Component(reason)) => {
                    let reason = format!("it does not pass any more: {reason}");
                    self.take_away(&plugin, component, BY_HOST, &reason)
                }
                Err(trouble) => Err(trouble),
            };
            if let Err(refusal) = outcome {
                let reason = refusal.reason();
                tracing::error!(
                    plugin,
                    reason,
                    "what stood beside the live one cannot be had back yet"
                );
            }
        }
    }
}
