//! How much is asked of a system at once, and how often: never more than the config says, and less when the system shows that
//! it is too much.
//!
//! Additive increase, multiplicative decrease, as networks do it: half as many after a sign of strain, one more after a while
//! without. The numbers are worked out from what they are told, time included; only [`Pace`] waits.

use std::{
    collections::VecDeque,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

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

/// Lets so many in at once as the limit says: urgent ones first, and each kind in the order they came.
#[derive(Clone, Debug)]
pub struct Pace(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    limit: Limit,
    at_work: u32,
    urgent: VecDeque<oneshot::Sender<Permit>>,
    usual: VecDeque<oneshot::Sender<Permit>>,
}

/// The right to be at work; it ends when dropped.
#[derive(Debug)]
pub struct Permit(Pace);

impl Pace {
    /// So many at once at most.
    pub fn new(at_once: NonZeroU32) -> Self {
        Self(Arc::new(Mutex::new(State {
            limit: Limit::new(at_once),
            at_work: 0,
            urgent: VecDeque::new(),
            usual: VecDeque::new(),
        })))
    }

    /// How many there may be at once now.
    pub fn get(&self) -> u32 {
        self.state().limit.get()
    }

    /// Waits for a turn. Who goes away before has none.
    pub async fn enter(&self, urgent: bool) -> Permit {
        loop {
            let turn = {
                let mut state = self.state();
                if state.has_room() {
                    state.at_work += 1;
                    return Permit(self.clone());
                }
                let (sender, turn) = oneshot::channel();
                match urgent {
                    true => state.urgent.push_back(sender),
                    false => state.usual.push_back(sender),
                }
                turn
            };
            // a sender is dropped with its permit sent, or not at all
            if let Ok(permit) = turn.await {
                return permit;
            }
        }
    }

    /// Something ended, with a sign of strain or without. The new number, if it is another one.
    pub fn told(&self, strain: bool, begun: Instant, now: Instant) -> Option<u32> {
        let after = {
            let mut state = self.state();
            state.limit.told(strain, begun, now).then(|| state.limit.get())
        };
        self.let_in();
        after
    }

    /// Gives those who wait the turns there are.
    fn let_in(&self) {
        loop {
            let mut state = self.state();
            let next = state.has_room().then(|| state.next()).flatten();
            let Some(next) = next else { return };
            state.at_work += 1;
            drop(state);
            // who has gone away does not take it: then it is dropped, which lets the next one in
            drop(next.send(Permit(self.clone())));
        }
    }

    /// A panic while it was locked left it whole: every change is one step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self) -> bool {
        self.at_work < self.limit.get()
    }

    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        let mut waiting = std::iter::from_fn(|| self.urgent.pop_front().or_else(|| self.usual.pop_front()));
        waiting.find(|one| !one.is_closed())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.state().at_work -= 1;
        self.0.let_in();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
#[path = "pace/tests.rs"]
mod tests;
