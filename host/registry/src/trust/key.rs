//! Keys that sign components: how they are written and named. Which of them counts for
//! whom is not here, but in [`trust`](super).

use std::{borrow::Cow, fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The number by which minisign tells keys apart; chosen at random when a key is made.
/// It names a key and proves nothing: whoever likes can make another with the same.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String")]
pub struct KeyId(u64);

impl KeyId {
    /// The id in what minisign writes in base64 of a public key or a signature: two bytes
    /// that name the algorithm, then eight of the id.
    pub fn of(line: &str) -> Option<Self> {
        let bytes = STANDARD.decode(line.trim()).ok()?;
        let id = bytes.get(2..10)?.try_into().ok()?;
        Some(Self(u64::from_le_bytes(id)))
    }
}

impl fmt::Display for KeyId {
    /// As minisign shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_string()
    }
}

/// A public key of minisign, in its one line of base64.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PublicKey {
    line: String,
    id: KeyId,
    key: minisign_verify::PublicKey,
}

impl PublicKey {
    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether a signature is by this key, and of these bytes.
    pub(super) fn verifies(&self, content: &[u8], signature: &minisign_verify::Signature) -> bool {
        // only what is hashed first, which is what minisign makes; one form is enough
        self.key.verify(content, signature, false).is_ok()
    }
}

/// A text is no public key.
#[derive(Debug, Error)]
#[error(
    "not a public key of minisign; give the line that begins with `RW` of the file that `cambist plugin key` or \
     `minisign -G` made, the one that ends with .pub"
)]
pub struct NotAKey;

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        Ok(Self {
            id: KeyId::of(text).ok_or(NotAKey)?,
            key: minisign_verify::PublicKey::from_base64(text).map_err(|_| NotAKey)?,
            line: text.to_owned(),
        })
    }
}

impl TryFrom<String> for PublicKey {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.line
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.line)
    }
}

impl JsonSchema for PublicKey {
    fn schema_name() -> Cow<'static, str> {
        "PublicKey".into()
    }

    /// By hand, because a key is a text of its own form.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A public key of minisign: the second line of the .pub file that `cambist plugin key` makes.",
            "type": "string",
            "pattern": "^RW[A-Za-z0-9+/]{54}$",
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The key of minisign's own releases, from its documentation, and its id as minisign
    /// shows it.
    const MINISIGN: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_key_is_named_as_minisign_names_it() {
        let key: PublicKey = MINISIGN.parse().unwrap();
        assert_eq!(key.id().to_string(), "E7620F1842B4E81F");
        assert_eq!(String::from(key), MINISIGN);
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_way_out() {
        let file = format!("untrusted comment: x\n{MINISIGN}");
        for text in ["", "RW", "a plain text", &MINISIGN[..54], &file] {
            let error = text.parse::<PublicKey>().unwrap_err().to_string();
            assert!(error.contains("begins with `RW`"), "{text}: {error}");
        }
    }
}
