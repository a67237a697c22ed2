//! The replay window: how far a signature's time may be from ours.

use jiff::Timestamp;

use crate::rejection::Doubt;

/// Five minutes: what HubSpot documents for the past, and what the libraries of
/// Standard Webhooks use both ways. A time far ahead is refused too, or a stolen
/// call would stay good until then.
pub(crate) const WINDOW_MS: i64 = 300_000;

/// Refuses a time that is more than [`WINDOW_MS`] away from `now`; exactly that
/// far is still good.
pub(crate) fn check(signed_ms: i64, now: Timestamp) -> Result<(), Doubt> {
    let away = now.as_millisecond().saturating_sub(signed_ms).saturating_abs();
    if away > WINDOW_MS {
        Err(Doubt::Stale)
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_are_good_and_a_millisecond_more_is_not() {
        let now = Timestamp::from_millisecond(1_693_657_560_000).unwrap();
        for (offset, good) in [
            (-300_001, false),
            (-300_000, true),
            (0, true),
            (300_000, true),
            (300_001, false),
        ] {
            assert_eq!(check(1_693_657_560_000 + offset, now).is_ok(), good, "{offset}");
        }
        assert!(check(i64::MIN, now).is_err());
        assert!(check(i64::MAX, now).is_err());
    }
}
