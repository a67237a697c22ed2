//! Revisions that are ready to be called.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use cambist_contract::digest::Digest;

use crate::registry::Pinned;

/// How many revisions stay ready besides those that serve. Messages pinned to an
/// older revision mostly finish within minutes of the switch, and an author who
/// tries things out makes a revision a minute; what is not ready any more is
/// loaded again from the archive.
const SPARE: usize = 16;

/// The revisions in memory, by their ids. Two bindings with the same revision have one
/// plugin here, whose calls share nothing: revisions that keep instances name their binding,
/// so no two bindings have the same.
#[derive(Default)]
pub(crate) struct Loaded(Mutex<HashMap<Digest, Pinned>>);

impl Loaded {
    pub(crate) fn get(&self, id: &Digest) -> Option<Pinned> {
        self.lock().get(id).cloned()
    }

    /// Keeps some more, and lets go of all that do not serve when they are too many.
    pub(crate) fn keep<'p>(
        &self,
        more: impl IntoIterator<Item = &'p Pinned>,
        serving: impl Fn() -> HashSet<Digest>,
    ) {
        let mut loaded = self.lock();
        let before = loaded.len();
        for pinned in more {
            loaded.insert(pinned.id, pinned.clone());
        }
        if loaded.len() > before && loaded.len() > SPARE {
            let serving = serving();
            if loaded.len() > serving.len() + SPARE {
                loaded.retain(|id, _| serving.contains(id));
            }
        }
    }

    /// Lets go of all but these.
    pub(crate) fn keep_only(&self, ids: &HashSet<Digest>) {
        self.lock().retain(|id, _| ids.contains(id));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Pinned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
