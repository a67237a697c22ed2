//! A `json` field in a case stands there as JSON, not as text in quotes.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::Value;

#[expect(missing_docs, reason = "serde's own signature")]
pub fn serialize<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<Value>(text)
        .map_err(ser::Error::custom)?
        .serialize(to)
}

#[expect(missing_docs, reason = "serde's own signature")]
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let value = Value::deserialize(from)?;
    serde_json::to_string(&value).map_err(de::Error::custom)
}
