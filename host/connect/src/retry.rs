//! How long to wait before another attempt: an explicit list, the same on every run.
//!
//! It decides nothing: whether another attempt is allowed is the error's word, and when it happens the pipeline's.

use std::time::Duration;

use cambist_contract::{delivery::NextTry, digest::Digest, message::MessageId};

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

    /// How long to wait after a failed attempt; none when the message is to be parked, because the error says so or all
    /// attempts are spent.
    ///
    /// `attempt` is which one failed, 1 for the first. The wait moves by up to a fifth, by message and attempt alone, so that a
    /// run can be repeated.
    pub fn next(&self, attempt: u32, message: &MessageId, next_try: NextTry) -> Option<Duration> {
        let index = usize::try_from(attempt).ok()?.checked_sub(1)?;
        let base = *self.0.get(index)?;
        let at_least = match next_try {
            // the far side's word, so that it has a bound
            NextTry::SendAgain { not_before } => not_before
                .unwrap_or_default()
                .min(base.saturating_mul(2).max(HONOURED)),
            // our own word: earlier would be at the same time as the first
            NextTry::LookUpFirst { not_before } => not_before,
            NextTry::Park => return None,
        };
        Some(jitter(base, attempt, message).max(at_least))
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

    const AGAIN: NextTry = NextTry::SendAgain { not_before: None };

    #[test]
    fn after_the_last_wait_there_is_none() {
        let schedule = Schedule::default();
        assert!(schedule.next(8, &message("m"), AGAIN).is_some());
        assert_eq!(schedule.next(9, &message("m"), AGAIN), None);
        assert_eq!(schedule.next(0, &message("m"), AGAIN), None);
        assert_eq!(schedule.next(1, &message("m"), NextTry::Park), None);
        assert_eq!(Schedule::new(Vec::new()).next(1, &message("m"), AGAIN), None);
    }

    #[test]
    fn what_may_still_be_at_work_is_not_looked_up_before_however_long_that_is() {
        let not_before = Duration::from_secs(3600);
        let next_try = NextTry::LookUpFirst { not_before };
        let schedule = Schedule::default();
        assert_eq!(schedule.next(1, &message("m"), next_try), Some(not_before));
        assert!(schedule.next(8, &message("m"), next_try) > Some(not_before));
    }

    #[test]
    fn a_partner_cannot_park_us_for_days_but_is_heard() {
        let schedule = Schedule::default();
        let asked = |seconds| NextTry::SendAgain {
            not_before: Some(Duration::from_secs(seconds)),
        };
        let day = asked(86_400);
        assert_eq!(schedule.next(1, &message("m"), day), Some(HONOURED));
        assert_eq!(
            schedule.next(5, &message("m"), day),
            Some(Duration::from_secs(20 * 60))
        );
        assert_eq!(
            schedule.next(1, &message("m"), asked(10)),
            Some(Duration::from_secs(10))
        );
    }

    proptest! {
        #[test]
        fn waits_repeat_and_stay_within_a_fifth(id in "[a-f0-9]{20}", attempt in 1_u32..=8) {
            let schedule = Schedule::default();
            let wait = schedule.next(attempt, &message(&id), AGAIN).unwrap();
            prop_assert_eq!(Some(wait), schedule.next(attempt, &message(&id), AGAIN));
            let base = *WAITS.get(attempt as usize - 1).unwrap();
            prop_assert!(wait >= base * 4 / 5 && wait <= base * 6 / 5);
        }
    }
}
