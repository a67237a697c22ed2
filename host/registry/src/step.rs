//! What every step of a plugin's life takes: whose turn it is, which component is meant,
//! and that it is written before it counts.

use std::sync::{MutexGuard, PoisonError};

use cambist_contract::{
    digest::Digest,
    rollout::{Act, Step},
};

use crate::{Registry, aside, error::RolloutError, examine::Refusal, life::Life, standing::Standing};

/// The turn to take a step: whoever has it is the only one who writes. It holds the place of
/// the last step that was written.
pub(crate) type Turn<'a> = MutexGuard<'a, u64>;

/// Who does what nobody asked for.
pub(crate) const BY_HOST: &str = "host";

/// Who makes another revision serve because the config has changed.
pub(crate) const BY_CONFIG: &str = "config";

impl Registry {
    /// The component whose digest begins with `wanted`, or the one that `or` picks.
    pub(crate) fn meant(
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

    /// Waits for the turn to take a step.
    pub(crate) fn hold(&self) -> Turn<'_> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a step down, and then counts it. It is the turn of whoever calls.
    pub(crate) fn write(
        &self,
        held: &mut Turn<'_>,
        plugin: &str,
        component: Digest,
        by: &str,
        step: Step,
    ) -> Result<(), Refusal> {
        let act = Act {
            plugin: plugin.to_owned(),
            component,
            by: by.to_owned(),
            step,
        };
        self.write_all(held, vec![act])
    }

    /// Writes down steps that are taken together, all or none, and then counts them. It is
    /// the turn of whoever calls.
    pub(crate) fn write_all(&self, held: &mut Turn<'_>, acts: Vec<Act>) -> Result<(), Refusal> {
        if acts.is_empty() {
            return Ok(());
        }
        let taken = self
            .ledger
            .write(acts)
            .map_err(|error| Refusal::Host(format!("the journal cannot take it down: {error}")))?;
        for step in &taken {
            **held = step.place;
            self.follow(step);
        }
        Ok(())
    }

    /// The bytes of a component that passed before, or why it cannot be had.
    pub(crate) fn kept(&self, plugin: &str, component: &Digest) -> Result<Vec<u8>, RolloutError> {
        self.archive
            .component(component)
            .map_err(|error| match self.standing(plugin, component) {
                // it never passed, so it was not kept; what was kept is checked again
                Some(Standing::Refused { reason }) => told(plugin, *component, Refusal::Component(reason)),
                _ => {
                    RolloutError::Trouble(format!("component {} cannot be read: {error}", component.short()))
                }
            })
    }

    /// That a component was not taken out.
    pub(crate) fn is_not_out(&self, plugin: &str, component: &Digest) -> Result<(), Refusal> {
        match self.standing(plugin, component) {
            Some(Standing::Killed { reason }) => {
                Err(Refusal::Component(aside::taken_out(plugin, component, &reason)))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn told(plugin: &str, component: Digest, refusal: Refusal) -> RolloutError {
    match refusal {
        Refusal::Component(reason) => RolloutError::Refused {
            plugin: plugin.to_owned(),
            component,
            reason,
        },
        Refusal::Host(reason) => RolloutError::Trouble(reason),
    }
}
