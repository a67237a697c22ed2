//! What a mapping plugin is asked, and what it answers: `wit/*/mapping.wit`.

use serde::{Deserialize, Serialize};

use crate::{
    canonical::{Change, EntityRef},
    json::{Json, JsonObject},
    tax::Assessment,
};

/// One object of a source system, in that system's words.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Inbound {
    /// The system that sent it.
    pub system: String,
    /// What happened, in the source's words.
    pub event: String,
    /// The kind of object, in the source's words.
    pub object_kind: String,
    /// The object's id in the source.
    pub object_id: String,
    /// The object as the host read it: JSON.
    pub body: Json,
}

/// What is to be made true in a target system.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Outbound {
    /// The target.
    pub system: String,
    /// What passed ownership and policy.
    pub changes: Vec<Change>,
    /// The tax on each document among the changes.
    #[serde(default)]
    pub assessments: Vec<Assessment>,
}

/// A record as it is to be, in the target's words.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Record {
    /// The kind of record, such as `res.partner`.
    pub model: String,
    /// The id that we give it.
    pub external_id: String,
    /// Its fields; `null` empties one.
    pub values: JsonObject,
    /// The entity it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<EntityRef>,
}

/// Something that is done to a record, once.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Action {
    /// The kind of record.
    pub model: String,
    /// Its external id.
    pub external_id: String,
    /// What is done, in the target's words.
    pub name: String,
    /// The arguments.
    #[serde(default)]
    pub arguments: JsonObject,
    /// The state it is done from.
    pub from: JsonObject,
    /// The state it leads to.
    pub to: JsonObject,
}

/// One idempotent act at the target.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// The record must be there; left alone if it is.
    Ensure(Record),
    /// The record must be there with these values.
    Upsert(Record),
    /// Done once.
    Act(Action),
}

impl Command {
    /// The kind of record it is about.
    pub fn model(&self) -> &str {
        match self {
            Self::Ensure(record) | Self::Upsert(record) => &record.model,
            Self::Act(action) => &action.model,
        }
    }

    /// The external id it is about.
    pub fn external_id(&self) -> &str {
        match self {
            Self::Ensure(record) | Self::Upsert(record) => &record.external_id,
            Self::Act(action) => &action.external_id,
        }
    }
}

/// The ordered commands that make a change true.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// The commands, what is referred to before what refers to it.
    pub commands: Vec<Command>,
}
