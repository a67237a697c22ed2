//! Secrets, and references to them: a value that never shows itself, and the
//! name of the place that holds it.
//!
//! Nothing is read here. The config names a place by [`SecretRef`]; only the app
//! reads environment and files, and hands every other crate a [`Secret`].

use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};
use thiserror::Error;

/// What is shown in place of a secret.
const REDACTED: &str = "[secret]";

/// A secret: never empty, and never shown by `{}`, `{:?}`, a log or JSON.
///
/// It can be neither serialized nor compared with `==`, which would take longer
/// the more of a guess is right. Whoever needs its text says so with
/// [`expose`](Self::expose), so that all uses are found by one search.
#[derive(Clone)]
pub struct Secret(String);

/// Where the config says that a secret is; in TOML `{ env = "NAME" }` or
/// `{ file = "/path" }`.
///
/// There is no form that holds the secret itself, so that a config can be shown,
/// kept under version control and sent to a colleague.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecretRef {
    /// The environment variable of this name.
    Env(String),
    /// The file at this path. One line end at its end does not count.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for SecretRef {
    /// By hand, because a derived error quotes what it found, and what it finds
    /// after a slip is the secret itself.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reference;
        impl<'de> Visitor<'de> for Reference {
            type Value = SecretRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`{ env = \"NAME\" }` or `{ file = \"/path\" }`")
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<SecretRef, E> {
                Err(E::custom(
                    "a secret does not stand in the config; write `{ env = \"NAME\" }` or `{ file = \"/path\" }`",
                ))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
                let wrong = || de::Error::custom("a secret is in one place: `env` or `file`");
                let reference = match map.next_key::<String>()?.as_deref() {
                    Some("env") => SecretRef::Env(map.next_value()?),
                    Some("file") => SecretRef::File(map.next_value()?),
                    _ => return Err(wrong()),
                };
                match map.next_key::<String>()? {
                    None => Ok(reference),
                    Some(_) => Err(wrong()),
                }
            }
        }
        from.deserialize_any(Reference)
    }
}

/// A text is not usable as a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Error)]
pub enum SecretError {
    /// There is nothing in it.
    #[error("the secret is empty; put it there, or take the reference out")]
    Empty,
    /// It has white space around it: mostly a slip, and invisible afterwards.
    #[error("the secret begins or ends with white space; take it away")]
    Padded,
}

impl Secret {
    /// Takes what an environment variable or a file holds. One line end at its
    /// end, as editors and `echo` leave it, does not count.
    ///
    /// # Errors
    ///
    /// Nothing is left, or white space surrounds it. An empty secret would make
    /// every signature one that anybody can compute.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim().is_empty() {
            return Err(SecretError::Empty);
        }
        if line.trim() != line {
            return Err(SecretError::Padded);
        }
        Ok(Self(line.to_owned()))
    }

    /// The secret itself, for computing a signature or filling a header in.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for SecretRef {
    /// As an error names it: `environment variable NAME` or `file /path`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::parse("hunter2").unwrap();
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "[secret] [secret] Some([secret])"
        );
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn one_line_end_does_not_count() {
        for text in ["a b", "a b\n", "a b\r\n"] {
            assert_eq!(Secret::parse(text).unwrap().expose(), "a b");
        }
    }

    #[test]
    fn nothing_and_padding_are_refused() {
        for text in ["", "\n", " ", " \r\n"] {
            assert_eq!(Secret::parse(text).unwrap_err(), SecretError::Empty);
        }
        for text in [" a", "a ", "a\n\n", "\ta"] {
            assert_eq!(Secret::parse(text).unwrap_err(), SecretError::Padded);
        }
    }

    #[test]
    fn a_reference_names_exactly_one_place() {
        let env: SecretRef = serde_json::from_value(json!({"env": "HUBSPOT_SECRET"})).unwrap();
        assert_eq!(env.to_string(), "environment variable HUBSPOT_SECRET");
        let file: SecretRef = serde_json::from_value(json!({"file": "/run/secrets/odoo"})).unwrap();
        assert_eq!(file.to_string(), "file /run/secrets/odoo");
        for wrong in [
            json!({"env": "A", "file": "/b"}),
            json!({"value": "hunter2"}),
            json!("hunter2"),
            json!({}),
        ] {
            let error = serde_json::from_value::<SecretRef>(wrong)
                .unwrap_err()
                .to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
