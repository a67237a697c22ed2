//! What a client reads: the shapes of all answers, for whoever parses them too.
//!
//! Statuses, messages, entries and events are the journal's own, plugins and
//! bindings the registry's: the same words everywhere.

use cambist_contract::{
    Decimal,
    canonical::EntityRef,
    digest::Digest,
    message::{Message, MessageId},
    stage::Stage,
};
use cambist_journal::{
    Entry, Event, Status,
    comparison::Comparisons,
    erasure::{Erased, Linked},
    replay::{Differing, Replay},
};
use cambist_registry::{BindingStatus, HeldStatus, PluginStatus};
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

/// `GET /api/status`: how the host stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Standing {
    /// When it stood so.
    pub at: jiff::Timestamp,
    /// All messages together.
    #[serde(flatten)]
    pub left: Left,
    /// By flow and region.
    pub backlogs: Vec<BacklogStanding>,
    /// The systems that are called, by their names.
    pub systems: Vec<SystemStanding>,
    /// Why messages rest, the most frequent cause first.
    pub parked: Vec<ParkedCount>,
    /// The journal.
    pub journal: JournalStanding,
}

/// How many messages stand where, and how fast they end.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Left {
    /// Those that are due, now or later.
    pub due: u64,
    /// Those that rest: parked, held, or waiting for an entity.
    pub resting: u64,
    /// Those that ended.
    pub ended: u64,
    /// Those that end in a minute, at the rate of the last one.
    pub ended_per_minute: u64,
    /// Seconds until what is due has ended at that rate; absent where nothing ended in the last minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// The messages of a flow and a region; or of a system, before it is known whose they are.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BacklogStanding {
    /// The flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// The region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The system, where flow and region are not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// How many stand where.
    #[serde(flatten)]
    pub left: Left,
}

/// Whether a system is asked, and how much at once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SystemStanding {
    /// Its name in the config.
    pub system: String,
    /// `asked`; `tried`, by one message at a time; `left-alone`, after trouble of its own; `spared`, as it asked for.
    pub state: String,
    /// Seconds until it is tried or asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Reads, or steps of plans, that may be at it at once now.
    pub at_once: u32,
    /// The same, as the config has it.
    pub at_once_most: u32,
}

/// How many messages rest for one reason before one stage.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ParkedCount {
    /// The code; `held` for those that policy holds, `waiting` for those that wait for an entity.
    pub code: String,
    /// The stage they stand before.
    pub stage: Stage,
    /// How many there are.
    pub messages: u64,
}

/// How the journal is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalStanding {
    /// When the message that has been due the longest was received; absent where none is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_due: Option<jiff::Timestamp>,
    /// What keeps it from being written; absent where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// `GET /api/links` and `POST /api/links/unlink`: links that there are, or were.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Links {
    /// The links.
    pub links: Vec<Linked>,
}

/// `POST /api/journal/erase`: what went, or would go.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Erasing {
    /// Whether it was only looked for.
    pub dry: bool,
    /// The messages, the oldest first.
    pub messages: Vec<ErasingMessage>,
    /// The entities whose links went.
    pub entities: Vec<EntityRef>,
    /// Whether none of it is on the journal's disk any more. Where it is not, something reads
    /// the journal: ask the same again afterwards.
    pub forgotten: bool,
}

/// One message of an erasure.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ErasingMessage {
    /// Where it stands.
    pub status: Status,
    /// What became of it, or would.
    pub became: Erased,
}

/// `GET /api/parked`: what waits for a person, by what would make it go on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Parked {
    /// Each cause, the most frequent first; those of the code that was asked for.
    pub causes: Vec<ParkedCause>,
    /// The messages of the code that was asked for, the newest first; none where none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<ParkedMessage>,
    /// The value of `before` that asks for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_before: Option<u64>,
}

/// Messages that rest for one reason before one stage.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ParkedCause {
    /// The code; `held` for those that policy holds, `waiting` for those that wait for an
    /// entity.
    pub code: String,
    /// The stage they stand before.
    pub stage: Stage,
    /// How many there are.
    pub messages: u64,
    /// How many messages wait behind them, each behind one of its key.
    #[serde(default)]
    pub behind: u64,
    /// When the oldest was received.
    pub oldest: jiff::Timestamp,
    /// The oldest.
    pub example: MessageId,
    /// Why the oldest rests, as a person reads it.
    pub reason: String,
    /// What would make them go on.
    pub way_out: String,
}

/// A message that rests, with what a person needs to choose what comes first.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ParkedMessage {
    /// Where it stands.
    pub status: Status,
    /// Why, as a report groups it.
    pub code: String,
    /// The stage it stands before.
    pub stage: Stage,
    /// Why, as a person reads it.
    pub reason: String,
    /// What would make it go on.
    pub way_out: String,
    /// The customer's name, where a stage has come to know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// What it is worth, where a stage has come to know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Who has edited its input, and why; the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<String>,
}

/// Money, and what says so.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Amount {
    /// How much.
    pub amount: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// Where it is from: `assessment` and `invoice` are with tax, `contract` and `opportunity`
    /// without.
    pub of: String,
}

/// `POST /api/parked/retry`: what was made to go on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Retried {
    /// Those that go on.
    pub retried: Vec<MessageId>,
    /// Those that do not.
    pub refused: Vec<NotRetried>,
    /// The value of `before` that goes on with the next ones of the cause; absent when all were
    /// asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_before: Option<u64>,
}

/// A message that was to be retried and was not.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NotRetried {
    /// The message.
    pub id: String,
    /// Why not, as a person reads it.
    pub reason: String,
}

/// `GET /api/replays`: what was ordered to be replayed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Replays {
    /// The newest first.
    pub replays: Vec<Replay>,
}

/// `GET /api/replays/{number}`: one order, and what came of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReplayReport {
    /// The order, and how far it has come.
    #[serde(flatten)]
    pub replay: Replay,
    /// Messages that would come out otherwise, those first that differ by the most money.
    pub differing: Vec<Differing>,
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
    /// Plugins that are served by other revisions for it, or not any more.
    pub plugins: Vec<String>,
    /// What does not serve any more, because a key was revoked or it does not pass on the new terms.
    #[serde(default)]
    pub out: Vec<TakenOut>,
    /// Plugins that go on serving older revisions whole; what the config says of them holds when that ends.
    #[serde(default)]
    pub held: Vec<HeldStatus>,
    /// Settings that differ and hold after a restart, such as `[host] listen`.
    pub restart: Vec<String>,
}

/// A component that another config has taken out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TakenOut {
    /// The plugin.
    pub plugin: String,
    /// The component.
    pub component: Digest,
    /// Whether it stood beside the live one, which serves on; else nothing of the plugin does.
    pub beside: bool,
    /// Why.
    pub reason: String,
}

/// `POST` and `GET /api/reconcile`: what differs between both sides, a report for each region and month.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reports {
    /// The reports.
    pub reports: Vec<serde_json::Value>,
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
