//! A record's values as HubSpot takes them: every property is a text, and an empty one empties.

use serde_json::{Map, Value};

/// The properties of a record.
///
/// # Errors
///
/// The name of a value that is a list or an object: HubSpot knows none. Several choices of one property are one text with
/// semicolons, and a mapping writes it.
pub(crate) fn properties(values: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut properties = Map::new();
    for (name, value) in values {
        let text = text(value).ok_or_else(|| name.clone())?;
        properties.insert(name.clone(), Value::String(text));
    }
    Ok(properties)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(values: Value) -> Result<Value, String> {
        let values = values.as_object().cloned().unwrap_or_default();
        properties(&values).map(Value::Object)
    }

    #[test]
    fn every_value_is_a_text() {
        assert_eq!(
            of(json!({"a": "x", "b": null, "c": true, "d": false, "e": 17, "f": -1.5, "g": "", "h": " y"})),
            Ok(
                json!({"a": "x", "b": "", "c": "true", "d": "false", "e": "17", "f": "-1.5", "g": "", "h": " y"})
            )
        );
    }

    #[test]
    fn what_is_nested_is_named() {
        assert_eq!(of(json!({"a": 1, "tags": ["x"]})), Err("tags".to_owned()));
        assert_eq!(of(json!({"address": {"city": "x"}})), Err("address".to_owned()));
    }
}
