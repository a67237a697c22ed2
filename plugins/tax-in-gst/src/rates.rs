//! The rate of a class on a day: looks it up in `rates.csv`.

use cambist_sdk::prelude::*;

const TABLE: &str = include_str!("rates.csv");

/// The first day of GST.
pub const FIRST_DAY: &str = "2017-07-01";

/// The day whose rates apply, known to be a date and not before GST.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Day(String);

/// A row of the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// The class.
    pub class: &'static str,
    /// The whole rate in percent, as it is written.
    pub percent: &'static str,
    /// How the law sees it.
    pub treatment: &'static str,
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
    /// It is no date, or before GST.
    pub fn of(tax_point: &str) -> Result<Self> {
        let field = "document.tax-point";
        if !is_day(tax_point) {
            return Err(invalid(field, "must be a date such as 2026-11-22"));
        }
        if tax_point < FIRST_DAY {
            return Err(invalid(
                field,
                format!("must not be before {FIRST_DAY}, the first day of GST"),
            ));
        }
        Ok(Self(tax_point.to_owned()))
    }
}

impl Row {
    /// How the law sees it.
    pub fn treatment(&self) -> Treatment {
        match self.treatment {
            "reduced" => Treatment::Reduced,
            "zero" => Treatment::Zero,
            _ => Treatment::Standard,
        }
    }
}

/// The row that is in force for the line's class.
///
/// # Errors
///
/// There is no such class, or it has no rate on the day.
pub fn find(class: &str, day: &Day, index: usize) -> Result<Row> {
    let in_force =
        |row: &Row| row.from <= day.0.as_str() && (row.until.is_empty() || day.0.as_str() <= row.until);
    let field = || format!("document.lines[{index}].tax-class");
    let mut known = rows().filter(|row| row.class == class).peekable();
    if known.peek().is_none() {
        let rule =
            "must be a class of the table of rates, or be mapped to one under `tax-classes` in the settings";
        return Err(invalid(field(), rule));
    }
    known.find(in_force).ok_or_else(|| {
        invalid(
            field(),
            "has no rate on the tax point; the slab was or is not in force then",
        )
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
                class: cells.next()?,
                percent: cells.next()?,
                treatment: cells.next()?,
                from: cells.next()?,
                until: cells.next()?,
                source: cells.next()?,
            })
        })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn percent(class: &str, day: &str) -> Option<&'static str> {
        find(class, &Day::of(day).unwrap(), 0).ok().map(|row| row.percent)
    }

    #[test]
    fn every_row_is_whole_and_halves_exactly() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count(), lines);
        for row in rows() {
            let percent: Amount = row.percent.parse().unwrap();
            assert_eq!(percent / dec!(2) * dec!(2), percent);
            assert!(Day::of(row.from).is_ok() && row.source.len() > 8, "{row:?}");
            assert!(
                ["standard", "reduced", "zero"].contains(&row.treatment),
                "{row:?}"
            );
        }
    }

    #[test]
    fn the_slabs_of_2025_replace_those_of_2017() {
        assert_eq!(percent("gst-12", "2025-09-21"), Some("12"));
        assert_eq!(percent("gst-12", "2025-09-22"), None);
        assert_eq!(percent("gst-28", "2025-09-22"), None);
        assert_eq!(percent("gst-40", "2025-09-21"), None);
        assert_eq!(percent("gst-40", "2025-09-22"), Some("40"));
        assert_eq!(percent("professional-services", "2017-07-01"), Some("18"));
        assert_eq!(percent("professional-services", "2026-11-22"), Some("18"));
        assert!(Day::of("2017-06-30").is_err());
    }
}
