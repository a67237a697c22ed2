//! Whether a record is in a state that a plan names.

use std::str::FromStr as _;

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value};

/// Whether a record, as `read` shows it, has all the values that a plan names.
pub(crate) fn matches(record: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted
        .iter()
        .all(|(name, value)| record.get(name).is_some_and(|found| same(found, value)))
}

/// By how much the numbers of a record are off those that a plan names: `12.80 more in amount_tax, …`; empty where none is.
pub(crate) fn difference(record: &Map<String, Value>, wanted: &Map<String, Value>) -> String {
    let off = wanted.iter().filter_map(|(name, value)| {
        let found = record.get(name)?;
        let (has, means) = (decimal(found)?, decimal(value)?);
        let off = has.round_dp_with_strategy(means.scale(), RoundingStrategy::MidpointAwayFromZero) - means;
        if off.is_zero() || !found.is_number() {
            return None;
        }
        let (off, way) = (off.abs(), if off.is_sign_negative() { "less" } else { "more" });
        Some(format!("{off} {way} in {name}"))
    });
    off.collect::<Vec<_>>().join(", ")
}

/// Whether a value of Odoo's is the one that a plan means.
fn same(found: &Value, wanted: &Value) -> bool {
    if is_empty(wanted) {
        return is_empty(found);
    }
    match (found, wanted) {
        // a record that a field points to: `[id, name]`; whoever asks by number or text means the id
        (Value::Array(pair), Value::Number(_) | Value::String(_)) if is_pointer(pair) => {
            pair.first().is_some_and(|id| same(id, wanted))
        }
        (Value::Number(_), Value::Number(_)) => match (decimal(found), decimal(wanted)) {
            (Some(found), Some(wanted)) => found == wanted,
            _ => found == wanted,
        },
        (Value::Number(_), Value::String(_)) => match (decimal(found), decimal(wanted)) {
            // Odoo computes in binary floats: 119.0 and 118.99999999999999 are both the amount that shows as 119.00
            (Some(found), Some(wanted)) => {
                found.round_dp_with_strategy(wanted.scale(), RoundingStrategy::MidpointAwayFromZero) == wanted
            }
            _ => false,
        },
        _ => found == wanted,
    }
}

/// Whether a field, as `read` shows it, has the value that a column of `load` would give it.
///
/// Beside what [`fn@matches`] takes for the same: truth values written as text, and text that Odoo keeps as a paragraph of HTML.
pub(crate) fn holds(found: &Value, column: &Value) -> bool {
    match (found, column) {
        (Value::Bool(truth), Value::String(text)) if !text.is_empty() => {
            matches!(text.to_lowercase().as_str(), "1" | "true" | "yes") == *truth
        }
        (Value::String(html), Value::String(text)) if html.starts_with("<p>") => {
            *html == format!("<p>{text}</p>")
        }
        _ => same(found, column),
    }
}

/// Odoo writes `false` for what is empty, of every kind of field.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn is_pointer(pair: &[Value]) -> bool {
    matches!(pair, [Value::Number(_), Value::String(_)])
}

/// The exact decimal of a number's or a text's digits.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let digits = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Decimal::from_str(&digits)
        .or_else(|_| Decimal::from_scientific(&digits))
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_as_people_mean_them() {
        let cases = [
            (json!("sale"), json!("sale"), true),
            (json!("sale"), json!("draft"), false),
            (json!(118.99), json!("118.99"), true),
            (json!(118.99), json!("118.990"), true),
            (json!(118.989_999_999_999), json!("118.99"), true),
            (json!(3.529_999_999_999_999_4), json!("3.53"), true),
            (json!(118.99), json!("119"), true),
            (json!(118.98), json!("118.99"), false),
            (json!(0.0), json!("0.00"), true),
            (json!(1e16), json!("10000000000000000"), true),
            (json!(5), json!(5.0), true),
            (json!([2, "Muster GmbH"]), json!(2), true),
            (json!([2, "Muster GmbH"]), json!("2"), true),
            (json!([2, "Muster GmbH"]), json!(3), false),
            (json!([5, 6]), json!([5, 6]), true),
            (json!(false), json!(null), true),
            (json!(false), json!(false), true),
            (json!(""), json!(null), true),
            (json!(0), json!(null), false),
            (json!(true), json!(null), false),
        ];
        for (found, wanted, expected) in cases {
            assert_eq!(same(&found, &wanted), expected, "{found} against {wanted}");
        }
    }

    #[test]
    fn what_is_off_is_told_to_the_cent() {
        let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
        let wanted = fields(
            json!({"state": "draft", "amount_untaxed": "1290.00", "amount_tax": "245.10", "amount_total": "1535.10"}),
        );
        let found = fields(
            json!({"state": "sale", "amount_untaxed": 1290.0, "amount_tax": 258.000_000_1, "amount_total": 1535.09}),
        );
        assert_eq!(
            difference(&found, &wanted),
            "12.90 more in amount_tax, 0.01 less in amount_total"
        );
        assert_eq!(difference(&wanted, &wanted), "");
    }

    #[test]
    fn a_field_that_is_not_there_matches_nothing() {
        let wanted = json!({"state": null}).as_object().cloned().unwrap_or_default();
        assert!(!matches(&Map::new(), &wanted));
    }

    proptest! {
        #[test]
        fn an_amount_that_went_through_a_float_is_still_the_amount(cents in -99_999_999_999_i64..99_999_999_999) {
            let amount = Decimal::new(cents, 2).to_string();
            let float: f64 = amount.parse().unwrap_or_default();
            prop_assert!(same(&json!(float), &json!(amount)));
            prop_assert!(same(&json!(float * 1.000_000_000_000_000_2), &json!(amount)));
            prop_assert!(!same(&json!(float + 0.01), &json!(amount)));
        }
    }
}
