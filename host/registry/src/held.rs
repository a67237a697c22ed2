//! Holds: that a plugin serves older revisions whole, and so something else than the config
//! says; and which older revisions a person may mean.
//!
//! # What is not here
//!
//! Whether they may still serve, and that they do: `back.rs`.

use std::collections::BTreeMap;

use cambist_contract::{digest::Digest, revision::Revision, rollout::Act};
use jiff::Timestamp;

use crate::{
    Registry,
    examine::{Part, revision},
    life::Life,
    status::{HeldBinding, HeldStatus},
    terms::Terms,
};

/// What served at one time: a component, and the revision for each binding by its name.
pub(crate) type Lived = (Digest, BTreeMap<String, Digest>);

/// What was live, and the hold on it.
pub(crate) type Stood = (Option<Lived>, Option<Hold>);

/// What is live of a plugin, and the hold on it.
pub(crate) fn stands(life: Option<&Life>) -> Stood {
    life.map_or((None, None), |life| (life.live.clone(), life.hold.clone()))
}

/// That a plugin is held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Hold {
    /// Who went back.
    pub(crate) by: String,
    /// When.
    pub(crate) since: Timestamp,
    /// The component that was live before, and is again when the hold ends.
    before: Digest,
}

impl Hold {
    /// The hold that a step brings, where there was this one and this was live.
    pub(crate) fn of(
        known: Option<Self>,
        at: Timestamp,
        act: &Act,
        was: Option<&Lived>,
        lived: &Lived,
    ) -> Self {
        match known {
            // the same once more, such as after a time in which it did not pass
            Some(hold) if was == Some(lived) => hold,
            known => Self {
                by: act.by.clone(),
                since: at,
                before: known
                    .map(|hold| hold.before)
                    .or(was.map(|(component, _)| *component))
                    .unwrap_or(act.component),
            },
        }
    }
}

impl Life {
    /// What was live before the last change of any part. Where the live one was taken out, the last
    /// that is not of a component that was.
    pub(crate) fn before_whole(&self) -> Option<&Lived> {
        let (_, earlier) = self.history.split_last()?;
        let mut earlier = earlier.iter().rev();
        match &self.live {
            Some(_) => earlier.next(),
            None => earlier.find(|(component, _)| !self.is_out(component)),
        }
    }

    /// The revisions that were live and whose ids begin so, each with what it was live with last.
    pub(crate) fn with_revision(&self, wanted: &str) -> BTreeMap<Digest, &Lived> {
        let all = self.history.iter().flat_map(|lived| {
            let ids = lived.1.values();
            ids.map(move |id| (*id, lived))
        });
        all.filter(|(id, _)| id.to_string().starts_with(wanted)).collect()
    }

    /// The component that is live when the hold ends; none where there is no hold.
    pub(crate) fn after_hold(&self) -> Option<Digest> {
        let hold = self.hold.as_ref()?;
        match self.is_out(&hold.before) {
            true => self.live_component(),
            false => Some(hold.before),
        }
    }
}

impl Registry {
    /// The plugins that bindings name and that are held.
    pub(crate) fn all_held(&self) -> Vec<HeldStatus> {
        let lives = self.lives().clone();
        let bound = lives.iter().filter(|(plugin, _)| self.is_bound(plugin));
        bound
            .filter_map(|(plugin, life)| self.held(plugin, life))
            .collect()
    }

    /// What is told of a plugin's hold. Reads the archive.
    pub(crate) fn held(&self, plugin: &str, life: &Life) -> Option<HeldStatus> {
        let (hold, then) = (life.hold.as_ref()?, life.after_hold()?);
        let terms = &self.serving().terms;
        let (component, revisions) = life.live.as_ref()?;
        let bindings = revisions.iter().map(|(name, id)| HeldBinding {
            binding: name.clone(),
            revision: *id,
            differs: match self.archive.revision(id) {
                Ok(held) => terms.differing(plugin, name, then, &held),
                Err(_) => Vec::new(),
            },
        });
        Some(HeldStatus {
            plugin: plugin.to_owned(),
            component: *component,
            by: hold.by.clone(),
            since: hold.since,
            then,
            bindings: bindings.collect(),
            ends: format!("cambist plugin live {plugin}"),
        })
    }
}

impl Terms {
    /// In what a revision of a binding differs from the one that these terms make of a component.
    pub(crate) fn differing(
        &self,
        plugin: &str,
        name: &str,
        component: Digest,
        held: &Revision,
    ) -> Vec<Part> {
        let mut bindings = self.of(plugin).map(|(_, binding)| binding);
        let Some(binding) = bindings.find(|binding| binding.name() == name) else {
            return Vec::new();
        };
        let Ok(today) = revision(self, binding, component) else {
            return vec![Part::Tables];
        };
        let parts = [
            (Part::Component, held.component != today.component),
            (Part::Settings, held.settings != today.settings),
            (Part::Grants, held.grants != today.grants),
            (Part::Tables, held.tables != today.tables),
            (Part::Limits, held.limits != today.limits),
            (Part::Isolation, held.kept != today.kept),
        ];
        let differing = parts.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(part, _)| part).collect()
    }
}
