//! How much is asked of a system at once, and how often: never more than the config says, and less when the system shows that
//! it is too much.
//!
//! Additive increase, multiplicative decrease, as networks do it: half as many after a sign of strain, one more after a while
//! without. The numbers are worked out from what they are told, time included; only [`Pace`] waits.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long nothing grows after a sign of strain: HubSpot counts by windows of 10 s, and Odoo's own tries of a lost race have
/// mostly ended by then.
const CALM: Duration = Duration::from_secs(10);

/// Turns that must end well for each that may be there at once, before there may be one more.
const WELL: u32 = 8;

/// How many there may be at once, between one and the config's cap.
#[derive(Debug)]
pub struct Limit {
    cap: u32,
    now: u32,
    /// When it was last changed; a sign from what began before says nothing of the new number.
    changed: Option<Instant>,
    /// Until when it does not grow.
    calm: Option<Instant>,
    well: u32,
}

impl Limit {
    /// As many as may be.
    pub fn new(cap: NonZeroU32) -> Self {
        Self {
            cap: cap.get(),
            now: cap.get(),
            changed: None,
            calm: None,
            well: 0,
        }
    }

    /// The number now.
    pub fn get(&self) -> u32 {
        self.now
    }

    /// Something that began at `begun` ended with a sign of strain, or well. True if the number is another one now.
    pub fn told(&mut self, strain: bool, begun: Instant, now: Instant) -> bool {
        if self.changed.is_some_and(|changed| begun < changed) {
            return false;
        }
        let before = self.now;
        if strain {
            self.now = (self.now / 2).max(1);
            self.calm = Some(now + CALM);
        } else {
            self.well += 1;
            let due = self.well >= WELL * self.now && self.calm.is_none_or(|calm| now >= calm);
            if !due || self.now == self.cap {
                return false;
            }
            self.now += 1;
        }
        self.well = 0;
        if self.now != before {
            self.changed = Some(now);
        }
        self.now != before
    }
}

/// How many calls go out in a second, at even distances.
#[derive(Debug)]
pub struct Rate {
    limit: Limit,
    next: Option<Instant>,
}

impl Rate {
    /// So many in a second at most.
    pub fn new(cap: NonZeroU32) -> Self {
        Self {
            limit: Limit::new(cap),
            next: None,
        }
    }

    /// Takes the next turn; it is after so long.
    pub fn turn(&mut self, now: Instant) -> Duration {
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = Some(at + Duration::from_secs(1) / self.limit.get());
        at.duration_since(now)
    }

    /// The same as of [`Limit::told`].
    pub fn told(&mut self, strain: bool, begun: Instant, now: Instant) {
        self.limit.told(strain, begun, now);
    }
}

/// Lets so many in at once as the limit says, in the order they came.
#[derive(Clone, Debug)]
pub struct Pace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    turns: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: Limit,
    /// Turns that are to end without making room.
    debt: u32,
}

/// The right to be at work; it ends when dropped.
#[derive(Debug)]
pub struct Permit {
    turn: Option<OwnedSemaphorePermit>,
    pace: Arc<Inner>,
}

impl Pace {
    /// So many at once at most.
    pub fn new(at_once: NonZeroU32) -> Self {
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        let at_once = NonZeroU32::new(at_once.get().min(most)).unwrap_or(NonZeroU32::MIN);
        let turns = usize::try_from(at_once.get()).unwrap_or(1);
        Self(Arc::new(Inner {
            turns: Arc::new(Semaphore::new(turns)),
            state: Mutex::new(State {
                limit: Limit::new(at_once),
                debt: 0,
            }),
        }))
    }

    /// Waits for a turn.
    pub async fn enter(&self) -> Permit {
        // it is never closed, so that there is always a permit in the end
        Permit {
            turn: Arc::clone(&self.0.turns).acquire_owned().await.ok(),
            pace: Arc::clone(&self.0),
        }
    }

    /// Something ended, with a sign of strain or without. The new number, if it is another one.
    pub fn told(&self, strain: bool, begun: Instant, now: Instant) -> Option<u32> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.limit.get();
        if !state.limit.told(strain, begun, now) {
            return None;
        }
        let after = state.limit.get();
        if after < before {
            let fewer = before - after;
            let taken = self.0.turns.forget_permits(usize::try_from(fewer).unwrap_or(0));
            state.debt += fewer - u32::try_from(taken).unwrap_or(fewer);
        } else {
            // what was to go may stay
            let more = after - before;
            let paid = more.min(state.debt);
            state.debt -= paid;
            self.0
                .turns
                .add_permits(usize::try_from(more - paid).unwrap_or(0));
        }
        Some(after)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.pace.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.debt > 0 {
            state.debt -= 1;
            if let Some(turn) = self.turn.take() {
                turn.forget();
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
#[path = "pace/tests.rs"]
mod tests;
