//! How fast backlogs get shorter: how many messages ended lately, and how long the rest takes at that rate.
//!
//! It is worked out of counts that the journal keeps, looked at now and then, so it costs a few rows whatever the backlog. It is
//! in memory, begins anew with the host, and decides nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cambist_journal::{
    Journal,
    journal::{Backlog, Standing},
};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::Clock;

/// How often the counts are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Looks that are kept: a rate is that of the last minute. Over a longer time it would tell of a backlog that is gone.
const LOOKS: usize = 13;

/// States in which a message has ended.
const ENDED: [&str; 3] = ["ignored", "denied", "done"];

/// How many ended, lately.
#[derive(Debug, Default)]
pub struct Progress(Mutex<VecDeque<Look>>);

#[derive(Debug)]
struct Look {
    at: Timestamp,
    ended: BTreeMap<Backlog, u64>,
}

/// How far a backlog is, or all of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Pace {
    /// Messages that are due, now or later.
    pub(crate) due: u64,
    /// Messages that rest: parked, held, waiting.
    pub(crate) resting: u64,
    /// Messages that ended, ever.
    pub(crate) ended: u64,
    /// Those that ended in a minute, at the rate of the last one.
    pub(crate) per_minute: u64,
}

impl Progress {
    /// Looks at the counts until `stop` is told or dropped.
    pub async fn watch(
        self: Arc<Self>,
        journal: Arc<dyn Journal>,
        clock: Clock,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            // a journal that does not answer is told of elsewhere
            if let Ok(standing) = journal.standing().await {
                self.look(clock(), &standing);
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Takes down how many have ended.
    fn look(&self, at: Timestamp, standing: &[Standing]) {
        let ended = standing
            .iter()
            .map(|it| (it.backlog.clone(), ended(it)))
            .collect();
        let mut looks = self.looks();
        looks.push_back(Look { at, ended });
        if looks.len() > LOOKS {
            looks.pop_front();
        }
    }

    /// How far a backlog is that stands so at `now`.
    pub(crate) fn of(&self, standing: &Standing, now: Timestamp) -> Pace {
        let count = |states: &[&str]| {
            let counts = states.iter().filter_map(|state| standing.by_state.get(*state));
            counts.sum::<u64>()
        };
        let ended = ended(standing);
        let looks = self.looks();
        let since = looks.front().map(|look| {
            let before = look.ended.get(&standing.backlog).copied().unwrap_or_default();
            (
                now.duration_since(look.at).as_secs(),
                ended.saturating_sub(before),
            )
        });
        Pace {
            due: count(&["due"]),
            resting: count(&["parked", "held", "waiting"]),
            ended,
            per_minute: since.map_or(0, |(seconds, ended)| {
                let seconds = u64::try_from(seconds).unwrap_or_default().max(1);
                ended * 60 / seconds
            }),
        }
    }

    /// A panic while it was locked left it whole: every change is one step.
    fn looks(&self) -> MutexGuard<'_, VecDeque<Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    /// Seconds until what is due has ended, at the rate of the last minute; none where nothing ended.
    pub(crate) fn seconds_left(&self) -> Option<u64> {
        match self.due {
            0 => Some(0),
            due => (due * 60).checked_div(self.per_minute),
        }
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            due: self.due + other.due,
            resting: self.resting + other.resting,
            ended: self.ended + other.ended,
            per_minute: self.per_minute + other.per_minute,
        }
    }
}

fn ended(standing: &Standing) -> u64 {
    let counts = ENDED.iter().filter_map(|state| standing.by_state.get(*state));
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(due: u64, done: u64) -> Standing {
        Standing {
            backlog: Backlog {
                flow: Some("deals".to_owned()),
                of: "de".to_owned(),
                event: None,
            },
            by_state: [("due".to_owned(), due), ("done".to_owned(), done)].into(),
        }
    }

    fn second(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(seconds)
    }

    #[test]
    fn what_is_left_takes_as_long_as_the_last_minute_says() {
        let progress = Progress::default();
        let unknown = progress.of(&standing(1_000, 0), second(0));
        assert_eq!((unknown.per_minute, unknown.seconds_left()), (0, None));
        for look in 0..20_u64 {
            let at = i64::try_from(look * 5).unwrap_or_default();
            progress.look(second(at), &[standing(2_000 - look * 100, look * 100)]);
        }
        let pace = progress.of(&standing(100, 1_900), second(95));
        assert_eq!((pace.due, pace.ended, pace.per_minute), (100, 1_900, 1_200));
        assert_eq!(pace.seconds_left(), Some(5));
        let both = pace.and(pace);
        assert_eq!((both.per_minute, both.seconds_left()), (2_400, Some(5)));
    }

    #[test]
    fn nothing_is_left_where_nothing_is_due() {
        let pace = Progress::default().of(&standing(0, 7), second(0));
        assert_eq!(pace.seconds_left(), Some(0));
    }
}
