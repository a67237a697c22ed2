//! Days and moments: on which day of the region something happened.
//!
//! HubSpot keeps moments in UTC, and the contract's dates are days in the calendar
//! of the place. The day a deal was closed is the tax point of its order, and half
//! past midnight in Mumbai is still the day before in UTC. A region therefore says
//! how far it is from UTC. It is a fixed offset: a table of time zones is more than
//! a mapping should carry, and where clocks are put forward in summer only what
//! happens in the hour after midnight counts as the day before.

use cambist_sdk::prelude::*;
use serde::Deserialize;

const MINUTES_OF_A_DAY: i64 = 24 * 60;

/// How far east of UTC the region is, in minutes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub(crate) struct UtcOffset(i64);

impl UtcOffset {
    /// The day on which a moment falls in the region; none where it is no moment
    /// in UTC, or falls outside the years 1 to 9999.
    pub(crate) fn day_of(self, moment: &str) -> Option<String> {
        let number = |digits: Option<&str>| digits?.parse::<i64>().ok();
        let minutes = number(moment.get(11..13))? * 60 + number(moment.get(14..16))? + self.0;
        days_after(moment.get(..10)?, minutes.div_euclid(MINUTES_OF_A_DAY)).ok()
    }

    /// The moment at which a day begins in the region: in UTC itself the day, as
    /// HubSpot takes it too. Reading it again gives the same day.
    ///
    /// # Errors
    ///
    /// `day` is no date.
    pub(crate) fn start_of(self, day: &str) -> Result<String> {
        if self.0 == 0 {
            return Ok(day.to_owned());
        }
        let day = days_after(day, (-self.0).div_euclid(MINUTES_OF_A_DAY))?;
        let minutes = (-self.0).rem_euclid(MINUTES_OF_A_DAY);
        Ok(format!("{day}T{:02}:{:02}:00Z", minutes / 60, minutes % 60))
    }
}

impl TryFrom<String> for UtcOffset {
    type Error = &'static str;

    /// `+05:30`: a sign, hours and minutes, from -12:00 to +14:00, which is as far
    /// as clocks are set.
    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        let rule = "must be an offset from UTC such as +05:30";
        let parsed = || {
            let (sign, digits) = text.split_at_checked(1)?;
            let (hours, minutes) = digits.split_once(':')?;
            let number = |digits: &str| {
                let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
                two.then(|| digits.parse::<i64>().ok()).flatten()
            };
            let (hours, minutes) = (number(hours)?, number(minutes).filter(|it| *it < 60)?);
            let minutes = match sign {
                "+" => hours * 60 + minutes,
                "-" => -(hours * 60 + minutes),
                _ => return None,
            };
            (-12 * 60..=14 * 60).contains(&minutes).then_some(Self(minutes))
        };
        parsed().ok_or(rule)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn offset(text: &str) -> UtcOffset {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_moment_falls_on_the_day_of_the_region() {
        for (moment, from_utc, day) in [
            ("2025-09-21T18:29:59Z", "+05:30", "2025-09-21"),
            ("2025-09-21T18:30:00Z", "+05:30", "2025-09-22"),
            ("2026-12-31T23:00:00Z", "+01:00", "2027-01-01"),
            ("2026-12-31T23:00:00Z", "+00:00", "2026-12-31"),
            ("2027-01-01T04:59:59.9Z", "-05:00", "2026-12-31"),
            ("2028-02-29T10:00:00Z", "+14:00", "2028-03-01"),
        ] {
            assert_eq!(offset(from_utc).day_of(moment).as_deref(), Some(day), "{moment}");
        }
    }

    #[test]
    fn a_day_that_is_written_is_the_day_that_is_read() {
        for from_utc in ["+00:00", "+05:30", "-03:30", "+14:00", "-12:00"] {
            let from_utc = offset(from_utc);
            let written = from_utc.start_of("2028-03-01").unwrap();
            let moment = if written.len() == 10 {
                format!("{written}T00:00:00Z")
            } else {
                written
            };
            assert_eq!(
                from_utc.day_of(&moment).as_deref(),
                Some("2028-03-01"),
                "{moment}"
            );
        }
    }

    #[test]
    fn what_is_no_offset_is_refused() {
        for text in [
            "", "05:30", "+5:30", "+05:60", "+14:01", "-12:01", "IST", "+05:30 ", "+0a:30",
        ] {
            assert!(UtcOffset::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
