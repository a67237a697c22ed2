//! The embedded store: one SQLite file, on a local disk.
//!
//! The file holds what was received, what happened, and what is worked out of
//! both; `sqlite/schema.sql` says which is which. One thread writes, in groups that share a sync;
//! readers have connections of their own and never wait for it.
//!
//! # What is not here
//!
//! Which event goes with which state: that is the same for all stores, and in
//! `turn.rs`; what is left of what is erased: that is in `blank.rs`.
//!
//! # Where to start reading
//!
//! `schema.sql`, then the way of a request: `writer`, `group`, `accept` and
//! `record`. `format` for what may change, `copies` for backup, restore and compaction;
//! never copy a journal with `cp` while a host has it open.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use async_trait::async_trait;
use cambist_contract::{
    canonical::EntityRef,
    digest::Digest,
    message::{Message, MessageId},
    plugin::Link,
    rollout::Act,
};
use jiff::Timestamp;
use tokio::sync::watch;

use self::{
    accept::Arriving,
    chain::Prepared,
    claims::Claims,
    connection::Readers,
    cursors::Cursor,
    damage::Damage,
    erase::Erasing,
    group::Scribe,
    heard::Hearing,
    lock::HostLock,
    note::Note,
    read::Unreadable,
    record::Recording,
    shadows::Turn,
    trouble::{store, unreadable},
    unlink::Severing,
    writer::{Asked, Writer},
};
use crate::{
    Acted, Cursors, Erasures, Event, Journal, JournalError, Ledger, Status,
    comparison::{Compared, Comparisons, Shadows, Which},
    erasure::{Concerned, Erased, Erasure, Expiry, Linked, Subject, Unlinking},
    heard::{Fields, Heard},
    journal::{Accepted, Backlog, Cause, Claim, Counts, Filter, Known, Standing, Verified},
    replay::{Differing, Order, Progress, Replay, Replays},
    reports::{Report, Reports},
};

mod accept;
mod acts;
mod backlog;
mod causes;
mod chain;
mod claims;
mod column;
mod concerning;
mod connection;
mod copies;
mod cursors;
mod damage;
mod deliveries;
mod erase;
mod format;
mod group;
mod heard;
mod lock;
mod merges;
mod note;
mod pins;
mod read;
mod record;
mod replays;
mod reports;
mod row;
mod salts;
mod shadows;
mod touched;
mod trouble;
mod unlink;
mod verify;
mod writer;

pub use copies::{Compacted, Restored};

/// A journal in a SQLite file.
///
/// Dropping it finishes what was asked, closes the file and gives up the lock;
/// that takes as long as the last commit.
pub struct SqliteJournal {
    path: Arc<Path>,
    // Before the writer: SQLite tidies its log away when the last connection
    // closes, and one for reading may not.
    readers: Arc<Readers>,
    /// None when it was opened for reading only.
    writer: Option<Writer>,
    claims: Claims,
    damage: Damage,
}

impl SqliteJournal {
    /// Opens the journal at `path`, or makes one if there is no file. Blocks
    /// while SQLite brings in what a crash left in its log.
    ///
    /// # Errors
    ///
    /// [`JournalError::Locked`] if another host has it open,
    /// [`JournalError::Newer`] if a newer host wrote it, [`JournalError::Store`]
    /// if it cannot be opened or is no journal.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path: Arc<Path> = path.as_ref().into();
        let lock = HostLock::take(&path)?;
        let (claims, damage) = (Claims::new(), Damage::default());
        let opened = connection::writer(&path).and_then(|connection| {
            let scribe = Scribe::new(Arc::clone(&path), connection, claims.clone(), damage.clone())?;
            let writer = Writer::start(scribe, lock)?;
            Ok((writer, Readers::open(&path, damage.clone())?))
        });
        let (writer, readers) = opened.map_err(|trouble| trouble.at(&path))?;
        tracing::debug!(path = %path.display(), "opened the journal");
        Ok(Self {
            path,
            writer: Some(writer),
            readers,
            claims,
            damage,
        })
    }

    /// Opens the journal at `path` to look into it, also beside a host that has
    /// it open. What would write or claim is refused with
    /// [`JournalError::Store`], and [`changed`](Journal::changed) never changes.
    ///
    /// # Errors
    ///
    /// [`JournalError::Newer`] if a newer host wrote it, [`JournalError::Store`]
    /// if there is none, it cannot be read, or is no journal.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path: Arc<Path> = path.as_ref().into();
        let damage = Damage::default();
        let readers = Readers::open(&path, damage.clone()).map_err(|trouble| trouble.at(&path))?;
        Ok(Self {
            path,
            writer: None,
            readers,
            claims: Claims::new(),
            damage,
        })
    }

    /// The format of the file, by the table in `format.rs`.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn format(&self) -> Result<u32, JournalError> {
        self.readers
            .read(|connection| Ok(format::found(connection)?))
            .await
    }

    /// The digest of the entry at a place; none where there is no such entry. To hold the
    /// journal to a [head](Verified::head) that was kept elsewhere.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub async fn digest_at(&self, place: u64) -> Result<Option<Digest>, JournalError> {
        self.readers
            .read(move |connection| Ok(chain::digest_at(connection, place)?))
            .await
    }

    /// Copies the journal as it is at this moment into a new file `to`, also beside a host
    /// that goes on writing; the copy is one file, its owner's alone, durable, and was
    /// verified before it got its name. The log grows while it is being made.
    ///
    /// # Errors
    ///
    /// There is no file `to` then: [`JournalError::Broken`] where the journal itself does not
    /// verify, [`JournalError::Store`] where the copy cannot be written, or `to` is there.
    pub async fn back_up(&self, to: impl AsRef<Path>) -> Result<Verified, JournalError> {
        let to = to.as_ref().to_owned();
        self.readers
            .read(move |connection| Ok(copies::back_up(connection, &to)?))
            .await
    }

    /// Puts a copy in the place of the journal at `path`, once it is verified; what was there
    /// is set aside beside it, and never deleted. Blocks.
    ///
    /// # Errors
    ///
    /// The journal is as it was: [`JournalError::Locked`] where a host has it open,
    /// [`JournalError::Broken`], [`JournalError::Newer`] or [`JournalError::Store`] where the
    /// copy is not good or cannot be put there.
    pub fn restore(copy: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<Restored, JournalError> {
        copies::restore(copy.as_ref(), path.as_ref())
    }

    /// Writes the journal at `path` anew without the room that moves of its queue and indexes
    /// have left, and brings in its log. No message and no entry goes. Blocks, and needs room
    /// for a second one meanwhile.
    ///
    /// # Errors
    ///
    /// The journal is as it was: [`JournalError::Locked`] where a host has it open,
    /// [`JournalError::Broken`] where it does not verify, [`JournalError::Store`] where
    /// somebody else reads it or there is no room.
    pub fn compact(path: impl AsRef<Path>) -> Result<Compacted, JournalError> {
        copies::compact(path.as_ref())
    }

    /// A message as it is written, with a salt of its own.
    fn arriving(&self, message: Message) -> Result<Arriving, JournalError> {
        let salt = salts::make().map_err(|error| {
            store(
                &self.path,
                format!("the system has no randomness to give: {error}"),
            )
        })?;
        Arriving::new(message, salt).map_err(|error| unreadable(0, "a message", &error))
    }

    fn writer(&self) -> Result<&Writer, JournalError> {
        self.damage.none(&self.path)?;
        self.writer
            .as_ref()
            .ok_or_else(|| store(&self.path, "it was opened for reading only"))
    }

    /// Parks a message whose entries cannot be read, so that it stands in nobody's
    /// way but its key's and a person sees it. Where its status cannot be read
    /// either it stays claimed: it would come back with every claim, to no avail.
    async fn set_aside(&self, now: Timestamp, broken: Unreadable) {
        let Unreadable { id, stage, error } = broken;
        tracing::error!(message_id = %id, %error, "a message cannot be read from the journal and is parked");
        let parked = Event::Parked {
            stage,
            code: "journal".to_owned(),
            reason: format!(
                "{error}; run the host that wrote it or restore the file from a copy, then replay the message"
            ),
        };
        if let Err(error) = self.record(&id, now, vec![parked]).await {
            tracing::error!(message_id = %id, %error, "it cannot be parked");
            if !matches!(error, JournalError::Broken { .. }) {
                self.claims.free(&id);
            }
        }
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn accept(&self, messages: Vec<Message>) -> Result<Vec<Accepted>, JournalError> {
        // JSON and digests are made here, on the caller's thread: the writer's is
        // everybody's.
        let batch = messages
            .into_iter()
            .map(|message| self.arriving(message))
            .collect::<Result<Vec<_>, _>>()?;
        self.writer()?.accept(batch).await
    }

    async fn claim_beside(
        &self,
        now: Timestamp,
        limit: usize,
        shut: &BTreeSet<Backlog>,
    ) -> Result<Vec<Claim>, JournalError> {
        let shut = shut.iter().map(backlog::text).collect();
        let taken = self.writer()?.claim(Asked { now, limit, shut }).await?;
        let ids = taken.ids().to_vec();
        let found = self
            .readers
            .read(move |connection| read::claimed(connection, &ids))
            .await?;
        for broken in found.broken {
            self.set_aside(now, broken).await;
        }
        // Not before: where this future ends early, the messages are free again.
        taken.keep();
        Ok(found.claims)
    }

    fn release(&self, id: &MessageId) {
        self.claims.give_back(id);
    }

    async fn put_off(&self, id: &MessageId, until: Timestamp) -> Result<(), JournalError> {
        self.writer()?.put_off(id.clone(), until).await
    }

    async fn record(&self, id: &MessageId, at: Timestamp, events: Vec<Event>) -> Result<(), JournalError> {
        let events = events
            .into_iter()
            .map(Prepared::new)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable(0, "an event", &error))?;
        let id = id.clone();
        self.writer()?.record(Recording { id, at, events }).await
    }

    async fn message(&self, id: &MessageId) -> Result<Option<Claim>, JournalError> {
        let id = id.clone();
        self.readers
            .read(move |connection| read::message(connection, &id))
            .await
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Status>, JournalError> {
        self.readers
            .read(move |connection| read::list(connection, &filter))
            .await
    }

    async fn causes(&self) -> Result<Vec<Cause>, JournalError> {
        self.readers.read(causes::causes).await
    }

    async fn touched(
        &self,
        target: &str,
        model: &str,
        id: &str,
        limit: usize,
    ) -> Result<Vec<MessageId>, JournalError> {
        let [target, model, id] = [target, model, id].map(str::to_owned);
        self.readers
            .read(move |connection| touched::touched(connection, &target, &model, &id, limit))
            .await
    }

    async fn counts(&self) -> Result<Counts, JournalError> {
        self.readers.read(read::counts).await
    }

    async fn standing(&self) -> Result<Vec<Standing>, JournalError> {
        self.readers.read(backlog::standing).await
    }

    async fn written(
        &self,
        target: &str,
        records: &[(String, String)],
    ) -> Result<Vec<Option<Digest>>, JournalError> {
        let (target, records) = (target.to_owned(), records.to_vec());
        self.readers
            .read(move |connection| read::written(connection, &target, &records))
            .await
    }

    async fn link(&self, entity: &EntityRef, system: &str) -> Result<Option<Link>, JournalError> {
        let (entity, system) = (entity.clone(), system.to_owned());
        self.readers
            .read(move |connection| read::link(connection, &entity, &system))
            .await
    }

    async fn records(
        &self,
        system: &str,
        model: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, JournalError> {
        let (system, model) = (system.to_owned(), model.to_owned());
        let after = after.unwrap_or_default().to_owned();
        self.readers
            .read(move |connection| read::records(connection, &system, &model, &after, limit))
            .await
    }

    async fn known(&self, system: &str, entities: &[EntityRef]) -> Result<Vec<Known>, JournalError> {
        let (system, entities) = (system.to_owned(), entities.to_vec());
        self.readers
            .read(move |connection| {
                let known = |entity| read::known(connection, &system, entity);
                entities.iter().map(known).collect()
            })
            .await
    }

    async fn verify(&self) -> Result<Verified, JournalError> {
        self.readers.read(verify::verify).await
    }

    async fn ready(&self) -> Result<(), JournalError> {
        self.counts().await?;
        self.writer()?.ready().await
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.claims.subscribe()
    }
}

#[async_trait]
impl Ledger for SqliteJournal {
    async fn act(&self, at: Timestamp, acts: Vec<Act>) -> Result<Vec<u64>, JournalError> {
        let steps = acts
            .iter()
            .map(|act| acts::Step::new(at, act))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable(0, "an act", &error))?;
        self.writer()?.act(steps).await
    }

    async fn acts(&self) -> Result<Vec<Acted>, JournalError> {
        self.readers.read(acts::all).await
    }

    async fn pinned(&self, revisions: &[Digest]) -> Result<Vec<u64>, JournalError> {
        let revisions = revisions.to_vec();
        self.readers
            .read(move |connection| pins::counts(connection, &revisions))
            .await
    }
}

#[async_trait]
impl Cursors for SqliteJournal {
    async fn cursor(&self, name: &str) -> Result<Option<String>, JournalError> {
        let name = name.to_owned();
        self.readers
            .read(move |connection| cursors::find(connection, &name))
            .await
    }

    async fn move_cursor(&self, name: &str, text: &str) -> Result<(), JournalError> {
        let (name, text) = (name.to_owned(), text.to_owned());
        self.writer()?.note(Note::Cursor(Cursor { name, text })).await
    }
}

#[async_trait]
impl Heard for SqliteJournal {
    async fn heard(&self, system: &str, entities: &[EntityRef]) -> Result<Vec<Fields>, JournalError> {
        let (system, entities) = (system.to_owned(), entities.to_vec());
        self.readers
            .read(move |connection| {
                let of = |entity| heard::of(connection, &system, entity);
                entities.iter().map(of).collect()
            })
            .await
    }

    async fn hear(&self, system: &str, says: Vec<(EntityRef, Fields)>) -> Result<(), JournalError> {
        let system = system.to_owned();
        self.writer()?.note(Note::Heard(Hearing { system, says })).await
    }
}

#[async_trait]
impl Reports for SqliteJournal {
    async fn keep_reports(&self, reports: Vec<Report>) -> Result<(), JournalError> {
        self.writer()?.note(Note::Reports(reports)).await
    }

    async fn reports(&self) -> Result<Vec<Report>, JournalError> {
        self.readers.read(reports::all).await
    }
}

#[async_trait]
impl Erasures for SqliteJournal {
    async fn concerning(&self, subject: &Subject) -> Result<Concerned, JournalError> {
        let subject = subject.clone();
        self.readers
            .read(move |connection| concerning::concerning(connection, &subject))
            .await
    }

    async fn links(&self, system: &str, object: &str) -> Result<Vec<Linked>, JournalError> {
        let (system, object) = (system.to_owned(), object.to_owned());
        self.readers
            .read(move |connection| concerning::links_of(connection, &system, &object))
            .await
    }

    async fn erase(&self, at: Timestamp, erasure: Erasure) -> Result<Vec<Erased>, JournalError> {
        self.writer()?.erase(Erasing { at, erasure }).await
    }

    async fn expired(&self, expiry: Expiry) -> Result<Vec<MessageId>, JournalError> {
        self.readers
            .read(move |connection| row::expired(connection, &expiry))
            .await
    }

    async fn unlink(&self, unlinking: Unlinking) -> Result<Vec<Linked>, JournalError> {
        let Unlinking {
            entities,
            system,
            decision,
        } = unlinking;
        let decision = self.arriving(decision)?;
        let done = Prepared::new(Event::Done).map_err(|error| unreadable(0, "an event", &error))?;
        let severing = Severing {
            entities,
            system,
            decision,
            done,
        };
        self.writer()?.unlink(severing).await
    }

    async fn forget(&self) -> Result<bool, JournalError> {
        self.writer()?.forget().await
    }
}

#[async_trait]
impl Shadows for SqliteJournal {
    async fn compared(&self, batch: Vec<Compared>) -> Result<(), JournalError> {
        let turns = batch
            .into_iter()
            .map(Turn::new)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable(0, "a comparison", &error))?;
        self.writer()?.compare(turns).await
    }

    async fn comparisons(
        &self,
        plugin: &str,
        shadow: &Digest,
        which: Which,
    ) -> Result<Comparisons, JournalError> {
        let (plugin, shadow) = (plugin.to_owned(), *shadow);
        self.readers
            .read(move |connection| shadows::of(connection, &plugin, &shadow, which))
            .await
    }
}

#[async_trait]
impl Replays for SqliteJournal {
    async fn order(&self, order: Order) -> Result<u64, JournalError> {
        let step = replays::Step::order(&order).map_err(|error| unreadable(0, "an order", &error))?;
        self.writer()?.replay(step).await
    }

    async fn replay(&self, number: u64) -> Result<Option<Replay>, JournalError> {
        self.readers
            .read(move |connection| replays::one(connection, number))
            .await
    }

    async fn replays(&self, limit: usize) -> Result<Vec<Replay>, JournalError> {
        self.readers
            .read(move |connection| replays::newest(connection, limit))
            .await
    }

    async fn next_replay(&self, dry: bool) -> Result<Option<Replay>, JournalError> {
        self.readers
            .read(move |connection| replays::next(connection, dry))
            .await
    }

    async fn proceed(
        &self,
        number: u64,
        progress: Progress,
        differing: Vec<Differing>,
    ) -> Result<(), JournalError> {
        let step = replays::Step::proceed(number, &progress, differing)
            .map_err(|error| unreadable(0, "a replay", &error))?;
        self.writer()?.replay(step).await.map(drop)
    }

    async fn stop_replay(&self, number: u64, by: &str) -> Result<(), JournalError> {
        let step = replays::Step::Stop(number, by.to_owned());
        self.writer()?.replay(step).await.map(drop)
    }

    async fn differing(&self, number: u64, limit: usize) -> Result<Vec<Differing>, JournalError> {
        self.readers
            .read(move |connection| replays::differing(connection, number, limit))
            .await
    }
}
