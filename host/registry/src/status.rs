//! What operators are told of plugins and bindings: shapes, and the line that tells of a hold.

use std::fmt;

use cambist_contract::{digest::Digest, stage::Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{examine::Part, standing::Standing};

/// What is known of one plugin.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PluginStatus {
    /// The plugin's name.
    pub plugin: String,
    /// The component that is live; none when none is.
    pub live: Option<Digest>,
    /// Its version, as it says itself.
    pub version: Option<String>,
    /// The component that was looked at last, live or not; none when its file is
    /// gone, or has to be looked at again.
    pub seen: Option<Digest>,
    /// What is under way with the file in the folder: it is being checked, or waits for that, and
    /// behind how many.
    #[serde(default)]
    pub checking: Option<String>,
    /// Why the one that was looked at last is not live, or why nothing is.
    pub refused: Option<String>,
    /// The component that passed and waits for somebody to make it live: the latest one.
    pub waits: Option<Digest>,
    /// What a person may do with what waits or stands beside the live one, with the commands.
    #[serde(default)]
    pub next: Vec<String>,
    /// That it serves older revisions whole, and not what the config says; none where it does not.
    #[serde(default)]
    pub held: Option<HeldStatus>,
    /// When it was looked at.
    pub at: Timestamp,
    /// What is known of its components, the latest first: all that are of use now, and
    /// some that were.
    pub components: Vec<ComponentStatus>,
}

/// That a plugin is held: somebody went back to older revisions whole.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HeldStatus {
    /// The plugin.
    pub plugin: String,
    /// The component that serves.
    pub component: Digest,
    /// Who went back.
    pub by: String,
    /// When.
    pub since: Timestamp,
    /// The component that serves when the hold ends, on the config's settings.
    pub then: Digest,
    /// Each binding, and what serves it.
    pub bindings: Vec<HeldBinding>,
    /// The command that ends it.
    pub ends: String,
}

/// A binding of a plugin that is held.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct HeldBinding {
    /// Its name, such as `judge region=de`.
    pub binding: String,
    /// The revision that serves it.
    pub revision: Digest,
    /// In what that differs from what would serve when the hold ends.
    pub differs: Vec<Part>,
}

impl fmt::Display for HeldStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.strftime("%Y-%m-%d %H:%M:%S UTC");
        write!(f, "held by {} since {since}: ", self.by)?;
        for binding in &self.bindings {
            write!(
                f,
                "`{}` is served by revision {}",
                binding.binding,
                binding.revision.short()
            )?;
            for (number, part) in binding.differs.iter().enumerate() {
                let before = if number == 0 {
                    ", other than the config's in "
                } else {
                    ", "
                };
                write!(f, "{before}{part}")?;
            }
            f.write_str("; ")?;
        }
        write!(f, "what the config says holds when `{}` ends it", self.ends)
    }
}

/// Where one component of a plugin stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComponentStatus {
    /// The component.
    pub component: Digest,
    /// Its version, as it says itself.
    pub version: Option<String>,
    /// Where it stands.
    #[serde(flatten)]
    pub standing: Standing,
    /// Since when.
    pub since: Timestamp,
    /// Who brought it there: a person, `folder`, `config` or `host`.
    pub by: String,
    /// Why it stands beside the live one no more; none when that is not what became of it last.
    pub withdrawn: Option<String>,
    /// How many messages are still to finish on it: it is drained when there are none.
    /// None where the journal does not tell.
    pub pinned: Option<u64>,
    /// What its owner should know though it passed: its cases that come near a limit, or
    /// that it has none. Of this host's last check; none where it made none.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// One binding, and what serves it now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BindingStatus {
    /// The stage.
    pub stage: Stage,
    /// The plugin.
    pub plugin: String,
    /// The flow it is for; none for all.
    pub flow: Option<String>,
    /// The region it is for; none for all.
    pub region: Option<String>,
    /// The business unit it is for; none for all.
    pub unit: Option<String>,
    /// The revision that messages are pinned to now; none when none is live.
    pub revision: Option<Digest>,
    /// The component of that revision.
    pub component: Option<Digest>,
    /// The revision that stands beside it: as a shadow, or for a share of the keys.
    pub beside: Option<Digest>,
}
