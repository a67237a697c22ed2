//! What a mapping plugin is asked, and what it answers: `wit/*/mapping.wit`.

mod record_key;

use serde::{Deserialize, Serialize};

pub use self::record_key::RecordKey;

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
    /// What it is found by.
    #[serde(alias = "external-id")]
    pub key: RecordKey,
    /// Its fields; `null` empties one.
    pub values: JsonObject,
    /// The entity it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<EntityRef>,
}

/// Names a record of the target.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecordName {
    /// The kind of record, such as `res.partner`.
    pub model: String,
    /// What it is found by.
    pub key: RecordKey,
}

/// Something that is done to a record, once.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Action {
    /// The kind of record.
    pub model: String,
    /// What the record is found by.
    #[serde(alias = "external-id")]
    pub key: RecordKey,
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
    /// The record must not be there; already gone is done.
    Remove(RecordName),
}

impl Command {
    /// The kind of record it is about.
    pub fn model(&self) -> &str {
        match self {
            Self::Ensure(record) | Self::Upsert(record) => &record.model,
            Self::Act(action) => &action.model,
            Self::Remove(name) => &name.model,
        }
    }

    /// What its record is found by.
    pub fn key(&self) -> &RecordKey {
        match self {
            Self::Ensure(record) | Self::Upsert(record) => &record.key,
            Self::Act(action) => &action.key,
            Self::Remove(name) => &name.key,
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
