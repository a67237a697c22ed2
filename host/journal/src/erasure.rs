//! The part of a store in which things are forgotten: what is found of somebody, what is taken
//! out of messages, and what links go.
//!
//! The chain covers texts by their digests, so a text can go and the chain still holds. What
//! went, when, by whom, and on what ground is an entry itself ([`Event::Erased`]), and it
//! covers what was left, so that nobody can put anything else in its place afterwards.
//!
//! # What is not here
//!
//! What is left of each event: `blank.rs`. Whom an operator may ask this for, and how old
//! something has to be: that is the callers' business.

use async_trait::async_trait;
use cambist_contract::{
    canonical::EntityRef,
    digest::Digest,
    message::{Message, MessageId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Event, JournalError, Status};

/// Messages that [`Erasures::concerning`] names at most: more than a person reads, and what is
/// found behind them is found by asking again once these are erased.
pub const FOUND: usize = 10_000;

/// How much of a message goes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// What was received, and what stages made of it. The receipts, the decisions and their
    /// reasons stay, and what the message is about: it can be accounted for, and no longer be
    /// looked into or replayed.
    Payloads,
    /// All that may be about a person: the object's id, the receipts and the reasons as well.
    /// What stays is that there was a message, of what kind, when, and how it went.
    All,
}

/// Who has something erased, and why. Stands in the journal for good, so it names nobody
/// whose data goes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ground {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The request that it answers, by its name in the firm's own books.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// What is looked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Subject {
    /// Objects of systems, each in that system's words or the contract's: `contact/7` of `crm`.
    pub objects: Vec<(String, String)>,
    /// Texts, such as an address: whatever has one of them, in whatever field.
    pub texts: Vec<String>,
}

/// What is there about somebody.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Concerned {
    /// The messages that are not wholly erased, the oldest first, at most [`FOUND`].
    pub messages: Vec<Status>,
    /// The entities that the objects are, of which links are kept.
    pub entities: Vec<EntityRef>,
}

/// Messages to be erased.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Erasure {
    /// Which. All of them in one transaction, so a caller hands in some tens at a time.
    pub messages: Vec<MessageId>,
    /// How much of each goes.
    pub extent: Extent,
    /// Whether those that have not ended are ended for it, as by a skip.
    pub end: bool,
    /// Who, and why.
    pub ground: Ground,
}

/// What became of one message that was to be erased.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Erased {
    /// It is.
    Now,
    /// It was before, to this extent or further.
    Before,
    /// Not: it has not ended, and was not to be ended.
    Open,
    /// Not: it is being worked on at this moment.
    Claimed,
    /// Not: there is none.
    Unknown,
}

/// What has come of age.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expiry {
    /// In one of these states, by its name; one that is not final has no such messages.
    pub states: Vec<String>,
    /// What is erased of it is less than this.
    pub extent: Extent,
    /// It ended before.
    pub before: Timestamp,
    /// At most so many, those that ended first.
    pub limit: usize,
}

/// Links to be forgotten.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unlinking {
    /// Of these entities, as the system names them in which they were born.
    pub entities: Vec<EntityRef>,
    /// To this system; to every one where there is none, and then nothing else is known of
    /// the entities either.
    pub system: Option<String>,
    /// The decision, as a message of whoever made it: it has no other to stand behind. It has
    /// ended when it is written.
    pub decision: Message,
}

/// A link as it is kept.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Linked {
    /// The entity.
    pub entity: EntityRef,
    /// The system that the record is in.
    pub system: String,
    /// The kind of record.
    pub model: String,
    /// What the record is found by, as [text](cambist_contract::mapping::RecordKey).
    pub external_id: String,
    /// The system's own id of it, where it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Where things are forgotten.
#[async_trait]
pub trait Erasures: Send + Sync + 'static {
    /// What is there about somebody: messages about the objects, those that brought the
    /// entities which these are or speak of records which stand for them, and those that have
    /// one of the texts anywhere. It reads everything where there are texts.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn concerning(&self, subject: &Subject) -> Result<Concerned, JournalError>;

    /// The links of what a system calls so, to all systems: `contact/7` of `crm`, in that
    /// system's words or the contract's. What was merged has those of what it is since.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn links(&self, system: &str, object: &str) -> Result<Vec<Linked>, JournalError>;

    /// Takes out of messages what [`Extent`] says, and writes behind each an [`Event::Erased`]
    /// that says so. Answers what became of each, in their order; the others do not suffer by
    /// one that stays. What an erased message was about is not received again.
    ///
    /// # Errors
    ///
    /// Nothing was erased.
    async fn erase(&self, at: Timestamp, erasure: Erasure) -> Result<Vec<Erased>, JournalError>;

    /// The messages that have come of age.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn expired(&self, expiry: Expiry) -> Result<Vec<MessageId>, JournalError>;

    /// Forgets links, and what was written and told through them. Answers those that there
    /// were; where there were none the decision is kept all the same.
    ///
    /// # Errors
    ///
    /// Nothing was forgotten.
    async fn unlink(&self, unlinking: Unlinking) -> Result<Vec<Linked>, JournalError>;

    /// Makes sure that what was erased is on no disk any more, as far as the store can reach.
    /// False where something is in the way that passes, such as a copy that is being made:
    /// then ask again.
    ///
    /// # Errors
    ///
    /// It cannot be done.
    async fn forget(&self) -> Result<bool, JournalError>;
}

impl Event {
    /// That a message was erased. `left` are the texts that stay: the message's, then its
    /// events' before this one, in their order.
    pub fn erased(extent: Extent, ground: &Ground, left: &[&str]) -> Self {
        let parts: Vec<_> = left.iter().map(|text| text.as_bytes()).collect();
        Self::Erased {
            extent,
            ground: ground.clone(),
            left: Digest::of_parts(&parts),
        }
    }
}
