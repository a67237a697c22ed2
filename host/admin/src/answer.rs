//! What a client reads: the shapes of all answers, for whoever parses them too.
//!
//! Statuses, messages, entries and events are the journal's own, plugins and
//! bindings the registry's: the same words everywhere.

use cambist_contract::{digest::Digest, message::Message};
use cambist_journal::{Entry, Event, Status, comparison::Comparisons};
use cambist_registry::{BindingStatus, PluginStatus};
use serde::{Deserialize, Serialize};

/// `GET /healthz` and `GET /readyz`, when all is well.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Health {
    /// Always `ok`; everything else is a problem.
    pub status: String,
}

/// A plugin that bindings name and that has no live revision.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Missing {
    /// The plugin.
    pub plugin: String,
    /// Why it is not live.
    pub reason: String,
}

/// `GET /api/messages`: messages at a glance.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Messages {
    /// The newest first.
    pub messages: Vec<Status>,
    /// The value of `before` that asks for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_before: Option<u64>,
}

/// `GET /api/messages/{id}`: one message with all that happened to it. Holds the
/// payload.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MessageStory {
    /// Where it stands.
    pub status: Status,
    /// What the system said.
    pub message: Message,
    /// What happened, oldest first.
    pub entries: Vec<Entry>,
}

/// `POST /api/messages/{id}/resume` and `…/release`: a decision that is durable.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decided {
    /// What was written.
    pub event: Event,
    /// Where the message stands since; the pipeline may have gone on already.
    pub status: Status,
}

/// `GET /api/plugins`: which plugin is live, for whom, and why not.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plugins {
    /// Every plugin that has a file or is live, by name.
    pub plugins: Vec<PluginStatus>,
    /// Every binding, in the order of the config.
    pub bindings: Vec<BindingStatus>,
}

/// `POST /api/plugins/{plugin}/…`: a step that is durable and in effect.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stepped {
    /// The component that the step was about.
    pub component: Digest,
    /// What its plugin has come to.
    pub status: PluginStatus,
}

/// `GET /api/plugins/{plugin}/diff`: how a shadow compares with what is live.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diff {
    /// The plugin.
    pub plugin: String,
    /// The component that is or was the shadow.
    pub shadow: Digest,
    /// What it came to.
    #[serde(flatten)]
    pub comparisons: Comparisons,
}

/// `POST /api/config/reload`: the config that holds now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reloaded {
    /// Plugins that are served by other revisions for it.
    pub plugins: Vec<String>,
    /// Settings that differ and hold after a restart, such as `[host] listen`.
    pub restart: Vec<String>,
}

/// `GET /api/journal/verify`: the whole chain holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verification {
    /// How many entries there are.
    pub entries: u64,
    /// The digest of the last one, to be kept elsewhere.
    pub head: Digest,
}

/// Every refusal: the members of RFC 9457, section 3.1, without `instance`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Problem {
    /// `urn:cambist:problem:` and the problem's name.
    pub r#type: String,
    /// What kind of problem it is; the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do about this one.
    pub detail: String,
    /// `not-ready` only: the plugins without a live revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

impl Health {
    pub(crate) fn ok() -> Self {
        Self {
            status: "ok".to_owned(),
        }
    }
}
