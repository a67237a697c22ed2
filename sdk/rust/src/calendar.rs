//! Days and moments, as the contract writes them and as systems do.
//!
//! A few functions of our own, and no crate: of a mapping's 650 kB of functions 245 were
//! `jiff`'s, most of them to print errors that no call raises, and a host compiles them all
//! whenever a new version comes. The host reads the same texts with it, and the tests here
//! compare with it.

use crate::{fault::broken, prelude::Result};

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// The first second that the contract's texts can name: `0000-01-01T00:00:00Z`.
const FIRST: i64 = -62_167_219_200;

/// The last one that the host reads: `9999-12-30T22:00:00Z`, because somewhere that is
/// another year already.
const LAST: i64 = 253_402_207_200;

/// The day of a date, a moment, or milliseconds since 1970; in UTC.
pub(crate) fn day_of(text: &str) -> Option<String> {
    if let Some((day, rest)) = text.split_at_checked(10)
        && (rest.is_empty() || rest.starts_with(['T', ' ']))
        && is_day(day)
    {
        return Some(day.to_owned());
    }
    let (second, _) = since_1970(text)?;
    written(second.div_euclid(DAY))
}

/// A moment in UTC from RFC 3339, from Odoo's `2026-11-22 04:00:00`, which is
/// UTC, or from milliseconds since 1970.
pub(crate) fn moment_of(text: &str) -> Option<String> {
    if let Some(moment) = written_in_utc(text) {
        return Some(moment);
    }
    if let Some((second, thousandth)) = since_1970(text) {
        return moment(second, &format!("{thousandth:03}"));
    }
    let (day, rest) = text.split_at_checked(10)?;
    let day = number(day)?;
    let Some(time) = rest.strip_prefix(['T', 't', ' ']) else {
        // a day alone begins at midnight
        return rest.is_empty().then(|| moment(day * DAY, "")).flatten();
    };
    let (time, rest) = time.split_at_checked(8)?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *time.as_bytes() else {
        return None;
    };
    let (hour, minute, second) = (digits(&[h1, h2])?, digits(&[m1, m2])?, digits(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    if rest.starts_with('.') != (1..=9).contains(&fraction.len()) {
        return None;
    }
    // a leap second counts as the one before
    let second = (day * 24 + hour) * 3600 + minute * 60 + second.min(59);
    moment(second - east_of_utc(zone)?, fraction)
}

/// How many seconds a zone's clocks are before those of UTC.
fn east_of_utc(zone: &str) -> Option<i64> {
    let (sign, h1, h2, m1, m2) = match *zone.as_bytes() {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign, h1, h2, b':', m1, m2] => (sign, h1, h2, m1, m2),
        _ => return None,
    };
    let (hours, minutes) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
    let east = (hours * 60 + minutes) * 60;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(east),
        b'-' => Some(-east),
        _ => None,
    }
}

/// The second, and the thousandth of it, of milliseconds since 1970.
fn since_1970(text: &str) -> Option<(i64, i64)> {
    let milliseconds: i64 = text.parse().ok()?;
    let second = milliseconds.div_euclid(1000);
    (FIRST..=LAST)
        .contains(&second)
        .then_some((second, milliseconds.rem_euclid(1000)))
}

/// A moment as the contract writes it: without zeros at the end of its fraction.
fn moment(second: i64, fraction: &str) -> Option<String> {
    if !(FIRST..=LAST).contains(&second) {
        return None;
    }
    let mut text = written(second.div_euclid(DAY))?;
    let of_day = second.rem_euclid(DAY);
    for (sign, number) in [('T', of_day / 3600), (':', of_day / 60 % 60), (':', of_day % 60)] {
        text.push(sign);
        padded(&mut text, number, 2);
    }
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text.push('Z');
    Some(text)
}

/// A moment that is written as this crate writes it, but for zeros at the end of
/// its fraction: `2026-11-20T15:30:00.500Z`, which is how HubSpot writes moments. Most of
/// it is copied. The year 9999 and leap seconds go the general way.
fn written_in_utc(text: &str) -> Option<String> {
    let (moment, zone) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let (day, time) = moment.split_at_checked(10)?;
    let bytes = time.as_bytes();
    let two = |tens: usize| digits(bytes.get(tens..tens + 2)?);
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
    number(text).is_some()
}

/// The day so many days after `day`; before it, when `days` is negative.
///
/// # Errors
///
/// `day` is no date, or the result is outside the years 0 to 9999.
pub fn days_after(day: &str, days: i64) -> Result<String> {
    number(day)
        .and_then(|number| number.checked_add(days))
        .and_then(written)
        .ok_or_else(|| broken(format!("no date is {days} days after `{day}`")))
}

/// The number of a day, from 1970-01-01 on.
///
/// Years are counted from March, so that a leap day is the last one of a year, and by
/// 400, after which the calendar repeats itself.
fn number(text: &str) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else {
        return None;
    };
    let (year, month, day) = (digits(&[y1, y2, y3, y4])?, digits(&[m1, m2])?, digits(&[d1, d2])?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * ERA + year * 365 + year / 4 - year / 100 + day - TO_1970)
}

/// Days of 400 years.
const ERA: i64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01.
const TO_1970: i64 = 719_468;

/// A day as the contract writes it; none outside the years 0 to 9999.
fn written(number: i64) -> Option<String> {
    let days = number.checked_add(TO_1970)?;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = (month + 2) % 12 + 1;
    let year = era * 400 + year + i64::from(month <= 2);
    if !(0..=9999).contains(&year) {
        return None;
    }
    let mut text = String::with_capacity(20);
    padded(&mut text, year, 4);
    text.push('-');
    padded(&mut text, month, 2);
    text.push('-');
    padded(&mut text, day, 2);
    Some(text)
}

/// A number of digits and nothing else.
fn digits(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Some(number * 10 + i64::from(digit - b'0')),
        _ => None,
    })
}

/// Writes a number with at least so many digits.
fn padded(to: &mut String, number: i64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number);
    (digits.len()..width).for_each(|_| to.push('0'));
    to.push_str(digits);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::{
        Timestamp,
        civil::{Date, DateTime},
        tz::Offset,
    };
    use proptest::prelude::*;

    use super::*;

    /// The same by a library.
    fn library(text: &str) -> Option<String> {
        let moment = match (text.parse::<Timestamp>(), text.parse::<DateTime>()) {
            (Ok(moment), _) => moment,
            (_, Ok(moment)) => Offset::UTC.to_timestamp(moment).ok()?,
            _ => Timestamp::from_millisecond(text.parse().ok()?).ok()?,
        };
        Some(moment.to_string()).filter(|text| !text.starts_with('-'))
    }

    proptest! {
        #[test]
        fn days_are_those_of_the_calendar(days in -719_528_i64..=2_932_896) {
            let day = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            prop_assert_eq!(written(days), Some(day.to_string()));
            prop_assert_eq!(number(&day.to_string()), Some(days));
        }

        #[test]
        fn a_text_is_a_day_where_the_calendar_has_one(
            text in "(0[0-9]{3}|19[0-9]{2}|2[0-9]{3})-(0[0-9]|1[0-3])-(0[0-9]|[12][0-9]|3[0-2])",
        ) {
            prop_assert_eq!(is_day(&text), text.parse::<Date>().is_ok());
        }

        #[test]
        fn a_moment_is_read_as_the_calendar_reads_it(
            day in "(0[0-9]{3}|20[0-9]{2}|9999)-(0[1-9]|1[0-2])-[0-3][0-9]",
            time in "[Tt ][0-2][0-9]:[0-6][0-9]:([0-5][0-9]|60)(\\.[0-9]{1,10}|\\.[05]0{0,3})?",
            zone in "Z|z||[+-][01][0-9]:[0-6][0-9]",
        ) {
            let text = format!("{day}{time}{zone}");
            prop_assert_eq!(moment_of(&text), library(&text));
        }

        #[test]
        fn milliseconds_are_counted_from_1970(milliseconds in -62_167_219_200_000_i64..=253_402_207_200_999) {
            let text = milliseconds.to_string();
            prop_assert_eq!(moment_of(&text), library(&text));
            prop_assert_eq!(day_of(&text), library(&text).map(|moment| moment.split('T').next().unwrap().to_owned()));
        }

        #[test]
        fn no_text_is_too_strange(text in "[0-9TZ :.+-]{0,32}|\\PC{0,20}") {
            let _ = (moment_of(&text), day_of(&text), is_day(&text));
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
    fn what_the_host_cannot_read_is_no_moment() {
        assert_eq!(
            moment_of("9999-12-30T22:00:00.5Z"),
            library("9999-12-30T22:00:00.5Z")
        );
        for text in [
            "9999-12-30T22:00:01Z",
            "9999-12-31 00:00:00",
            "0000-01-01T00:00:00+00:01",
            "253402207201000",
            "-62167219200001",
        ] {
            assert_eq!(moment_of(text), None, "{text}");
        }
        assert_eq!(moment_of("2026-11-22").as_deref(), Some("2026-11-22T00:00:00Z"));
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
        assert!(days_after("9999-12-31", 1).is_err());
        assert!(days_after("2026-11-22", i64::MAX).is_err());
    }
}
