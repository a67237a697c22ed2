//! The trait that every store implements, and what can go wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cambist_contract::{
    canonical::EntityRef,
    delivery::NextTry,
    digest::Digest,
    message::{Message, MessageId},
    plugin::Link,
    stage::Stage,
};
use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::watch;

use crate::{Entry, Event, Status};

/// What became of a received event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Accepted {
    /// It is new, and durable now.
    New,
    /// It was there before; nothing was written.
    Duplicate,
}

/// A message that its claimer, and nobody else, may work on now.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The message.
    pub message: Message,
    /// Where it stands.
    pub status: Status,
    /// All that happened to it so far, oldest first.
    pub entries: Vec<Entry>,
}

/// Which messages to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those in this state, by its name.
    pub state: Option<String>,
    /// Only those that wait for this [cause](Cause::code).
    pub cause: Option<String>,
    /// Only those of this system.
    pub system: Option<String>,
    /// Only those of this flow.
    pub flow: Option<String>,
    /// Only those of this region.
    pub region: Option<String>,
    /// Only those about one of these objects, as [`Status::object`] names them.
    pub objects: Option<Vec<String>>,
    /// Only these, where any are named.
    pub ids: Vec<MessageId>,
    /// Only those received then or later.
    pub from: Option<Timestamp>,
    /// Only those received before.
    pub until: Option<Timestamp>,
    /// Only those about this object, as its source calls it: `deal/7`.
    pub object: Option<String>,
    /// Only those that have brought this entity, to whichever target.
    pub entity: Option<EntityRef>,
    /// Only those that have passed this stage last.
    pub passed: Option<Stage>,
    /// Only those that could be worked on: due, and the first of their key.
    pub under_way: bool,
    /// Only those that arrived before this place: for the next page.
    pub before: Option<u64>,
    /// Only those that arrived behind this place, the oldest first.
    pub after: Option<u64>,
    /// At most so many; the newest come first, unless `after` is set.
    pub limit: usize,
}

/// Messages of one event of one object that wait behind one of their key that rests: what comes
/// beyond takes the place of the latest of them, as each would read the same object again. A
/// hundred reads are half a minute's work for a slow system when the key goes on.
pub const MOST_BEHIND: u64 = 100;

/// Why messages rest that have not ended: those of one code before one stage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cause {
    /// The code of those that are parked; `held` or `waiting` for those that are that.
    pub code: String,
    /// The stage they stand before.
    pub stage: Stage,
    /// How many there are.
    pub messages: u64,
    /// How many messages wait behind them, each behind one of its key.
    pub behind: u64,
    /// The one that arrived first.
    pub oldest: Status,
}

/// Messages that are handed out in turns with those of others: of one flow and region or, while these are not known, of one
/// system, event and kind of object. By these three a flow takes its messages, so that what is urgent is no backlog's with
/// what is not.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Backlog {
    /// The flow; none before a message is routed.
    pub flow: Option<String>,
    /// The region; the system before a message is routed.
    pub of: String,
    /// The event and, behind a space, the kind of object, before a message is routed. None afterwards, and where messages are
    /// counted: a sender chooses these words, and counts would have as many rows.
    pub event: Option<String>,
}

/// How many messages of a backlog stand where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The backlog.
    pub backlog: Backlog,
    /// By the state's name.
    pub by_state: BTreeMap<String, u64>,
}

/// How many messages stand where.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// By the state's name.
    pub by_state: BTreeMap<String, u64>,
    /// How many are due and cannot be worked on, because one of their key rests that goes before.
    pub behind: u64,
    /// When the message that has been due the longest was received: the
    /// journal's lag. One that was put off counts from when it comes back. Messages behind an unfinished one of their key do not
    /// count; what waits for a person is late by the person, not by the host.
    pub oldest_due: Option<Timestamp>,
}

/// What is known of an entity that a system speaks of.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Known {
    /// Its name in the system in which it was born, and the one that it was merged into there;
    /// none when it has that one.
    pub origin: Option<EntityRef>,
    /// What the system was last told of it by us: by the fields' names in the contract, the
    /// digests in its [receipts](cambist_contract::delivery::Receipt::fields). What the system
    /// has changed itself since, and we have delivered elsewhere, is not among it.
    pub told: BTreeMap<String, Digest>,
}

/// What a check of the whole chain found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verified {
    /// How many entries there are.
    pub entries: u64,
    /// The digest of the last one; zeros for an empty journal.
    pub head: Digest,
}

/// The durable log of messages and what happened to them.
///
/// The time is always an input: a store never asks a clock.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Takes events in. All of them are durable when this returns, or none is.
    ///
    /// Where more than [`MOST_BEHIND`] of an event of an object wait behind a message of their key
    /// that rests, the latest of them that has not begun ends: as ignored, by the new one's id.
    ///
    /// The answers stand in the order of `messages`. A batch that names an event
    /// twice gets [`Accepted::Duplicate`] for the second. The first entry of each
    /// new message is [`Event::Received`], written at its `received_at`, and it is
    /// due from then on.
    ///
    /// # Errors
    ///
    /// Nothing was accepted; the sender must be told to send again.
    async fn accept(&self, messages: Vec<Message>) -> Result<Vec<Accepted>, JournalError>;

    /// [`claim_beside`](Self::claim_beside) with nothing shut.
    ///
    /// # Errors
    ///
    /// Nothing was claimed.
    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claim>, JournalError> {
        self.claim_beside(now, limit, &BTreeSet::new()).await
    }

    /// Hands out messages that are due at `now`, at most `limit` and at most one per key: the
    /// oldest of the key that is not final, and none while another of the key is claimed.
    ///
    /// [Backlogs](Backlog) take turns: of each comes an equal share of `limit`, as far as it has so
    /// many, beginning behind the one that came last; within one the longest due come first.
    /// Those that are `shut` are passed over, at no cost however long they are.
    ///
    /// A message stays claimed until it is recorded as anything but worked on
    /// ([`Event::Routed`], [`Event::Passed`], [`Event::Delivered`], [`Event::Merged`]), until
    /// [`release`](Self::release), or until the host ends: a claim does not
    /// outlive the process, and leaves nothing on disk. A caller that goes away
    /// before it has its messages claims none. A message whose entries cannot be
    /// read is not handed out but parked, with the code `journal`.
    ///
    /// # Errors
    ///
    /// Nothing was claimed.
    async fn claim_beside(
        &self,
        now: Timestamp,
        limit: usize,
        shut: &BTreeSet<Backlog>,
    ) -> Result<Vec<Claim>, JournalError>;

    /// Gives a claim back unchanged.
    fn release(&self, id: &MessageId);

    /// Gives a claim back, and does not hand the message out again before `until`:
    /// for what can be begun, but not now. Nothing has happened to the message, so
    /// there is no entry, and no state changes. It holds until the message is due
    /// by another event; a message that is not due is left as it is.
    ///
    /// # Errors
    ///
    /// Nothing was changed, and a claim stays.
    async fn put_off(&self, id: &MessageId, until: Timestamp) -> Result<(), JournalError>;

    /// Writes what happened to a message, in order, and moves its state along.
    /// All of it is durable when this returns, or none is. A caller that goes away
    /// before does not know which. No events is nothing.
    ///
    /// | state | takes |
    /// |---|---|
    /// | erased, to any extent | nothing; see [`Erasures`](crate::Erasures) |
    /// | due | all but [`Event::Received`], [`Event::Released`] and [`Event::Erased`]; [`Event::Resumed`] only while it is not claimed |
    /// | held | [`Event::Released`] by the role that holds it, [`Event::Resumed`] |
    /// | every other | [`Event::Resumed`] |
    ///
    /// The journal does not ask who records: that only its claimer works on a
    /// message is the claimer's side of the bargain.
    ///
    /// [`Event::Delivered`] also keeps its receipts, for [`written`](Self::written)
    /// and [`link`](Self::link), and [`Event::Merged`] that an entity is another one since, for
    /// `link` and [`known`](Self::known). When a message comes to be done, messages that
    /// wait for an entity it delivered (a receipt's `stands_for`) become due again,
    /// by an [`Event::Resumed`] of `arrival`. So does a message at once that begins
    /// to wait for an entity which another message has brought since it was
    /// claimed: it cannot have known. One that was there before wakes nobody.
    ///
    /// # Errors
    ///
    /// Nothing was written, and a claim stays.
    async fn record(&self, id: &MessageId, at: Timestamp, events: Vec<Event>) -> Result<(), JournalError>;

    /// One message with all that happened to it; none when it is not known.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn message(&self, id: &MessageId) -> Result<Option<Claim>, JournalError>;

    /// Messages at a glance, the newest first, or the [oldest](Filter::after).
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn list(&self, filter: Filter) -> Result<Vec<Status>, JournalError>;

    /// Why messages rest, the most frequent cause first: those that are parked, held or wait
    /// for an entity.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn causes(&self) -> Result<Vec<Cause>, JournalError>;

    /// The messages with a receipt for a record of a target, the newest first, at most `limit`.
    /// `id` is the target's own id of it or our external one. What was only
    /// [shown](cambist_contract::delivery::Effect::Shown) is among them.
    ///
    /// For a record that stands for an entity of ours that is a step in an index; for any other
    /// it reads every entry, as [`verify`](Self::verify) does.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn touched(
        &self,
        target: &str,
        model: &str,
        id: &str,
        limit: usize,
    ) -> Result<Vec<MessageId>, JournalError>;

    /// How many messages stand where.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn counts(&self) -> Result<Counts, JournalError>;

    /// How many messages of each backlog stand where, those that ended among them.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn standing(&self) -> Result<Vec<Standing>, JournalError>;

    /// The digests of the values last written to these records of a target, in
    /// the order asked; none for a record that was never written. What was only
    /// [shown](cambist_contract::delivery::Effect::Shown) was not written.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn written(
        &self,
        target: &str,
        records: &[(String, String)],
    ) -> Result<Vec<Option<Digest>>, JournalError>;

    /// The record that stands for an entity in a system, as its last receipt told: with
    /// the target's own id where it is known, from this receipt or an earlier one for
    /// the same record. What was only
    /// [shown](cambist_contract::delivery::Effect::Shown) has none.
    ///
    /// An entity may be named as the system it was delivered to names it, by that one's own
    /// id: then the answer is that of the entity that its record was made from, and in the
    /// system where that was born the record is that one, with the entity's kind for a model.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn link(&self, entity: &EntityRef, system: &str) -> Result<Option<Link>, JournalError>;

    /// The system's own ids of records of a model that stand for something of ours, in the order
    /// of their texts, at most `limit` behind `after`.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn records(
        &self,
        system: &str,
        model: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, JournalError>;

    /// What is known of entities that a system speaks of, in the order asked. They may be
    /// named by that system or by the one in which they were born, as for
    /// [`link`](Self::link).
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn known(&self, system: &str, entities: &[EntityRef]) -> Result<Vec<Known>, JournalError>;

    /// Checks the whole chain, that the kept messages and events have the digests
    /// in it, and that every message stands where its entries bring it.
    ///
    /// It also has the store look for damage in what the chain does not reach. Reads
    /// everything: seconds for a million entries. Whoever can write the
    /// store can also make a new chain; only a [`Verified::head`] kept elsewhere
    /// tells the two apart.
    ///
    /// # Errors
    ///
    /// [`JournalError::Broken`] names the first entry that does not fit; the one
    /// after the last where something is kept that no entry tells of.
    async fn verify(&self) -> Result<Verified, JournalError>;

    /// Whether it does its work now: it can be read, and it can be written. A store that
    /// could not be written the last time tries again here, so that who stops sending work
    /// because of the answer learns when to go on.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    async fn ready(&self) -> Result<(), JournalError> {
        self.counts().await.map(drop)
    }

    /// Changes its value whenever a message may have become due, or due at another
    /// time. Time alone does not change it.
    fn changed(&self) -> watch::Receiver<u64>;
}

/// The journal cannot do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// There is no room on the disk.
    #[error("no space left for the journal at {path}; free some and the host goes on by itself")]
    Full {
        /// The store's place.
        path: String,
    },
    /// Its disk takes no writes.
    #[error(
        "the disk of the journal at {path} is read-only; mount it for writing and the host goes on by itself"
    )]
    ReadOnly {
        /// The store's place.
        path: String,
    },
    /// The store's file is damaged. Nothing more is written to it.
    #[error(
        "the journal at {path} is damaged ({detail}); stop the host and keep the file, `cambist journal verify` says up to \
         where it is whole, `cambist journal restore` puts a copy in its place"
    )]
    Damaged {
        /// The store's place.
        path: String,
        /// What the store's library said; never a payload.
        detail: String,
    },
    /// The store cannot be read or written.
    #[error("cannot use the journal at {path}: {detail}")]
    Store {
        /// The store's place.
        path: String,
        /// What the store's library said; never a payload.
        detail: String,
    },
    /// Another host has it open.
    #[error("another host has the journal at {path} open; stop it first")]
    Locked {
        /// The store's place.
        path: String,
    },
    /// It was written by a newer host.
    #[error("the journal at {path} has format {found}, this host knows up to {known}; run the newer host")]
    Newer {
        /// The store's place.
        path: String,
        /// The format found.
        found: u32,
        /// The newest format this host knows.
        known: u32,
    },
    /// An entry does not fit the chain.
    #[error("entry {place} of the journal does not fit the chain: {detail}")]
    Broken {
        /// The entry's place.
        place: u64,
        /// What does not fit.
        detail: String,
    },
    /// The message is not in the journal.
    #[error("no message `{0}` in the journal")]
    Unknown(MessageId),
    /// The event does not go with the message's state, such as a release of a
    /// message that is not held.
    #[error("message `{id}` is {state}; it cannot be {event}")]
    OutOfTurn {
        /// The message.
        id: MessageId,
        /// Its state; `claimed` where it is due and being worked on, `erased` where it was.
        state: &'static str,
        /// The event's name.
        event: &'static str,
    },
}

impl JournalError {
    /// What the pipeline may do: the disk's troubles may pass by themselves, and of a damaged
    /// store nobody could write that a message is parked.
    pub fn next_try(&self) -> NextTry {
        match self {
            Self::Full { .. } | Self::ReadOnly { .. } | Self::Damaged { .. } | Self::Store { .. } => {
                NextTry::SendAgain { not_before: None }
            }
            Self::Locked { .. }
            | Self::Newer { .. }
            | Self::Broken { .. }
            | Self::Unknown(_)
            | Self::OutOfTurn { .. } => NextTry::Park,
        }
    }
}
