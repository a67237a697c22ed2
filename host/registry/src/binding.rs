//! Bindings: which plugin serves which stage for whom, on which terms.

use std::collections::BTreeSet;

use cambist_contract::{digest::Digest, isolation::Isolation, limits::Limits, revision::Grant, stage::Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which plugin serves a stage for a flow, a region and a unit, and on which
/// terms. Of the bindings that fit a message the most specific one serves it: a
/// named unit counts more than a named region, a region more than a flow.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Binding {
    /// The stage: `read`, `judge`, `draft`, `tax` or `write`.
    pub stage: Stage,
    /// The plugin, by its file's name without `.wasm`.
    pub plugin: String,
    /// The digest of the one component that may serve it, as `cambist plugin inspect`
    /// tells it; any that passes if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Digest>,
    /// Only messages of this flow; all if it is left out.
    pub flow: Option<String>,
    /// Only messages of this region; all if it is left out.
    pub region: Option<String>,
    /// Only messages of this business unit; all if it is left out.
    pub unit: Option<String>,
    /// What the plugin is handed with every call; its README says what it knows.
    #[serde(default = "no_settings")]
    pub settings: serde_json::Value,
    /// What the plugin may import. `log` alone if it is left out.
    #[serde(default = "log_only")]
    pub grants: BTreeSet<Grant>,
    /// How much one call may use; each limit has a default.
    #[serde(default)]
    pub limits: Limits,
    /// How calls are kept apart: `"fresh"`, which it is if it is left out, or for so many
    /// calls of this binding at most, `{ calls = 100 }`.
    #[serde(default)]
    pub isolation: Isolation,
}

fn no_settings() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

fn log_only() -> BTreeSet<Grant> {
    BTreeSet::from([Grant::Log])
}

/// What a message is, as far as bindings care.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its flow.
    pub flow: &'a str,
    /// Its region.
    pub region: &'a str,
    /// Its business unit; empty when there is none.
    pub unit: &'a str,
    /// Its key, which says whether it is in a share.
    pub key: &'a str,
}

impl Binding {
    /// The binding's name: its stage and for whom it is, such as `tax region=de`. No two
    /// of a config have the same; see [`ties_with`](Self::ties_with).
    pub fn name(&self) -> String {
        let mut name = self.stage.to_string();
        for (what, value) in [
            ("flow", &self.flow),
            ("region", &self.region),
            ("unit", &self.unit),
        ] {
            if let Some(value) = value {
                name.push_str(&format!(" {what}={value}"));
            }
        }
        name
    }

    /// How well the binding fits; none when it does not.
    pub fn fit(&self, stage: Stage, subject: Subject<'_>) -> Option<u8> {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let fitting = self.stage == stage
            && fits(&self.flow, subject.flow)
            && fits(&self.region, subject.region)
            && fits(&self.unit, subject.unit);
        fitting.then(|| self.rank())
    }

    /// A unit counts four, a region two, a flow one.
    fn rank(&self) -> u8 {
        u8::from(self.unit.is_some()) * 4
            + u8::from(self.region.is_some()) * 2
            + u8::from(self.flow.is_some())
    }

    /// Whether a message could find both of them equally good.
    pub fn ties_with(&self, other: &Self) -> bool {
        self.stage == other.stage
            && self.unit == other.unit
            && self.region == other.region
            && self.flow == other.flow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(flow: Option<&str>, region: Option<&str>, unit: Option<&str>) -> Binding {
        Binding {
            stage: Stage::Tax,
            plugin: "tax".to_owned(),
            component: None,
            flow: flow.map(str::to_owned),
            region: region.map(str::to_owned),
            unit: unit.map(str::to_owned),
            settings: no_settings(),
            grants: log_only(),
            limits: Limits::default(),
            isolation: Isolation::Fresh,
        }
    }

    #[test]
    fn unit_beats_region_and_region_beats_flow() {
        let subject = Subject {
            flow: "f",
            region: "de",
            unit: "u",
            key: "",
        };
        let rank = |binding: &Binding| binding.fit(Stage::Tax, subject);
        let ranks = [
            rank(&binding(None, None, None)),
            rank(&binding(Some("f"), None, None)),
            rank(&binding(None, Some("de"), None)),
            rank(&binding(Some("f"), Some("de"), None)),
            rank(&binding(None, None, Some("u"))),
        ];
        assert!(
            ranks.is_sorted() && ranks.iter().all(Option::is_some),
            "{ranks:?}"
        );
        assert_eq!(rank(&binding(None, Some("in"), None)), None);
    }

    #[test]
    fn two_bindings_for_the_same_are_a_tie() {
        assert!(binding(None, Some("de"), None).ties_with(&binding(None, Some("de"), None)));
        assert!(!binding(None, Some("de"), None).ties_with(&binding(None, None, None)));
    }
}
