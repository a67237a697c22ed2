//! What a plugin answers when it has no answer, named by what the host does.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::canonical::EntityRef;

/// A rule that the input breaks.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Violation {
    /// The path of the field; never its value.
    pub field: String,
    /// The rule, as a sentence that tells a person what to put right.
    pub rule: String,
}

/// Why a plugin's function has no answer.
#[derive(Clone, Debug, Eq, PartialEq, Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The input breaks a rule: the message waits for a person.
    #[error("{}: {}", .0.field, .0.rule)]
    Invalid(Violation),
    /// The input refers to an entity that is not there yet.
    #[error("waits for {0}")]
    Waiting(EntityRef),
    /// Not for this plugin: the message ends as ignored.
    #[error("not handled: {0}")]
    Unhandled(String),
    /// The plugin itself failed.
    #[error("the plugin failed: {0}")]
    Broken(String),
}

/// Why something was decided; written into the evidence as it stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reason {
    /// A short, stable code that a report can group by.
    pub code: String,
    /// A sentence for a person.
    pub text: String,
    /// What it rests on: an article of law, the number of a company rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}
