//! JSON that is passed through as text: neither parsed nor printed on its way.

use std::{borrow::Borrow, fmt, ops::Deref, sync::OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value, value::RawValue};

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

    /// What a value of ours is as JSON.
    ///
    /// # Errors
    ///
    /// It cannot be written as JSON, such as a map whose keys are no texts.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Self::parse(serde_json::to_string(value)?)
    }

    /// Whether it is nested at most so many levels deep.
    pub fn fits(&self, levels: usize) -> bool {
        fits(self.as_str(), levels)
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

/// Whether a JSON text is nested at most so many levels of arrays and objects: one
/// pass, without parsing. What it says of a text that is not JSON means nothing.
pub fn fits(text: &str, levels: usize) -> bool {
    // each level has a bracket that opens and one that closes
    if text.len() <= 2 * levels {
        return true;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > levels {
                    return false;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// A JSON object that is passed through as text until somebody looks into it:
/// what a plugin says in a target's words.
///
/// It is a map to whoever reads it, and parsed the first time. In JSON it stands as
/// its text.
#[derive(Clone)]
pub struct JsonObject {
    text: Json,
    members: OnceLock<Map<String, Value>>,
}

impl JsonObject {
    /// Takes a text in.
    ///
    /// # Errors
    ///
    /// It is not JSON, or not an object; the error never quotes it.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        Self::of(Json::parse(text)?)
    }

    fn of(text: Json) -> Result<Self, serde_json::Error> {
        // well-formed and without white space before it, so that one byte tells
        if !text.as_str().starts_with('{') {
            return Err(serde_json::Error::custom("it is not an object"));
        }
        Ok(Self {
            text,
            members: OnceLock::new(),
        })
    }
}

impl Deref for JsonObject {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        self.members
            .get_or_init(|| serde_json::from_str(self.text.as_str()).unwrap_or_default())
    }
}

impl From<Map<String, Value>> for JsonObject {
    fn from(members: Map<String, Value>) -> Self {
        Self {
            text: Json::from(Value::Object(members)),
            members: OnceLock::new(),
        }
    }
}

impl Default for JsonObject {
    fn default() -> Self {
        Map::new().into()
    }
}

impl PartialEq for JsonObject {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for JsonObject {}

impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(to)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::of(Json::deserialize(from)?).map_err(D::Error::custom)
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
    fn an_object_is_a_map_to_whoever_looks_into_it() {
        let object = JsonObject::parse(r#" {"b": 1, "a": [2.50]} "#.to_owned()).unwrap();
        assert_eq!(object.keys().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(
            object,
            JsonObject::from(json!({"a": [2.50], "b": 1}).as_object().unwrap().clone())
        );
        assert_eq!(
            serde_json::to_string(&object).unwrap(),
            r#"{"b": 1, "a": [2.50]}"#
        );
        for other in ["[]", "1", "{", "{} {}", ""] {
            assert!(JsonObject::parse(other.to_owned()).is_err(), "{other}");
        }
    }

    #[test]
    fn it_can_be_part_of_a_parsed_value() {
        let json: Json = serde_json::from_value(json!({"a": 1})).unwrap();
        assert_eq!(json, Json::from(json!({"a": 1})));
        assert!(Json::parse("{".to_owned()).is_err());
    }
}
