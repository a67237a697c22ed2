//! Revisions that are ready to be called.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use cambist_contract::digest::Digest;

use crate::registry::Pinned;

/// How many revisions stay ready besides the live ones. Messages pinned to an
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

    /// Keeps one more, and lets go of all that are not live when they are too many.
    pub(crate) fn keep(&self, pinned: Pinned, live: &HashSet<Digest>) {
        let mut loaded = self.lock();
        if loaded.len() >= live.len() + SPARE {
            loaded.retain(|id, _| live.contains(id));
        }
        loaded.insert(pinned.id, pinned);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Pinned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
