//! Whether a system is asked at all: closed, open, or trying.
//!
//! A state machine and no more: the time is an input, what counts as trouble its caller's business, and so is what happens to
//! those that are turned away. The crates that were looked at (`failsafe` 1.3, `recloser` 1.4) ask a clock themselves and let
//! everybody in at once when they try again, which is what a system that has just come back can bear least.

use std::{
    collections::VecDeque,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::span::Span;

/// Answers in a row that close an open breaker again: one may be luck, as when one of several workers has come back.
pub const PROBES: u32 = 2;

/// How long whoever comes while another one tries is put off: most answers take less, and to come again costs little.
pub const WHILE_TRYING: Duration = Duration::from_secs(1);

/// How long an outcome counts. The slowest kind of failure, a write to Odoo without an answer, takes 2 minutes, and of one at a
/// time five fit three times; what was longer ago says nothing of now.
pub const REMEMBERED: Duration = Duration::from_secs(30 * 60);

/// When a system is left alone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Terms {
    /// Whether there is a breaker. Default true. Without one a dead system costs each message its attempts.
    pub on: bool,
    /// The share of failures among the last reads or plans, in percent, from which on the system is left alone. Default 50: less
    /// may be a bad minute, and with more the system answers so few that waiting loses nothing.
    pub share: u8,
    /// How many of the last reads or plans are looked at. Default 10, so that five failures in a row always suffice, however
    /// well it was before.
    pub of_last: NonZeroU32,
    /// How many there must be before anything is decided. Default 5: a few failures at the start, or at night, say little.
    pub at_least: NonZeroU32,
    /// How long it is left alone at first. Default 10s: a restart of Odoo takes some. Each try that fails doubles it.
    pub wait: Span,
    /// The longest that it is left alone. Default 5m: so late at most is it found to be back.
    pub longest_wait: Span,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            on: true,
            share: 50,
            of_last: NonZeroU32::MIN.saturating_add(9),
            at_least: NonZeroU32::MIN.saturating_add(4),
            wait: Span::seconds(10),
            longest_wait: Span::seconds(300),
        }
    }
}

impl Terms {
    /// Whether they can come true.
    pub fn make_sense(&self) -> bool {
        (1..=100).contains(&self.share) && self.at_least <= self.of_last && self.wait <= self.longest_wait
    }
}

/// What a breaker has come to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// Open: nobody is let in for so long.
    Opened {
        /// How long.
        wait: Duration,
    },
    /// Half-open: one at a time is let in.
    Tries,
    /// Closed: all are let in.
    Closed,
}

/// What somebody who comes may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum May {
    /// Go on.
    Go,
    /// Go on as the one that tries, and [leave](Breaker::leave) in the end.
    Try,
    /// Come again after so long.
    Wait(Duration),
}

/// How a breaker stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// The system is asked.
    Asked,
    /// It is tried, by one at a time.
    Tried,
    /// It is left alone for so long.
    LeftAlone(Duration),
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { until: Instant, times: u32 },
    HalfOpen { trying: bool, well: u32, times: u32 },
}

/// A breaker.
#[derive(Debug)]
pub struct Breaker {
    terms: Terms,
    state: State,
    /// When the last ones ended, the oldest first, and whether they failed.
    last: VecDeque<(Instant, bool)>,
}

impl Breaker {
    /// A closed one.
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            state: State::Closed,
            last: VecDeque::new(),
        }
    }

    /// How it stands, without asking for anything: until when the system is left alone; none where it is not.
    pub fn look(&self, now: Instant) -> Look {
        match self.state {
            State::Closed => Look::Asked,
            State::Open { until, .. } if now < until => Look::LeftAlone(until.duration_since(now)),
            State::Open { .. } | State::HalfOpen { .. } => Look::Tried,
        }
    }

    /// Somebody comes. Tells also what has changed by it.
    pub fn ask(&mut self, now: Instant) -> (May, Option<Change>) {
        match &mut self.state {
            State::Closed => (May::Go, None),
            State::Open { until, .. } if now < *until => (May::Wait(until.duration_since(now)), None),
            State::Open { times, .. } => {
                let times = *times;
                self.state = State::HalfOpen {
                    trying: true,
                    well: 0,
                    times,
                };
                (May::Try, Some(Change::Tries))
            }
            State::HalfOpen { trying: true, .. } => (May::Wait(WHILE_TRYING), None),
            State::HalfOpen { trying, .. } => {
                *trying = true;
                (May::Try, None)
            }
        }
    }

    /// The one that tries has ended; what came of it is told before.
    pub fn leave(&mut self) {
        if let State::HalfOpen { trying, .. } = &mut self.state {
            *trying = false;
        }
    }

    /// Something ended, well or not. What had begun before it opened changes nothing while it is open.
    pub fn told(&mut self, failed: bool, now: Instant) -> Option<Change> {
        if !self.terms.on {
            return None;
        }
        match &mut self.state {
            State::Closed => {
                self.remember(failed, now);
                self.is_too_much().then(|| self.open(0, now))
            }
            State::Open { .. } => None,
            State::HalfOpen { times, .. } if failed => {
                let times = times.saturating_add(1);
                Some(self.open(times, now))
            }
            State::HalfOpen { well, .. } => {
                *well += 1;
                if *well < PROBES {
                    return None;
                }
                self.state = State::Closed;
                Some(Change::Closed)
            }
        }
    }

    fn open(&mut self, times: u32, now: Instant) -> Change {
        let doubled = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        let wait = self.terms.wait.get().saturating_mul(doubled);
        let wait = wait.min(self.terms.longest_wait.get());
        self.last.clear();
        self.state = State::Open {
            until: now + wait,
            times,
        };
        Change::Opened { wait }
    }

    fn remember(&mut self, failed: bool, now: Instant) {
        self.last.push_back((now, failed));
        let most = usize::try_from(self.terms.of_last.get()).unwrap_or(usize::MAX);
        while self.last.len() > most
            || self
                .last
                .front()
                .is_some_and(|(at, _)| now.duration_since(*at) > REMEMBERED)
        {
            self.last.pop_front();
        }
    }

    fn is_too_much(&self) -> bool {
        let all = self.last.len();
        let failed = self.last.iter().filter(|(_, failed)| *failed).count();
        all >= usize::try_from(self.terms.at_least.get()).unwrap_or(usize::MAX)
            && failed * 100 >= all * usize::from(self.terms.share)
    }
}

#[cfg(test)]
#[path = "breaker/tests.rs"]
mod tests;
