//! What is to be replayed, how far that has come, and what came of it.
//!
//! An order stands beside the chain. A dry one computes and sends nothing, so nothing of it is
//! evidence; of one that is for real, each message has its own [`Event::Resumed`](crate::Event::Resumed)
//! with the order's number, who asked and why. That entry is also what keeps a message from being
//! replayed twice by one order. Which messages come next is [kept](Progress::chosen) before the first
//! of them has it: after a crash the order goes on with those, and what has the entry already is
//! counted and not sent again.

use std::{collections::BTreeMap, str::FromStr};

use async_trait::async_trait;
use cambist_contract::{Decimal, canonical::EntityRef, digest::Digest, message::MessageId, stage::Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{JournalError, comparison::Path, journal::Filter};

/// Messages that differ and are kept one by one, for each order: more than a person opens. Those
/// that differ by the most money stay.
pub const KEPT_MESSAGES: u64 = 1_000;

/// Orders that are kept with what came of them. The oldest that have ended make room.
pub const KEPT_ORDERS: u64 = 100;

/// Messages that one order may name by their ids. More of them are named by a span or a cause.
pub const MOST_IDS: usize = 1_000;

/// Which messages are meant: all that fit every part that is there.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Wanted {
    /// These.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<MessageId>,
    /// Received then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Received before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of this flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// Of this region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// From this system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// About this object, as its source calls it: `deal/7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// That have brought this entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityRef>,
    /// In this state, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// That have passed this stage last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<Stage>,
    /// That rest for this [cause](crate::journal::Cause::code).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Wanted {
    /// The messages behind an arrival, the oldest first.
    pub fn after(&self, arrival: u64, limit: usize) -> Filter {
        let this = self.clone();
        Filter {
            ids: this.ids,
            from: this.from,
            until: this.until,
            flow: this.flow,
            region: this.region,
            system: this.system,
            object: this.object,
            entity: this.entity,
            state: this.state,
            passed: this.passed,
            cause: this.cause,
            after: Some(arrival),
            limit,
            ..Filter::default()
        }
    }
}

/// On which revisions of the plugins.
///
/// As text it is `pinned`, `live`, or the id of one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Revisions {
    /// On those that each message is pinned to.
    #[default]
    Pinned,
    /// On those that are live.
    Live,
    /// On this one, where the message is pinned to a revision of the same plugin for the same
    /// stage; elsewhere on those it is pinned to.
    Named(Digest),
}

/// A text names no revisions.
#[derive(Debug, Error)]
#[error("`{0}` names no revisions: it is `pinned`, `live`, or the id of one, of 64 hex digits")]
pub struct NoRevisions(String);

impl FromStr for Revisions {
    type Err = NoRevisions;

    fn from_str(text: &str) -> Result<Self, NoRevisions> {
        match text {
            "pinned" => Ok(Self::Pinned),
            "live" => Ok(Self::Live),
            id => match id.parse() {
                Ok(id) => Ok(Self::Named(id)),
                Err(_) => Err(NoRevisions(text.to_owned())),
            },
        }
    }
}

impl TryFrom<String> for Revisions {
    type Error = NoRevisions;

    fn try_from(text: String) -> Result<Self, NoRevisions> {
        text.parse()
    }
}

impl From<Revisions> for String {
    fn from(revisions: Revisions) -> Self {
        match revisions {
            Revisions::Pinned => "pinned".to_owned(),
            Revisions::Live => "live".to_owned(),
            Revisions::Named(id) => id.to_string(),
        }
    }
}

/// What somebody wants replayed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Order {
    /// Which messages.
    pub wanted: Wanted,
    /// On which revisions.
    pub revisions: Revisions,
    /// Whether nothing is to be sent: what each message would come to is worked out up to and
    /// including `write`, and compared with what was written then.
    pub dry: bool,
    /// Where a message begins again, if it is for real.
    pub begin: Stage,
    /// Who asked.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// An order, and how far it has come.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Replay {
    /// Its number: 1 for the first of the journal.
    pub number: u64,
    /// What was asked for.
    pub order: Order,
    /// How far it has come.
    pub progress: Progress,
    /// Who has stopped it before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
}

/// How far an order has come, and what came of it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Progress {
    /// The arrival of the newest message when the order was begun; what comes later is not meant.
    /// None before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The arrival of the message that was looked at last.
    pub reached: u64,
    /// Messages that were replayed, or computed.
    pub messages: u64,
    /// Messages that were left as they are, by why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, u64>,
    /// Dry: how the messages came out.
    pub report: Report,
    /// For real: what became of the messages, by the word for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub came_to: BTreeMap<String, u64>,
    /// For real: messages that were chosen and are sent next, which all have been looked at. Kept
    /// before the first of them is sent: from then on it may be none that is wanted, as one that
    /// was looked for because it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<MessageId>,
    /// For real: messages that are on their way again and have not come to rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub under_way: Vec<MessageId>,
    /// When it was through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// How messages that were computed again compare with what was written then.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// Those that would write something else, or end otherwise.
    pub differ: u64,
    /// Those of them that would end otherwise.
    pub end_otherwise: u64,
    /// Those that differ on the way alone, and would write the same.
    pub differ_on_the_way: u64,
    /// Those of which a total is another.
    pub change_a_total: u64,
    /// By how much, by the currency's ISO 4217 code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub money: BTreeMap<String, Moved>,
    /// Where they differ, what differs most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Path>,
    /// How they would end otherwise: `written -> parked, invalid`, and how many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ends: BTreeMap<String, u64>,
}

/// How totals in one currency have moved.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Moved {
    /// How many totals.
    pub totals: u64,
    /// What is more now, together.
    pub up: Decimal,
    /// What is less now, together; not negative.
    pub down: Decimal,
}

/// A message that would come out otherwise.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Differing {
    /// The message.
    pub message: MessageId,
    /// Its place among all messages.
    pub arrival: u64,
    /// When it was received.
    pub received_at: Timestamp,
    /// The object it is about, in the source's words.
    pub object: String,
    /// The flow.
    pub flow: String,
    /// The region.
    pub region: String,
    /// The first stage that makes something else; none where all make the same and the end alone
    /// is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins_at: Option<Stage>,
    /// How it ended then, and would now; none where that is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// The totals that are others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<Total>,
    /// Where what would be written is other than what was, and where the stage it
    /// [begins at](Self::begins_at) makes something else. The first ones.
    pub fields: Vec<Field>,
    /// How many there are besides.
    pub more: u64,
}

/// Two ends.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ends {
    /// How it ended.
    pub then: String,
    /// How it would.
    pub now: String,
}

/// A document's total, then and now.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Total {
    /// The document, or what else is worth money.
    pub of: EntityRef,
    /// ISO 4217 code.
    pub currency: String,
    /// What it was.
    pub then: Decimal,
    /// What it would be.
    pub now: Decimal,
}

/// A place where two values differ.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Field {
    /// The stage that makes it.
    pub stage: Stage,
    /// The place, such as `commands[0].upsert.values.name`; empty for all of it.
    pub path: String,
    /// What was there, as JSON, cut when it is long; none where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// What would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// Whether it is about money.
    pub money: bool,
}

impl Differing {
    /// By how much its totals differ, in the smallest units of most currencies and whichever
    /// way: to put the worst first, and for nothing else. Amounts of several currencies are
    /// added as they stand.
    pub fn weight(&self) -> i64 {
        let hundred = Decimal::from(100);
        let by = |total: &Total| total.now.checked_sub(total.then).map(|by| by.abs());
        let weight = |by: Decimal| {
            by.checked_mul(hundred)
                .and_then(|by| i64::try_from(by.ceil()).ok())
        };
        self.totals.iter().fold(0, |sum: i64, total| {
            let weight = by(total).and_then(weight).unwrap_or(i64::MAX);
            sum.saturating_add(weight)
        })
    }
}

impl Replay {
    /// Whether there is nothing more to do for it.
    pub fn is_over(&self) -> bool {
        self.stopped_by.is_some() || self.progress.ended_at.is_some()
    }
}

/// Where orders are kept.
#[async_trait]
pub trait Replays: Send + Sync + 'static {
    /// Takes an order down, and answers its number. Of those that have ended, the last
    /// [`KEPT_ORDERS`] stay.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    async fn order(&self, order: Order) -> Result<u64, JournalError>;

    /// An order by its number.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn replay(&self, number: u64) -> Result<Option<Replay>, JournalError>;

    /// Orders, the newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn replays(&self, limit: usize) -> Result<Vec<Replay>, JournalError>;

    /// The oldest order that is not over, of the dry ones or of those for real.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn next_replay(&self, dry: bool) -> Result<Option<Replay>, JournalError>;

    /// Keeps how far an order has come, with messages that differ: all of it or nothing. Beyond
    /// [`KEPT_MESSAGES`] those with the least [weight](Differing::weight) make room.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    async fn proceed(
        &self,
        number: u64,
        progress: Progress,
        differing: Vec<Differing>,
    ) -> Result<(), JournalError>;

    /// Stops an order where it stands. One that is over stays as it is.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    async fn stop_replay(&self, number: u64, by: &str) -> Result<(), JournalError>;

    /// The messages of an order that differ, by [weight](Differing::weight), at most `limit`.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn differing(&self, number: u64, limit: usize) -> Result<Vec<Differing>, JournalError>;
}
