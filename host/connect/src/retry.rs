//! How long to wait before another attempt: an explicit list, the same on every run.
//!
//! It decides nothing: whether another attempt is allowed is the error's word, and when it happens the pipeline's.

use std::time::Duration;

use cambist_contract::{digest::Digest, message::MessageId};

/// The waits where nothing else is set: a hiccup, a restart, an update, a bad night; 4 h 42 min in all.
pub const WAITS: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(3 * 60 * 60),
];

/// A wait that a system names is honoured up to twice our own, but always up to this: longer than any window or time limit
/// that we know, and too short for a partner to park us with.
pub const HONOURED: Duration = Duration::from_secs(120);

/// By how many thousandths of itself a wait is moved up or down, so that a thousand messages that failed together do not come
/// back together.
const JITTER: u64 = 200;

/// A list of waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    fn default() -> Self {
        Self(WAITS.to_vec())
    }
}

impl Schedule {
    /// These waits; an empty list means that nothing is tried again.
    pub fn new(waits: Vec<Duration>) -> Self {
        Self(waits)
    }

    /// How long to wait after a failed attempt; none when all attempts are spent, and the message is to be parked.
    ///
    /// `attempt` is which one failed, 1 for the first. `not_before` is the wait that the far side asked for. The wait moves by
    /// up to a fifth, by message and attempt alone, so that a run can be repeated.
    pub fn next(&self, attempt: u32, message: &MessageId, not_before: Option<Duration>) -> Option<Duration> {
        let index = usize::try_from(attempt).ok()?.checked_sub(1)?;
        let base = *self.0.get(index)?;
        let moved = jitter(base, attempt, message);
        let asked = not_before
            .unwrap_or_default()
            .min(base.saturating_mul(2).max(HONOURED));
        Some(moved.max(asked))
    }
}

fn jitter(base: Duration, attempt: u32, message: &MessageId) -> Duration {
    let digest = Digest::of_parts(&[message.as_str().as_bytes(), &attempt.to_be_bytes()]);
    let drawn = digest
        .as_bytes()
        .iter()
        .take(8)
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let thousandths = 1000 - JITTER + drawn % (2 * JITTER + 1);
    let millis = u64::try_from(base.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis.saturating_mul(thousandths) / 1000)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(text: &str) -> MessageId {
        MessageId::from_text(text)
    }

    #[test]
    fn after_the_last_wait_there_is_none() {
        let schedule = Schedule::default();
        assert!(schedule.next(8, &message("m"), None).is_some());
        assert_eq!(schedule.next(9, &message("m"), None), None);
        assert_eq!(schedule.next(0, &message("m"), None), None);
        assert_eq!(Schedule::new(Vec::new()).next(1, &message("m"), None), None);
    }

    #[test]
    fn a_partner_cannot_park_us_for_days_but_is_heard() {
        let schedule = Schedule::default();
        let day = Some(Duration::from_secs(86_400));
        assert_eq!(schedule.next(1, &message("m"), day), Some(HONOURED));
        assert_eq!(
            schedule.next(5, &message("m"), day),
            Some(Duration::from_secs(20 * 60))
        );
        let short = Some(Duration::from_secs(10));
        assert_eq!(
            schedule.next(1, &message("m"), short),
            Some(Duration::from_secs(10))
        );
    }

    proptest! {
        #[test]
        fn waits_repeat_and_stay_within_a_fifth(id in "[a-f0-9]{20}", attempt in 1_u32..=8) {
            let schedule = Schedule::default();
            let wait = schedule.next(attempt, &message(&id), None).unwrap();
            prop_assert_eq!(Some(wait), schedule.next(attempt, &message(&id), None));
            let base = *WAITS.get(attempt as usize - 1).unwrap();
            prop_assert!(wait >= base * 4 / 5 && wait <= base * 6 / 5);
        }
    }
}
