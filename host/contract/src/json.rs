//! JSON that is passed through as text: neither parsed nor printed on its way.

use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, value::RawValue};

/// A JSON text that is known to be well-formed.
///
/// In JSON it stands as it is, not as text in quotes. Two are equal when their
/// values are, whatever their white space and the order of their keys.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Takes a text in.
    ///
    /// # Errors
    ///
    /// It is not JSON; the error tells where, and never quotes it.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.as_str()).unwrap_or_default()
    }

    /// An object without fields.
    pub fn empty_object() -> Self {
        Self::from(&Value::Object(serde_json::Map::new()))
    }
}

impl<V: Borrow<Value>> From<V> for Json {
    fn from(value: V) -> Self {
        let text = value.borrow().to_string();
        // a printed value is JSON; `null` stands in for the impossible
        Self(RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str() || self.value() == other.value()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(from).map(Self)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_goes_through_as_it_is_and_numbers_keep_their_digits() {
        let text = r#"{"amount":0.10000000000000000001,"b":[ ]}"#;
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
    }

    #[test]
    fn it_can_be_part_of_a_parsed_value() {
        let json: Json = serde_json::from_value(json!({"a": 1})).unwrap();
        assert_eq!(json, Json::from(json!({"a": 1})));
        assert!(Json::parse("{".to_owned()).is_err());
    }
}
