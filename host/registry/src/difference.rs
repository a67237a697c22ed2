//! Where two JSON values begin to differ, told in a line: for authors whose case does not
//! get the answer it expects.

use cambist_contract::Decimal;
use serde_json::Value;

/// The longest place, and the longest value, that is told, in bytes. What a person needs
/// is the field and enough of its value to know it again; a case's data may be a document.
const TOLD: usize = 100;

/// The first difference in the order of `expected`'s fields, as "`place` is …, not …"; none
/// where the two are the same. A number that is only written otherwise, as `12050.00` for
/// `12050`, is told where nothing else differs.
pub(crate) fn first(expected: &Value, found: &Value) -> Option<String> {
    let mut place = String::new();
    let differs = |expected: &Value, found: &Value| expected != found && !is_same_number(expected, found);
    let sides = descend(expected, found, &mut place, &differs);
    let (expected, found) = match sides {
        Some(sides) => sides,
        None => descend(expected, found, &mut place, &|expected, found| expected != found)?,
    };
    let place = match place.as_str() {
        "" => "it".to_owned(),
        place => format!("`{}`", cut(place.trim_start_matches('.'))),
    };
    Some(match (expected, found) {
        (Some(expected), Some(found)) => format!("{place} is {}, not {}", told(found), told(expected)),
        (Some(expected), None) => format!("{place} is missing, and was to be {}", told(expected)),
        (None, Some(found)) => format!("{place} is {}, and was not to be there", told(found)),
        (None, None) => return None,
    })
}

/// What stands on each side at the first place where they differ.
type Sides<'v> = (Option<&'v Value>, Option<&'v Value>);

/// Goes down to the first difference and leaves its path in `place`. As deep as values
/// are nested, which their reader has bounded.
fn descend<'v>(
    expected: &'v Value,
    found: &'v Value,
    place: &mut String,
    differs: &dyn Fn(&Value, &Value) -> bool,
) -> Option<Sides<'v>> {
    let stood = place.len();
    match (expected, found) {
        (Value::Object(wanted), Value::Object(had)) => {
            let more = had.iter().filter(|(name, _)| !wanted.contains_key(*name));
            let names = wanted.iter().chain(more).map(|(name, _)| name);
            for name in names {
                place.push('.');
                place.push_str(name);
                if let Some(sides) = at(wanted.get(name), had.get(name), place, differs) {
                    return Some(sides);
                }
                place.truncate(stood);
            }
            None
        }
        (Value::Array(wanted), Value::Array(had)) => {
            for index in 0..wanted.len().max(had.len()) {
                place.push_str(&format!("[{index}]"));
                if let Some(sides) = at(wanted.get(index), had.get(index), place, differs) {
                    return Some(sides);
                }
                place.truncate(stood);
            }
            None
        }
        _ => differs(expected, found).then_some((Some(expected), Some(found))),
    }
}

fn at<'v>(
    expected: Option<&'v Value>,
    found: Option<&'v Value>,
    place: &mut String,
    differs: &dyn Fn(&Value, &Value) -> bool,
) -> Option<Sides<'v>> {
    match (expected, found) {
        (Some(expected), Some(found)) => descend(expected, found, place, differs),
        sides => Some(sides),
    }
}

/// Whether two texts are the same number: decimals are texts, and their places behind the
/// point are no part of their value.
fn is_same_number(one: &Value, other: &Value) -> bool {
    let number = |value: &Value| value.as_str()?.parse::<Decimal>().ok();
    number(one).is_some_and(|one| number(other) == Some(one))
}

fn told(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    let (kept, rest) = text.split_at(text.floor_char_boundary(TOLD));
    let end = if rest.is_empty() { "" } else { "…" };
    format!("{kept}{end}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_told_with_its_place_and_both_values() {
        let expected = json!({"changes": [{"name": "A"}, {"name": "B", "lines": [1, 2]}], "x": null});
        for (found, text) in [
            (
                json!({"changes": [{"name": "A"}, {"name": "C", "lines": []}], "x": 1}),
                r#"`changes[1].name` is "C", not "B""#,
            ),
            (
                json!({"changes": [{"name": "A"}, {"name": "B", "lines": [1]}], "x": null}),
                "`changes[1].lines[1]` is missing, and was to be 2",
            ),
            (
                json!({"changes": [{"name": "A", "y": 7}, {"name": "B", "lines": [1, 2]}], "x": null}),
                "`changes[0].y` is 7, and was not to be there",
            ),
            (json!([]), r#"it is [], not {"changes""#),
        ] {
            let told = first(&expected, &found);
            assert!(
                told.as_deref().is_some_and(|told| told.starts_with(text)),
                "{told:?}"
            );
        }
        assert_eq!(first(&expected, &expected.clone()), None);
    }

    #[test]
    fn a_number_that_is_only_written_otherwise_is_told_where_nothing_else_differs() {
        let expected = json!({"amount": "12050", "quantity": "1"});
        let told = |found| first(&expected, &found);
        assert_eq!(
            told(json!({"amount": "12050.00", "quantity": "-1"})).as_deref(),
            Some(r#"`quantity` is "-1", not "1""#)
        );
        assert_eq!(
            told(json!({"amount": "12050.00", "quantity": "1"})).as_deref(),
            Some(r#"`amount` is "12050.00", not "12050""#)
        );
    }

    #[test]
    fn what_is_told_is_short_however_long_the_values_are() {
        let (name, text) = ("n".repeat(10_000), "ä".repeat(10_000));
        let told = first(&json!({ &name: "a" }), &json!({ &name: text }));
        assert!(told.is_some_and(|told| told.len() < 350 && told.contains('…')));
    }
}
