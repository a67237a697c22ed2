//! Instances that are kept for another call: one bounded shelf for the whole host, on
//! which each loaded plugin finds its own and nobody else's.
//!
//! # Never across bindings
//!
//! A [`Keeper`] belongs to one loaded plugin and takes from the shelf only what it has put
//! there itself. A revision that keeps instances names its binding, so no plugin is loaded
//! for two. When the plugin goes, its instances go with it.
//!
//! # How many calls
//!
//! At most as many as the revision says, and each instance has a number of its own, drawn
//! from 2 up to that: a plugin that comes to rely on what it remembers fails soon and not
//! on the day the bound is reached. The draws follow from the host's seed and the
//! revision, so that a run can be repeated.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use cambist_contract::{digest::Digest, isolation::Kept};
use wasmtime::{Store, component::Instance};

use crate::guest::State;

/// Instances that wait for another call at once, of all plugins together. The pipeline
/// makes 16 calls at once by default, so a plugin or two that are busy find theirs, and
/// a quarter of the pool ([`MAX_CALLS`](crate::engine::MAX_CALLS)) is taken at most; one
/// more sends away the one that has waited longest. When the pool is full, all go before a
/// call is refused.
pub(crate) const MAX_KEPT: usize = 32;

/// The most linear memory of an instance that is kept, in bytes: 32 MiB, and for all that
/// wait together 1 GiB. CPython has 18 MiB, QuickJS 3. What has grown beyond is thrown away
/// after the call.
pub(crate) const MAX_KEPT_MEMORY: u64 = 32 << 20;

/// An instance that may serve another call.
pub(crate) struct Living {
    pub(crate) store: Store<State>,
    pub(crate) instance: Instance,
    /// How many more.
    pub(crate) left: u32,
}

/// All that wait, the one that came last at the end, each with the number of its owner.
#[derive(Default)]
pub(crate) struct Shelf {
    waiting: Mutex<VecDeque<(u64, Living)>>,
    owners: AtomicU64,
}

impl Shelf {
    /// Sends all away. Tells whether there was one.
    fn clear(&self) -> bool {
        // dropped when nobody waits for the lock
        let gone = std::mem::take(&mut *self.lock());
        !gone.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Living)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A loaded plugin's way to the shelf.
pub(crate) struct Keeper {
    shelf: Arc<Shelf>,
    owner: u64,
    /// The most calls of an instance; 1 where none is kept.
    calls: u32,
    draws: AtomicU64,
}

impl Keeper {
    /// For a plugin of this revision. `seed` is the host's.
    pub(crate) fn new(shelf: &Arc<Shelf>, kept: Option<&Kept>, revision: &Digest, seed: u64) -> Self {
        let mut part = [0; 8];
        part.copy_from_slice(revision.as_bytes().get(..8).unwrap_or(&[0; 8]));
        Self {
            shelf: Arc::clone(shelf),
            owner: shelf.owners.fetch_add(1, Ordering::Relaxed),
            calls: kept.map_or(1, |kept| kept.calls.get()),
            draws: AtomicU64::new(seed ^ u64::from_le_bytes(part)),
        }
    }

    /// How many calls the next fresh instance serves.
    pub(crate) fn draw(&self) -> u32 {
        let Some(choices) = self.calls.checked_sub(1).filter(|choices| *choices > 0) else {
            return 1;
        };
        let drawn = mixed(self.draws.fetch_add(STEP, Ordering::Relaxed)) % u64::from(choices);
        2 + u32::try_from(drawn).unwrap_or(0)
    }

    /// An instance that waits for this plugin's next call: the one that came last, whose
    /// memory is warm.
    pub(crate) fn take(&self) -> Option<Living> {
        if self.calls == 1 {
            return None;
        }
        let mut waiting = self.shelf.lock();
        let place = waiting.iter().rposition(|(owner, _)| *owner == self.owner)?;
        waiting.remove(place).map(|(_, living)| living)
    }

    /// Keeps an instance for another call, or throws it away.
    pub(crate) fn keep(&self, mut living: Living) {
        let state = living.store.data_mut();
        if living.left == 0 || state.limiter.memory() > MAX_KEPT_MEMORY {
            return;
        }
        state.rest();
        let mut waiting = self.shelf.lock();
        let longest = (waiting.len() >= MAX_KEPT).then(|| waiting.pop_front()).flatten();
        waiting.push_back((self.owner, living));
        drop(waiting);
        drop(longest);
    }

    /// Sends away all that wait, of whatever plugin, because the pool is full. Tells
    /// whether there was one.
    pub(crate) fn make_room(&self) -> bool {
        self.shelf.clear()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let mut waiting = self.shelf.lock();
        let all = std::mem::take(&mut *waiting);
        let (ours, others): (Vec<_>, _) = all.into_iter().partition(|(owner, _)| *owner == self.owner);
        *waiting = VecDeque::from(others);
        drop(waiting);
        drop(ours);
    }
}

/// What the state of SplitMix64 grows by with each draw.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// What SplitMix64 makes of its state: each bit of it depends on all of them.
fn mixed(state: u64) -> u64 {
    let mut bits = state.wrapping_add(STEP);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn draws(calls: Option<u32>, seed: u64) -> Vec<u32> {
        let kept = calls.and_then(|calls| calls.try_into().ok()).map(|calls| Kept {
            calls,
            binding: "read".to_owned(),
        });
        let keeper = Keeper::new(&Arc::default(), kept.as_ref(), &Digest::of(b"a revision"), seed);
        std::iter::repeat_with(|| keeper.draw()).take(500).collect()
    }

    #[test]
    fn draws_follow_from_the_seed_and_reach_from_two_to_the_bound() {
        assert_eq!(draws(Some(10), 7), draws(Some(10), 7));
        assert_ne!(draws(Some(10), 7), draws(Some(10), 8));
        let drawn: BTreeSet<u32> = draws(Some(10), 7).into_iter().collect();
        assert_eq!(drawn, (2..=10).collect());
        assert!(draws(Some(2), 7).iter().all(|calls| *calls == 2));
        assert!(draws(None, 7).iter().all(|calls| *calls == 1));
    }
}
