//! A value as `load` takes it: text.
//!
//! `load` was made for spreadsheets. It understands text for every field; numbers and truth values only for some, and fails
//! on the others with an error from deep inside, so everything goes as text.

use serde_json::Value;

/// The text of a value; none for a list with lists or objects in it.
pub(crate) fn cell(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => String::new(),
        Value::Bool(truth) => if *truth { "1" } else { "0" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let plain = |item: &Value| match item {
                Value::String(_) | Value::Number(_) => cell(item),
                _ => None,
            };
            items.iter().map(plain).collect::<Option<Vec<_>>>()?.join(",")
        }
        // a field of kind json, such as a distribution over analytic accounts
        Value::Object(_) => value.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_has_its_text() {
        let cases = [
            (json!(null), Some("")),
            (json!(true), Some("1")),
            (json!(false), Some("0")),
            (json!(12), Some("12")),
            (json!(0.5), Some("0.5")),
            (json!("1200.00"), Some("1200.00")),
            (json!(["hub.t1", "hub.t2"]), Some("hub.t1,hub.t2")),
            (json!([]), Some("")),
            (json!({"7": 100}), Some(r#"{"7":100}"#)),
            (json!([["no"]]), None),
        ];
        for (value, text) in cases {
            assert_eq!(cell(&value).as_deref(), text, "{value}");
        }
    }
}
