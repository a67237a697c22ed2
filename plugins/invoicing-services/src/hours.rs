//! How many hours are counted: rounded by entry, by a worker's day or by line, and never
//! less than the minimum.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;

use crate::{
    billed::key,
    items::Time,
    rules::{Hours, Per, Round},
};

/// The hours that the time of one line counts.
///
/// # Errors
///
/// The hours have more digits than can be computed with.
pub fn counted(time: &[Time<'_>], rules: &Hours) -> Result<Amount> {
    let parts: Vec<Amount> = match rules.per {
        Per::Entry => time.iter().map(|time| time.hours).collect(),
        Per::Line => vec![approved(time)],
        Per::Day => {
            let mut days: BTreeMap<_, Amount> = BTreeMap::new();
            for time in time {
                let worker = time.sheet.worker.as_ref().map(key);
                *days.entry((worker, time.day)).or_default() += time.hours;
            }
            days.into_values().collect()
        }
    };
    let counted = parts.into_iter().map(|hours| one(hours, rules));
    counted.sum::<Option<Amount>>().ok_or_else(too_many)
}

/// The hours that were approved.
pub fn approved(time: &[Time<'_>]) -> Amount {
    time.iter().map(|time| time.hours).sum()
}

/// A quantity of a line, with at most so many digits behind the point.
///
/// # Errors
///
/// As [`counted`].
pub fn quantity(hours: Amount, hours_of_unit: Amount, digits: u32) -> Result<Decimal> {
    // nearly all time is sold by the hour, and a division costs more than all else here
    let quantity = match hours_of_unit == Amount::ONE {
        true => Some(hours),
        false => hours.checked_div(hours_of_unit),
    };
    let rounded = quantity.and_then(|quantity| match quantity.scale() <= digits {
        true => Some(quantity),
        false => to_step(quantity, Amount::new(1, digits), Round::Nearest),
    });
    rounded.ok_or_else(too_many)?.normalize().exact()
}

fn one(hours: Amount, rules: &Hours) -> Option<Amount> {
    let rounded = match &rules.step {
        None => hours,
        Some(step) => to_step(hours, step.value(), rules.round)?,
    };
    let least = rules
        .minimum
        .as_ref()
        .map(Decimal::value)
        .filter(|_| hours > Amount::ZERO);
    Some(least.map_or(rounded, |least| rounded.max(least)))
}

/// The multiple of a step that a number is rounded to.
fn to_step(number: Amount, step: Amount, round: Round) -> Option<Amount> {
    let steps = number.abs().checked_div(step)?;
    let whole = match round {
        Round::None => return Some(number),
        Round::Up => steps.ceil(),
        Round::Nearest => steps.checked_add(dec!(0.5))?.floor(),
        Round::Down => steps.floor(),
    };
    let rounded = whole.checked_mul(step)?;
    Some(if number < Amount::ZERO { -rounded } else { rounded })
}

fn too_many() -> Fault {
    invalid(
        "timesheets",
        "have hours of more digits than can be computed with; use fewer",
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_way_does_what_its_name_says() {
        // a quarter of an hour, and six minutes, which lawyers count in
        for (hours, step, up, nearest, down) in [
            (dec!(1.01), dec!(0.25), dec!(1.25), dec!(1), dec!(1)),
            (dec!(1.125), dec!(0.25), dec!(1.25), dec!(1.25), dec!(1)),
            (dec!(1.25), dec!(0.25), dec!(1.25), dec!(1.25), dec!(1.25)),
            (dec!(0.35), dec!(0.1), dec!(0.4), dec!(0.4), dec!(0.3)),
            (dec!(-1.01), dec!(0.25), dec!(-1.25), dec!(-1), dec!(-1)),
            (dec!(0), dec!(0.25), dec!(0), dec!(0), dec!(0)),
        ] {
            let ways = [Round::Up, Round::Nearest, Round::Down].map(|way| to_step(hours, step, way).unwrap());
            assert_eq!(ways, [up, nearest, down], "{hours}");
            assert_eq!(to_step(hours, step, Round::None), Some(hours));
        }
    }

    #[test]
    fn the_minimum_is_for_time_that_was_given() {
        let rules = Hours {
            minimum: Some(1.into()),
            ..Hours::default()
        };
        for (hours, counts) in [
            (dec!(0.2), dec!(1)),
            (dec!(1.2), dec!(1.2)),
            (dec!(0), dec!(0)),
            (dec!(-0.2), dec!(-0.2)),
        ] {
            assert_eq!(one(hours, &rules), Some(counts));
        }
    }

    #[test]
    fn a_third_of_a_unit_has_the_digits_that_are_asked_for() {
        assert_eq!(quantity(dec!(10), dec!(7.5), 2).unwrap(), "1.33".parse().unwrap());
        assert_eq!(
            quantity(dec!(-10), dec!(7.5), 4).unwrap(),
            "-1.3333".parse().unwrap()
        );
    }
}
