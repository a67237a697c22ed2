//! What all messages to one system share: whether it is asked now, how many are at it, how often it is called.
//!
//! The pipeline asks a line for a [`Pass`] before a message goes to a system, and puts the message off where there is none. The
//! connector takes a [`Turn`] for each read and each step of a plan and tells how it ended; from that the [breaker](crate::breaker) and the
//! [pace](crate::pace) draw their conclusions. No fact about a message is decided by the time that this looks at.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    ConnectError,
    breaker::{Breaker, Change, Look, May, Terms},
    error::AFTER_BUSY,
    metrics,
    pace::{Pace, Permit, Rate},
    retry::HONOURED,
};

/// Kinds of call whose usual time is remembered. Connectors know some dozen, each of a few sizes; what comes beyond is not
/// measured.
const KINDS: usize = 64;

/// Calls of a kind before its usual time is known.
const KNOWN: u32 = 16;

/// By how many times its usual time a call is slow: calls of one size differ by less in the middle, and a system that takes four
/// times as long has a line of its own.
const SLOW: u32 = 4;

/// What is never slow, however quick it was before: 30 ms that become 200 ms are noise.
const QUICK: Duration = Duration::from_secs(1);

/// What a line is made of.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Reads, or steps of plans, at once, at most.
    pub at_once: NonZeroU32,
    /// Calls in a second, at most; none is as many as come.
    pub rate: Option<NonZeroU32>,
    /// When the system is left alone.
    pub breaker: Terms,
}

/// What the end of a plan or a read says of the system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sign {
    /// It answered, be it a refusal.
    Well,
    /// It is at its limits, and all is well otherwise.
    Strained,
    /// It asks for patience, perhaps for so long.
    Busy(Option<Duration>),
    /// It let us wait for nothing.
    Silent,
    /// It is not there, or not itself.
    Troubled,
}

impl Sign {
    /// What an error says of the system; none where it may not have been asked at all.
    pub fn of(error: &ConnectError) -> Option<Self> {
        match error {
            ConnectError::Busy { wait, .. } => Some(Self::Busy(*wait)),
            ConnectError::Contended { .. } => Some(Self::Strained),
            ConnectError::NoAnswer { .. } => Some(Self::Silent),
            ConnectError::Unreachable { .. }
            | ConnectError::CutOff { .. }
            | ConnectError::Troubled { .. }
            | ConnectError::Strange { .. } => Some(Self::Troubled),
            ConnectError::TooLarge { .. }
            | ConnectError::KeyRefused { .. }
            | ConnectError::NotAllowed { .. }
            | ConnectError::Gone { .. }
            | ConnectError::Refused { .. }
            | ConnectError::WrongState(_)
            | ConnectError::TooMany { .. } => Some(Self::Well),
            // found out before anything is sent, or what a proxy with nothing behind it answers as well
            ConnectError::LeftAlone { .. }
            | ConnectError::Misfit { .. }
            | ConnectError::Unsupported { .. }
            | ConnectError::NoDatabase { .. } => None,
        }
    }
}

/// One system's line; clones are the same line.
#[derive(Clone, Debug)]
pub struct Line(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    system: String,
    at_once: NonZeroU32,
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    breaker: Breaker,
    /// Until when the system asked to be spared.
    spared: Option<Instant>,
    rate: Option<Rate>,
    usual: BTreeMap<String, Usual>,
}

/// How long calls of a kind usually take.
#[derive(Debug, Default)]
struct Usual {
    calls: u32,
    time: Duration,
}

/// The right to go to a system; to be held until the message is back.
#[derive(Debug)]
pub struct Pass {
    /// Where it is the one that tries.
    tries: Option<Line>,
}

/// A read, or a step of plans, that is at work.
#[derive(Debug)]
pub struct Turn {
    line: Line,
    begun: Instant,
    _permit: Permit,
}

impl Line {
    /// A line for a system.
    pub fn new(system: &str, bounds: Bounds) -> Self {
        metrics::breaker(system, Change::Closed);
        metrics::at_once(system, bounds.at_once.get());
        Self(Arc::new(Inner {
            system: system.to_owned(),
            at_once: bounds.at_once,
            pace: Pace::new(bounds.at_once),
            state: Mutex::new(State {
                breaker: Breaker::new(bounds.breaker),
                spared: None,
                rate: bounds.rate.map(Rate::new),
                usual: BTreeMap::new(),
            }),
        }))
    }

    /// How many reads, or steps of plans, may be at work at once at most.
    pub fn at_once(&self) -> NonZeroU32 {
        self.0.at_once
    }

    /// How it stands at `now`, for people: the breaker, how long the system asked to be spared, and how many may be at work.
    pub fn look(&self, now: Instant) -> (Look, Option<Duration>, u32) {
        let state = self.state();
        let spared = state.spared.and_then(|until| until.checked_duration_since(now));
        (
            state.breaker.look(now),
            spared.filter(|wait| !wait.is_zero()),
            self.0.pace.get(),
        )
    }

    /// Whether a message may go to the system at `now`.
    ///
    /// # Errors
    ///
    /// How long it has to wait: the system asked for it, or is left alone.
    pub fn pass(&self, now: Instant) -> Result<Pass, Duration> {
        let mut state = self.state();
        if let Some(spared) = state.spared.filter(|spared| now < *spared) {
            return Err(spared.duration_since(now));
        }
        let (may, change) = state.breaker.ask(now);
        drop(state);
        self.tell(change);
        match may {
            May::Go => Ok(Pass { tries: None }),
            May::Try => Ok(Pass {
                tries: Some(self.clone()),
            }),
            May::Wait(wait) => Err(wait),
        }
    }

    /// Waits for a turn at the system.
    pub async fn turn(&self) -> Turn {
        self.turn_for(false).await
    }

    /// Waits for a turn at the system; what is `urgent` has the next one.
    pub async fn turn_for(&self, urgent: bool) -> Turn {
        let permit = self.0.pace.enter(urgent).await;
        Turn {
            line: self.clone(),
            begun: Instant::now(),
            _permit: permit,
        }
    }

    /// Waits until another call may go out.
    pub(crate) async fn call(&self) {
        let wait = self.state().rate.as_mut().map(|rate| rate.turn(Instant::now()));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            tokio::time::sleep(wait).await;
        }
    }

    /// A call of a kind was answered; one that took far longer than usual is a sign of strain.
    pub(crate) fn answered(&self, kind: &str, begun: Instant, took: Duration) {
        let slow = {
            let usual = &mut self.state().usual;
            if usual.len() >= KINDS && !usual.contains_key(kind) {
                return;
            }
            usual.entry(kind.to_owned()).or_default().takes(took)
        };
        if slow {
            self.told(Sign::Strained, begun, begun + took);
        }
    }

    /// Something that began at `begun` ended like this. An answer that was only slow counts for the pace alone.
    fn told(&self, sign: Sign, begun: Instant, now: Instant) {
        let strain = matches!(sign, Sign::Strained | Sign::Busy(_) | Sign::Silent);
        let mut change = None;
        {
            let mut state = self.state();
            if let Sign::Busy(wait) = sign {
                let until = now + wait.unwrap_or(AFTER_BUSY).min(HONOURED);
                state.spared = Some(state.spared.map_or(until, |spared| spared.max(until)));
            }
            if let Some(rate) = &mut state.rate {
                rate.told(matches!(sign, Sign::Busy(_)), begun, now);
            }
            if sign != Sign::Strained {
                change = state.breaker.told(sign != Sign::Well, now);
            }
        }
        self.tell(change);
        // one that is not there is no sign of too many
        if sign != Sign::Troubled
            && let Some(at_once) = self.0.pace.told(strain, begun, now)
        {
            metrics::at_once(&self.0.system, at_once);
            tracing::info!(
                system = self.0.system,
                at_once,
                "another number is at the system at once"
            );
        }
    }

    fn tell(&self, change: Option<Change>) {
        let Some(change) = change else { return };
        let system = &self.0.system;
        metrics::breaker(system, change);
        match change {
            Change::Opened { wait } => tracing::warn!(
                system,
                wait_s = wait.as_secs(),
                "the system is in trouble and left alone; its messages wait and lose no attempts"
            ),
            Change::Tries => tracing::info!(system, "the system is tried, one message at a time"),
            Change::Closed => tracing::info!(system, "the system is back"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Usual {
    /// Takes a call's time in; true if it is slow.
    fn takes(&mut self, took: Duration) -> bool {
        let bound = (self.time * SLOW).max(QUICK);
        let slow = self.calls >= KNOWN && took > bound;
        self.calls = self.calls.saturating_add(1);
        // the mean of the first ones, then it moves on; one that hung does not drag it along
        let of = self.calls.min(KNOWN);
        let took = if slow { bound } else { took };
        self.time = (self.time * (of - 1) + took) / of;
        slow
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(line) = &self.tries {
            line.state().breaker.leave();
        }
    }
}

impl Turn {
    /// It ended, with an error or without.
    pub fn end<E>(self, result: &Result<E, ConnectError>) {
        let sign = match result {
            Ok(_) => Some(Sign::Well),
            Err(error) => Sign::of(error),
        };
        if let Some(sign) = sign {
            self.line.told(sign, self.begun, Instant::now());
        }
    }

    /// Whether the system is to be asked, now that its turn has come: since the plan began it may have come to be left alone.
    ///
    /// # Errors
    ///
    /// It is, and nothing was asked of it.
    pub(crate) fn may_ask(&self) -> Result<(), ConnectError> {
        match self.line.look(Instant::now()).0 {
            Look::LeftAlone(wait) => Err(ConnectError::LeftAlone {
                system: self.line.0.system.clone(),
                wait,
            }),
            Look::Asked | Look::Tried => Ok(()),
        }
    }

    /// It ended before the system was asked for anything.
    pub fn unused(self) {}
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
#[path = "line/tests.rs"]
mod tests;
