//! How a component does that serves a share: counted until it is too bad.
//!
//! Counts are in memory. A host that starts again counts anew, and soon knows.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use cambist_contract::{digest::Digest, share::Share};

/// How many calls have to break before their part of all is looked at. One or two may be
/// the doing of one odd message; it keeps a share from ending by its first call.
const BREAKS: u64 = 3;

/// How many calls each side must have had before their times are compared. A single call
/// that waited for the machine weighs a fiftieth of the mean then.
const TIMED: u32 = 50;

/// Whose call it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// The live revision's.
    Live,
    /// That of the one that serves a share.
    Share,
}

/// One component's share, while it lasts.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) plugin: String,
    pub(crate) component: Digest,
    share: Share,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    live: Times,
    share: Times,
    broken: u64,
    /// Whether it was said that it is too bad: it is said once.
    is_over: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    calls: u32,
    elapsed: Duration,
}

impl Times {
    fn mean(self) -> Option<Duration> {
        (self.calls >= TIMED).then(|| self.elapsed / self.calls)
    }
}

impl Trial {
    pub(crate) fn new(plugin: &str, component: Digest, share: Share) -> Self {
        Self {
            plugin: plugin.to_owned(),
            component,
            share,
            counts: Mutex::default(),
        }
    }

    /// Counts a call. Tells why the component is to be withdrawn, once, when it is.
    pub(crate) fn count(&self, side: Side, elapsed: Duration, broke: bool) -> Option<String> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let times = match side {
            Side::Live => &mut counts.live,
            Side::Share => &mut counts.share,
        };
        times.calls = times.calls.saturating_add(1);
        times.elapsed = times.elapsed.saturating_add(elapsed);
        counts.broken += u64::from(side == Side::Share && broke);
        self.judge(&mut counts)
    }

    /// Takes a call that was counted for one that broke. Tells the same.
    pub(crate) fn refuse(&self, side: Side) -> Option<String> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.broken += u64::from(side == Side::Share);
        self.judge(&mut counts)
    }

    fn judge(&self, counts: &mut Counts) -> Option<String> {
        if counts.is_over {
            return None;
        }
        let why = self.too_bad(counts);
        counts.is_over = why.is_some();
        why
    }

    /// Says it again when it is too bad: what followed from it could not be done.
    pub(crate) fn go_on(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).is_over = false;
    }

    fn too_bad(&self, counts: &Counts) -> Option<String> {
        let Share {
            broken_percent,
            slower_times,
            ..
        } = self.share;
        let (calls, broken) = (u64::from(counts.share.calls), counts.broken);
        if broken >= BREAKS && broken * 100 > calls * u64::from(broken_percent) {
            return Some(format!(
                "{broken} of its {calls} calls broke, and {broken_percent} % may"
            ));
        }
        let (live, share) = (counts.live.mean()?, counts.share.mean()?);
        (share > live * u32::from(slower_times)).then(|| {
            format!(
                "its calls take {} us in the mean, the live one's {} us, and {slower_times} times as long may be",
                share.as_micros(),
                live.as_micros()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(100);

    fn trial() -> Trial {
        Trial::new("map", Digest::of(b"new"), Share::of(10))
    }

    #[test]
    fn one_that_breaks_at_every_call_is_over_with_the_third() {
        let trial = trial();
        let told: Vec<_> = (0..5).map(|_| trial.count(Side::Share, SHORT, true)).collect();
        let why = Some("3 of its 3 calls broke, and 5 % may".to_owned());
        assert_eq!(told, [None, None, why, None, None]);
    }

    #[test]
    fn a_call_that_is_refused_afterwards_has_broken() {
        let trial = trial();
        let told: Vec<_> = (0..3)
            .flat_map(|_| [trial.count(Side::Share, SHORT, false), trial.refuse(Side::Share)])
            .flatten()
            .collect();
        assert_eq!(told, ["3 of its 3 calls broke, and 5 % may"]);
        let trial = self::trial();
        assert!((0..9).all(|_| trial.refuse(Side::Live).is_none()));
    }

    #[test]
    fn as_many_as_may_break_may() {
        let trial = trial();
        for number in 0..1_000 {
            // one in twenty, and never more
            assert_eq!(
                trial.count(Side::Share, SHORT, number % 20 == 19),
                None,
                "{number}"
            );
        }
        assert!(trial.count(Side::Share, SHORT, true).is_some());
    }

    #[test]
    fn what_the_live_one_breaks_on_does_not_count() {
        let trial = trial();
        assert!((0..100).all(|_| trial.count(Side::Live, SHORT, true).is_none()));
    }

    #[test]
    fn one_that_is_too_slow_is_over_once_both_are_known() {
        let trial = trial();
        assert!((0..60).all(|_| trial.count(Side::Share, SHORT * 4, false).is_none()));
        let told: Vec<_> = (0..60)
            .filter_map(|_| trial.count(Side::Live, SHORT, false))
            .collect();
        assert_eq!(
            told,
            ["its calls take 400 us in the mean, the live one's 100 us, and 3 times as long may be"]
        );
        let trial = self::trial();
        for _ in 0..100 {
            assert_eq!(trial.count(Side::Live, SHORT, false), None);
            assert_eq!(trial.count(Side::Share, SHORT * 3, false), None);
        }
    }
}
