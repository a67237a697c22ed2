//! A month of a place.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// A month, such as `2026-10`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(Date);

impl Period {
    /// The month in which a moment falls at a place.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self(zone.to_datetime(at).date().first_of_month())
    }

    /// The month before.
    ///
    /// # Errors
    ///
    /// It is the first one that the calendar knows.
    pub fn before(self) -> Result<Self, jiff::Error> {
        Ok(Self(self.0.yesterday()?.first_of_month()))
    }

    /// Its first day, and the first one of the next month.
    ///
    /// # Errors
    ///
    /// The calendar ends.
    pub fn days(self) -> Result<(Date, Date), jiff::Error> {
        Ok((self.0, self.0.last_of_month().tomorrow()?))
    }

    /// The moment at which it begins at a place, and the one at which the next month does.
    ///
    /// # Errors
    ///
    /// The calendar ends.
    pub fn moments(self, zone: &TimeZone) -> Result<(Timestamp, Timestamp), jiff::Error> {
        let (from, to) = self.days()?;
        let begin = |day: Date| day.to_zoned(zone.clone()).map(|it| it.timestamp());
        Ok((begin(from)?, begin(to)?))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no month; write it as 2026-10");
        let is_month = text.len() == 7 && text.is_ascii();
        let day: Date = format!("{text}-01").parse().map_err(|_| wrong())?;
        is_month.then_some(Self(day)).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_of_the_place() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let october: Period = "2026-10".parse().unwrap();
        let (from, to) = october.moments(&berlin).unwrap();
        // summer time on the first of October, no more on the first of November: EU directive 2000/84
        assert_eq!(from.to_string(), "2026-09-30T22:00:00Z");
        assert_eq!(to.to_string(), "2026-10-31T23:00:00Z");
        let late: Timestamp = "2026-10-31T22:59:59Z".parse().unwrap();
        assert_eq!(Period::of(late, &berlin), october);
        assert_eq!(Period::of(to, &berlin).to_string(), "2026-11");
        assert_eq!(october.before().unwrap().to_string(), "2026-09");
        let kolkata = TimeZone::get("Asia/Kolkata").unwrap();
        assert_eq!(Period::of(late, &kolkata).to_string(), "2026-11");
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for wrong in ["2026", "2026-13", "2026-1", "2026-10-02", "", "october"] {
            wrong.parse::<Period>().unwrap_err();
        }
        assert_eq!(
            "2026-12".parse::<Period>().unwrap().days().unwrap().1.to_string(),
            "2027-01-01"
        );
    }
}
