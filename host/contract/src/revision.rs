//! A revision: a component with everything that decides what it answers.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{digest::Digest, isolation::Kept, limits::Limits};

/// Something a plugin may import, granted by its binding.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Grant {
    /// Lines for its owner: `log`.
    Log,
    /// A reference table: `reference:NAME`.
    Reference(String),
    /// Links into a system: `links:SYSTEM`.
    Links(String),
}

/// A text names no grant.
#[derive(Debug, Error)]
#[error("`{0}` is not a grant: write `log`, `reference:TABLE` or `links:SYSTEM`")]
pub struct NotAGrant(String);

impl FromStr for Grant {
    type Err = NotAGrant;

    fn from_str(text: &str) -> Result<Self, NotAGrant> {
        match text.split_once(':') {
            None if text == "log" => Ok(Self::Log),
            Some(("reference", name)) if !name.is_empty() => Ok(Self::Reference(name.to_owned())),
            Some(("links", name)) if !name.is_empty() => Ok(Self::Links(name.to_owned())),
            _ => Err(NotAGrant(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Grant {
    type Error = NotAGrant;

    fn try_from(text: String) -> Result<Self, NotAGrant> {
        text.parse()
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("log"),
            Self::Reference(name) => write!(f, "reference:{name}"),
            Self::Links(name) => write!(f, "links:{name}"),
        }
    }
}

impl JsonSchema for Grant {
    fn schema_name() -> Cow<'static, str> {
        "Grant".into()
    }

    /// By hand, because a grant is a text of its own grammar.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Something a plugin may import: `log`, lines for its owner; `reference:TABLE`, a table under [tables]; `links:SYSTEM`, links into a system under [connect.systems].",
            "type": "string",
            "pattern": "^(log|reference:.+|links:.+)$",
        })
    }
}

/// Reference tables by name: keys and rows.
pub type Tables = BTreeMap<String, BTreeMap<String, serde_json::Value>>;

/// A component with its settings, grants, limits, reference data and isolation.
///
/// Immutable: another value in any part is another revision with another
/// [`id`](Self::id). Messages are pinned to the id.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Revision {
    /// The plugin's name: the file's name without `.wasm`.
    pub plugin: String,
    /// The digest of the component's bytes.
    pub component: Digest,
    /// The settings that each call is handed.
    pub settings: serde_json::Value,
    /// What it may import.
    pub grants: BTreeSet<Grant>,
    /// How much one call may use.
    pub limits: Limits,
    /// The granted reference tables.
    #[serde(default)]
    pub tables: Tables,
    /// For how many calls of which binding an instance is kept; none where each call has a
    /// fresh one. Left out of the JSON then, so that a revision from before there was a
    /// choice keeps its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

impl Revision {
    /// The digest of all parts, which is the revision's name.
    ///
    /// Computed over the canonical JSON form (keys sorted, no spaces), so that
    /// the order in which a config names settings makes no difference.
    pub fn id(&self) -> Digest {
        Digest::of(canonical_json(&serde_json::json!(self)).as_bytes())
    }
}

/// JSON with sorted keys and without spaces: one text for each value.
pub fn canonical_json(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            let parts: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical_json(value)))
                .collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(canonical_json).collect();
            format!("[{}]", parts.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn revision() -> Revision {
        Revision {
            plugin: "map-hubspot".to_owned(),
            component: Digest::of(b"wasm"),
            settings: json!({"b": 1, "a": [true, null]}),
            grants: BTreeSet::from([Grant::Log]),
            limits: Limits::default(),
            tables: Tables::new(),
            kept: None,
        }
    }

    fn kept_for(binding: &str) -> Revision {
        Revision {
            kept: Some(Kept {
                calls: 100.try_into().unwrap_or_else(|error| unreachable!("{error}")),
                binding: binding.to_owned(),
            }),
            ..revision()
        }
    }

    #[test]
    fn a_revision_keeps_the_id_that_it_had() {
        let text = r#"{"component":"COMPONENT","grants":["log"],"limits":{"depth":64,"fuel":100000000,"host-bytes":4194304,"host-calls":10000,"instances":60,"items":50000,"log-bytes":65536,"log-lines":200,"memories":4,"memory":67108864,"table-entries":20000,"time-ms":1000,"transfer":16777216},"plugin":"map-hubspot","settings":{"a":[true,null],"b":1},"tables":{}}"#;
        let text = text.replace("COMPONENT", &Digest::of(b"wasm").to_string());
        assert_eq!(canonical_json(&json!(revision())), text);
        assert_eq!(
            revision().id().to_string(),
            "0900466acd3ee1b6301a5475862a59c08119cc431038fa5ba7d682087842d56d"
        );
    }

    #[test]
    fn kept_instances_belong_to_one_binding() {
        assert_ne!(kept_for("judge region=de").id(), revision().id());
        assert_ne!(kept_for("judge region=de").id(), kept_for("judge region=in").id());
        assert_eq!(kept_for("judge region=de").id(), kept_for("judge region=de").id());
    }

    #[test]
    fn order_of_settings_makes_no_other_revision() {
        let mut other = revision();
        other.settings = json!({"a": [true, null], "b": 1});
        assert_eq!(revision().id(), other.id());
    }

    #[test]
    fn any_changed_part_makes_another_revision() {
        let mut settings = revision();
        settings.settings = json!({"b": 2, "a": [true, null]});
        let mut limits = revision();
        limits.limits.fuel += 1;
        let mut grants = revision();
        grants.grants.insert(Grant::Links("odoo".to_owned()));
        for other in [settings, limits, grants] {
            assert_ne!(revision().id(), other.id());
        }
    }

    #[test]
    fn the_schema_names_every_kind_of_grant() {
        let schema = schemars::schema_for!(Grant);
        let about = schema.get("description").and_then(|text| text.as_str());
        let grants = [
            Grant::Log,
            Grant::Reference("r".to_owned()),
            Grant::Links("l".to_owned()),
        ];
        for grant in grants {
            let text = grant.to_string();
            let kind = text.split(':').next().unwrap_or_default();
            assert!(
                about.is_some_and(|about| about.contains(&format!("`{kind}"))),
                "{kind}"
            );
        }
    }

    #[test]
    fn grants_are_text_and_others_are_refused_with_the_way_out() {
        for text in ["log", "reference:rates", "links:odoo"] {
            assert_eq!(
                text.parse::<Grant>()
                    .map(|grant| grant.to_string())
                    .ok()
                    .as_deref(),
                Some(text)
            );
        }
        let error = "network".parse::<Grant>().map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("`network` is not a grant: write `log`, `reference:TABLE` or `links:SYSTEM`".to_owned())
        );
    }
}
