//! The rate of a place and a class on a day: looks it up in `rates.csv`.
//!
//! The table is data beside the code, with a source on every line, so that a
//! change of law is a change of a line. Nothing is guessed: a day before the
//! table begins is refused.

use cambist_sdk::prelude::*;

use crate::settings::RateClass;

const TABLE: &str = include_str!("rates.csv");

/// The first day that the table speaks of.
pub const FIRST_DAY: &str = "2020-01-01";

/// The day whose rates apply, known to be a date and not before the table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Day(String);

/// A row of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// A member state, or a part of one with rates of its own.
    pub place: &'static str,
    /// The class, by its name in settings.
    pub class: &'static str,
    /// Percent, as it is written.
    pub percent: &'static str,
    /// First day.
    pub from: &'static str,
    /// Last day; empty while the rate is in force.
    pub until: &'static str,
    /// The law.
    pub source: &'static str,
}

impl Day {
    /// Checks a tax point.
    ///
    /// # Errors
    ///
    /// It is no date, or before the table begins.
    pub fn of(tax_point: &str) -> Result<Self> {
        let field = "document.tax-point";
        if !is_day(tax_point) {
            return Err(invalid(field, "must be a date such as 2026-11-22"));
        }
        if tax_point < FIRST_DAY {
            return Err(invalid(
                field,
                format!("must not be before {FIRST_DAY}, the first day of the table of rates"),
            ));
        }
        Ok(Self(tax_point.to_owned()))
    }
}

impl RateClass {
    /// The class as the table names it; none for what has no rate.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Standard => Some("standard"),
            Self::Reduced => Some("reduced"),
            Self::SecondReduced => Some("second-reduced"),
            Self::SuperReduced => Some("super-reduced"),
            Self::Exempt => None,
        }
    }
}

/// The row that is in force; none where the place has no such rate on the day.
pub fn find(place: &str, class: &str, day: &Day) -> Option<Row> {
    rows().find(|row| {
        row.place == place
            && row.class == class
            && row.from <= day.0.as_str()
            && (row.until.is_empty() || day.0.as_str() <= row.until)
    })
}

/// All rows.
pub fn rows() -> impl Iterator<Item = Row> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut cells = line.splitn(6, ',');
            Some(Row {
                place: cells.next()?,
                class: cells.next()?,
                percent: cells.next()?,
                from: cells.next()?,
                until: cells.next()?,
                source: cells.next()?,
            })
        })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::member_states::MEMBER_STATES;

    fn standard(place: &str, day: &str) -> &'static str {
        find(place, "standard", &Day::of(day).unwrap()).unwrap().percent
    }

    /// Standard rates in 2026, as two independent data sets and Odoo's charts
    /// of accounts have them.
    #[test]
    fn standard_rates_of_2026_are_those_of_three_independent_tables() {
        let expected = "AT20 BE21 BG20 CY19 CZ21 DE19 DK25 EE24 ES21 FI25.5 FR20 GR24 HR25 HU27 IE23 IT22 LT21 \
                        LU17 LV21 MT18 NL21 PL23 PT23 RO21 SE25 SI22 SK23";
        let ours: Vec<String> = MEMBER_STATES
            .iter()
            .map(|state| format!("{}{}", state.code, standard(state.code, "2026-11-22")))
            .collect();
        assert_eq!(ours.join(" "), expected);
    }

    #[test]
    fn a_rate_changes_on_the_day_the_law_says() {
        for (place, last_day, before, first_day, after) in [
            ("DE", "2020-06-30", "19", "2020-07-01", "16"),
            ("DE", "2020-12-31", "16", "2021-01-01", "19"),
            ("EE", "2023-12-31", "20", "2024-01-01", "22"),
            ("EE", "2025-06-30", "22", "2025-07-01", "24"),
            ("FI", "2024-08-31", "24", "2024-09-01", "25.5"),
            ("IE", "2021-02-28", "21", "2021-03-01", "23"),
            ("LU", "2023-12-31", "16", "2024-01-01", "17"),
            ("RO", "2025-07-31", "19", "2025-08-01", "21"),
            ("SK", "2024-12-31", "20", "2025-01-01", "23"),
            ("PT-20", "2021-06-30", "18", "2021-07-01", "16"),
        ] {
            assert_eq!(standard(place, last_day), before, "{place} {last_day}");
            assert_eq!(standard(place, first_day), after, "{place} {first_day}");
        }
    }

    #[test]
    fn every_row_is_whole_and_names_its_source() {
        let rows: Vec<Row> = rows().collect();
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows.len(), lines);
        for row in rows {
            let percent: Amount = row.percent.parse().unwrap();
            assert!(percent > Amount::ZERO && percent <= dec!(27), "{row:?}");
            assert!(row.source.len() > 8, "{row:?}");
            assert!(Day::of(row.from).is_ok(), "{row:?}");
            assert!(
                row.until.is_empty() || (Day::of(row.until).is_ok() && row.until > row.from),
                "{row:?}"
            );
        }
    }

    #[test]
    fn periods_of_a_rate_neither_overlap_nor_leave_a_gap() {
        let mut periods: BTreeMap<(&str, &str), Vec<Row>> = BTreeMap::new();
        for row in rows() {
            periods.entry((row.place, row.class)).or_default().push(row);
        }
        for rows in periods.values() {
            for pair in rows.windows(2) {
                let [earlier, later] = pair else { continue };
                assert_eq!(
                    days_after(earlier.until, 1).unwrap(),
                    later.from,
                    "{earlier:?} {later:?}"
                );
            }
        }
    }

    #[test]
    fn every_place_has_a_standard_rate_from_the_first_day() {
        for row in rows() {
            assert_ne!(standard(row.place, FIRST_DAY), "", "{row:?}");
        }
    }

    #[test]
    fn a_day_before_the_table_is_refused() {
        assert!(Day::of("2019-12-31").is_err());
        assert!(Day::of("2026-02-30").is_err());
        assert!(Day::of("").is_err());
    }
}
