//! What a call knows besides its input.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};
use serde::de::DeserializeOwned;

use crate::{
    fault::broken,
    prelude::{Context, Fault},
};

impl Context {
    /// The binding's settings as the plugin's own type.
    ///
    /// Derive `Deserialize` with `deny_unknown_fields` for it, and ask for the
    /// settings first: when the host checks a binding, it calls the plugin with the
    /// inputs of its own cases and the binding's settings, and refuses the binding
    /// if the plugin breaks on them. So a typing error in the host's config is found
    /// before a message meets it, if the plugin carries a case for that function.
    ///
    /// # Errors
    ///
    /// [`Fault::Broken`] with what serde says about the settings.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.settings).map_err(|error| broken(format!("settings: {error}")))
    }
}

/// The day of a date, a moment, or milliseconds since 1970; in UTC.
pub(crate) fn day_of(text: &str) -> Option<String> {
    if let Some((day, rest)) = text.split_at_checked(10)
        && (rest.is_empty() || rest.starts_with(['T', ' ']))
        && is_day(day)
    {
        return Some(day.to_owned());
    }
    let moment = Timestamp::from_millisecond(text.parse().ok()?).ok()?;
    Some(Offset::UTC.to_datetime(moment).date().to_string())
}

/// A moment in UTC from RFC 3339, from Odoo's `2026-11-22 04:00:00`, which is
/// UTC, or from milliseconds since 1970.
pub(crate) fn moment_of(text: &str) -> Option<String> {
    if let Some(moment) = written_in_utc(text) {
        return Some(moment);
    }
    let moment = if let Ok(moment) = text.parse::<Timestamp>() {
        moment
    } else if let Ok(moment) = text.parse::<DateTime>() {
        Offset::UTC.to_timestamp(moment).ok()?
    } else {
        Timestamp::from_millisecond(text.parse().ok()?).ok()?
    };
    Some(moment.to_string())
}

/// A moment that is written as this crate writes it, but for zeros at the end of
/// its fraction: `2026-11-20T15:30:00.500Z`, which is how HubSpot writes moments. A
/// tenth of the general way's cost. The year 9999 and leap seconds go that way.
fn written_in_utc(text: &str) -> Option<String> {
    let (moment, zone) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let (day, time) = moment.split_at_checked(10)?;
    let bytes = time.as_bytes();
    let two = |tens: usize| {
        let (tens, ones) = (bytes.get(tens)?, bytes.get(tens + 1)?);
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| (tens - b'0') * 10 + (ones - b'0'))
    };
    let in_range = two(1)? < 24 && two(4)? < 60 && two(7)? < 60;
    let signs = (bytes.first(), bytes.get(3), bytes.get(6)) == (Some(&b'T'), Some(&b':'), Some(&b':'));
    if !(zone == "Z" && in_range && signs && is_day(day)) || day.starts_with("9999") {
        return None;
    }
    let kept = match time.split_at_checked(9)? {
        (_, "") => moment,
        (_, fraction) => {
            let digits = fraction.strip_prefix('.')?;
            let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then_some(())?;
            moment.trim_end_matches('0').trim_end_matches('.')
        }
    };
    let mut written = String::with_capacity(kept.len() + 1);
    written.push_str(kept);
    written.push('Z');
    Some(written)
}

/// Whether a text is a day as the contract writes it, such as `2026-11-22`. Days
/// written so stand in the order of time when they are compared as texts.
pub fn is_day(text: &str) -> bool {
    let Ok(&[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]) = <&[u8; 10]>::try_from(text.as_bytes()) else {
        return false;
    };
    let number = |digits: &[u8]| {
        let mut digits = digits.iter();
        digits.try_fold(0_i16, |number, digit| match digit {
            b'0'..=b'9' => Some(number * 10 + i16::from(digit - b'0')),
            _ => None,
        })
    };
    let (Some(year), Some(month), Some(day)) =
        (number(&[y1, y2, y3, y4]), number(&[m1, m2]), number(&[d1, d2]))
    else {
        return false;
    };
    // two digits fit
    Date::new(year, month as i8, day as i8).is_ok()
}

/// The day so many days after `day`; before it, when `days` is negative.
///
/// # Errors
///
/// `day` is no date, or the result is outside the years 1 to 9999.
pub fn days_after(day: &str, days: i64) -> Result<String, Fault> {
    day.parse::<Date>()
        .and_then(|day| day.checked_add(jiff::Span::new().try_days(days)?))
        .map(|day| day.to_string())
        .map_err(|_| broken(format!("no date is {days} days after `{day}`")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_moment_in_utc_is_read_as_the_calendar_reads_it(
            day in "(0[0-9]{3}|20[0-9]{2}|9999)-[01][0-9]-[0-3][0-9]",
            time in "[T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10}|\\.[05]0{0,3})?[Zz+]?",
        ) {
            let text = format!("{day}{time}");
            if let Some(moment) = written_in_utc(&text) {
                prop_assert_eq!(moment, text.parse::<Timestamp>().unwrap().to_string());
            }
        }
    }

    #[test]
    fn the_moments_of_hubspot_are_read_the_short_way() {
        for (text, moment) in [
            ("2026-11-20T15:30:00.500Z", "2026-11-20T15:30:00.5Z"),
            ("2026-11-20T15:30:00.000Z", "2026-11-20T15:30:00Z"),
            ("2026-11-20T15:30:00Z", "2026-11-20T15:30:00Z"),
        ] {
            assert_eq!(written_in_utc(text).as_deref(), Some(moment));
        }
    }

    #[test]
    fn a_day_is_ten_characters_of_the_calendar() {
        for day in ["2026-11-22", "2028-02-29", "0001-01-01"] {
            assert!(is_day(day), "{day}");
        }
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-1-2",
            "2026-11-022",
            "2026-11-22T00:00:00Z",
            "+026-11-22",
            "2026/11/22",
            "2026-11-2é",
        ] {
            assert!(!is_day(text), "{text}");
        }
    }

    #[test]
    fn days_are_counted_over_months_and_leap_days() {
        assert_eq!(days_after("2028-02-28", 2).unwrap(), "2028-03-01");
        assert_eq!(days_after("2026-11-22", 45).unwrap(), "2027-01-06");
        assert!(days_after("2026-02-30", 1).is_err());
    }
}
