//! What a config means for a plugin that is held: for a reload, and for a check before.
//!
//! A config has to allow what the plugin is held on, and has to be good for what serves when
//! the hold ends: that may be at any time.
//!
//! # What is not here
//!
//! What a config allows of older revisions: `back.rs`.

use std::sync::Arc;

use crate::{
    Obstacle, Registry,
    examine::{Part, Refusal},
    life::Life,
    prepare::{Prepared, Unfit},
    reload::obstacle,
    status::HeldStatus,
    terms::Terms,
};

impl Registry {
    /// What is to be said of a plugin that is held: that it is, and what these terms do not allow
    /// of what serves.
    pub(crate) fn obstacles_of_hold(&self, terms: &Arc<Terms>, plugin: &str, life: &Life) -> Vec<Obstacle> {
        let (Some(held), Some(lived)) = (self.held(plugin, life), &life.live) else {
            return Vec::new();
        };
        let first = terms.of(plugin).next().map_or(0, |(place, _)| place);
        let mut found = vec![Obstacle {
            binding: first,
            part: Part::Plugin,
            reason: held.to_string(),
            is_warning: true,
        }];
        let unfit = self.as_it_was(terms, plugin, lived).err().unwrap_or_default();
        found.extend(unfit.into_iter().map(|unfit| Obstacle {
            binding: unfit.binding.unwrap_or(first),
            part: unfit.part,
            reason: of_held(&held, unfit.refusal.reason()),
            is_warning: false,
        }));
        found
    }

    /// What a plugin that is held serves, on other terms. What they do not allow of it is an
    /// obstacle; where they only do not trust it, it is the caller's to say what follows.
    pub(crate) fn held_again(
        &self,
        terms: &Arc<Terms>,
        plugin: &str,
        life: &Life,
        obstacles: &mut Vec<Obstacle>,
    ) -> Option<Result<Prepared, Unfit>> {
        let (lived, held) = (life.live.as_ref()?, self.held(plugin, life)?);
        let mut unfit = match self.as_it_was(terms, plugin, lived) {
            Ok(prepared) => return Some(Ok(prepared)),
            Err(unfit) => unfit,
        };
        if unfit.iter().all(|it| it.part == Part::Trust) {
            return unfit.pop().map(Err);
        }
        obstacles.extend(unfit.into_iter().map(|mut it| {
            it.refusal = Refusal::Component(of_held(&held, it.refusal.reason()));
            obstacle(terms, plugin, it)
        }));
        None
    }

    /// What keeps a config from being good for a plugin that is held, once the hold ends. Who is
    /// trusted then is asked then: no hold keeps a revocation waiting.
    pub(crate) fn obstacles_of_end(&self, terms: &Arc<Terms>, plugin: &str, life: &Life) -> Option<Obstacle> {
        let component = life.after_hold()?;
        let unfit = self.again(terms, plugin, &component).err()?;
        (unfit.part != Part::Trust).then(|| {
            let reason = format!(
                "{}, of component {}, which is live when the plugin is held no more",
                unfit.refusal.reason(),
                component.short()
            );
            let refusal = Refusal::Component(reason);
            obstacle(terms, plugin, Unfit { refusal, ..unfit })
        })
    }
}

/// What is said of what serves and is held, where the terms do not allow it.
fn of_held(held: &HeldStatus, reason: String) -> String {
    format!(
        "{reason}; {} went back to it whole, and `{}` ends that first, with what the config says now",
        held.by, held.ends
    )
}
