//! How calls of a plugin are kept apart: what a binding chooses, and what its revision
//! keeps of that.
//!
//! Which calls really share an instance, and which one is its last, is the sandbox's.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most calls that one instance may be allowed. A fresh instance of CPython costs
/// 4 ms, which over a thousand calls is 4 us each: more would gain nothing that can be
/// measured, and what leaks in an instance has an end.
pub const MAX_KEPT_CALLS: u32 = 1_000;

/// How a binding's calls are kept apart from each other.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Each call has a fresh instance: nothing can pass from one message to another.
    #[default]
    Fresh,
    /// An instance serves up to so many calls of this binding, and of no other one. How
    /// many it really serves is drawn at random for each instance; one that answers with
    /// a fault or does not answer serves no more. For plugins in JavaScript and Python,
    /// where a fresh instance costs 0.5 to 4 ms.
    Calls(Calls),
}

/// How many calls an instance may serve: 2 to [`MAX_KEPT_CALLS`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "u32", try_from = "u32")]
pub struct Calls(u32);

/// A number of calls that no instance serves.
#[derive(Debug, Error)]
#[error("an instance serves 2 to {MAX_KEPT_CALLS} calls; `isolation = \"fresh\"` gives each call its own")]
pub struct NoSuchCalls;

impl Calls {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Calls {
    type Error = NoSuchCalls;

    fn try_from(calls: u32) -> Result<Self, NoSuchCalls> {
        match calls {
            2..=MAX_KEPT_CALLS => Ok(Self(calls)),
            _ => Err(NoSuchCalls),
        }
    }
}

impl From<Calls> for u32 {
    fn from(calls: Calls) -> Self {
        calls.0
    }
}

impl JsonSchema for Calls {
    fn schema_name() -> Cow<'static, str> {
        "Calls".into()
    }

    fn inline_schema() -> bool {
        true
    }

    /// By hand, because the number has bounds.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 2, "maximum": MAX_KEPT_CALLS })
    }
}

/// What a revision has of an isolation other than the strictest: for how many calls an
/// instance is kept, and for whom.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Kept {
    /// The most calls.
    pub calls: Calls,
    /// The binding's name. It makes another revision for each binding, so that two
    /// bindings that are alike in everything else are loaded apart and share no instance.
    pub binding: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isolation_reads_as_it_is_written_in_a_config() {
        let read = |text: &str| serde_json::from_str::<Isolation>(text).map_err(|error| error.to_string());
        assert_eq!(read(r#""fresh""#), Ok(Isolation::Fresh));
        assert_eq!(read(r#"{"calls": 100}"#), Ok(Isolation::Calls(Calls(100))));
        for calls in [0, 1, MAX_KEPT_CALLS + 1] {
            let refused = read(&format!(r#"{{"calls": {calls}}}"#));
            assert!(
                refused.is_err_and(|text| text.contains("2 to 1000 calls")),
                "{calls}"
            );
        }
    }
}
