//! The one thread that writes.
//!
//! It takes what stands in the queue and hands it to [`group`](super::group) as
//! one group; it never waits for more to come. Alone, a request is committed at
//! once; under load, the next group forms while the last one is synced.
//!
//! Claims are made here too, before the group is written: so what is handed out
//! is what is durable, and a decision about a message and its being handed out
//! never cross.

use std::{path::Path, sync::Arc, thread::JoinHandle};

use cambist_contract::message::MessageId;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{
    accept::Arriving,
    acts,
    claims::{Held, Taken},
    group::{Scribe, Write},
    lock::HostLock,
    note::Note,
    record::Recording,
    row::walk_due,
    shadows::Turn,
    trouble::{Trouble, store},
};
use crate::{JournalError, journal::Accepted};

/// Requests that may stand in the queue; more callers wait. Enough that a full
/// group is always ready, few enough that a slow disk does not pile up memory.
const QUEUE: usize = 256;

/// Requests in one group. Past some tens the sync is a small part of the cost,
/// and every caller waits for the last one's rows.
const GROUP_REQUESTS: usize = 128;

/// Bytes of text that close a group: some sixteen messages of the largest size
/// that ingress takes, so that large ones do not hold up small ones for long.
const GROUP_BYTES: usize = 16 << 20;

/// Where the answer to a request goes. A caller that has gone away needs none;
/// what it asked is done all the same.
pub(super) type Answer<T> = oneshot::Sender<Result<T, JournalError>>;

enum Request {
    Write(Write),
    Claim {
        now: Timestamp,
        limit: usize,
        answer: Answer<Taken>,
    },
    Ready(Answer<()>),
}

/// The handle to the thread. Dropping it lets the thread finish what stands in
/// the queue, close the file and give up the lock, and waits for that.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    path: Arc<Path>,
}

impl Writer {
    /// Starts the thread; what it writes with, and the lock, are its own from now on.
    pub(super) fn start(scribe: Scribe, lock: HostLock) -> Result<Self, Trouble> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let path: Arc<Path> = scribe.path().into();
        let thread = std::thread::Builder::new()
            .name("journal-writer".into())
            .spawn(move || {
                work(scribe, requests);
                // Last, when the file is closed: now the next host may come.
                drop(lock);
            })
            .map_err(|error| store(&path, format!("its thread cannot be started: {error}")))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            path,
        })
    }

    /// Takes a batch in.
    pub(super) async fn accept(&self, batch: Vec<Arriving>) -> Result<Vec<Accepted>, JournalError> {
        self.ask(|answer| Request::Write(Write::Accept(batch, answer)))
            .await
    }

    /// Writes what happened to a message.
    pub(super) async fn record(&self, recording: Recording) -> Result<(), JournalError> {
        self.ask(|answer| Request::Write(Write::Record(recording, answer)))
            .await
    }

    /// Gives a claim back until later.
    pub(super) async fn put_off(&self, id: MessageId, until: Timestamp) -> Result<(), JournalError> {
        self.ask(|answer| Request::Write(Write::PutOff(id, until, answer)))
            .await
    }

    /// Writes steps in plugins' lives, all or none.
    pub(super) async fn act(&self, steps: Vec<acts::Step>) -> Result<(), JournalError> {
        self.ask(|answer| Request::Write(Write::Act(steps, answer))).await
    }

    /// Keeps what is no evidence.
    pub(super) async fn note(&self, note: Note) -> Result<(), JournalError> {
        self.ask(|answer| Request::Write(Write::Note(note, answer))).await
    }

    /// Counts what shadows came to.
    pub(super) async fn compare(&self, turns: Vec<Turn>) -> Result<(), JournalError> {
        self.ask(|answer| Request::Write(Write::Compare(turns, answer)))
            .await
    }

    /// Claims messages that are due.
    pub(super) async fn claim(&self, now: Timestamp, limit: usize) -> Result<Taken, JournalError> {
        self.ask(|answer| Request::Claim { now, limit, answer }).await
    }

    /// Whether what comes can be written.
    pub(super) async fn ready(&self) -> Result<(), JournalError> {
        self.ask(Request::Ready).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, JournalError> {
        let stopped = || store(&self.path, "its writer has stopped; start the host again");
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(request(answer)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's writer ended in a panic");
        }
    }
}

/// What the thread does, until the last handle is gone.
fn work(mut scribe: Scribe, mut requests: mpsc::Receiver<Request>) {
    let mut group = Vec::new();
    let mut bytes = 0;
    while let Some(first) = requests.blocking_recv() {
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Write(write) => {
                    bytes += write.size();
                    group.push(write);
                }
                Request::Claim { now, limit, answer } => {
                    // Where nobody waits for them any more, dropping them frees them.
                    // Nothing is begun whose outcome could not be written.
                    let claimed = scribe.ready().and_then(|()| claim(&scribe, now, limit));
                    drop(answer.send(claimed));
                }
                Request::Ready(answer) => drop(answer.send(scribe.ready())),
            }
            let room = group.len() < GROUP_REQUESTS && bytes < GROUP_BYTES;
            next = if room { requests.try_recv().ok() } else { None };
        }
        if !group.is_empty() {
            scribe.commit(std::mem::take(&mut group));
            bytes = 0;
        }
    }
}

fn claim(scribe: &Scribe, now: Timestamp, limit: usize) -> Result<Taken, JournalError> {
    let mut taken = Vec::new();
    let since = scribe.tip().place;
    if limit > 0 {
        walk_due(scribe.connection(), now, |id, key| {
            // What stands in the way here is what is being worked on: some tens,
            // and some hundred for each system that is behind with what the
            // pipeline has for it. What is more than that, the pipeline puts off.
            if !scribe.claims().holds_key(&key) {
                taken.push((id, Held { key, since }));
            }
            taken.len() < limit
        })
        .map_err(|trouble| trouble.at(scribe.path()))?;
    }
    Ok(scribe.claims().take(taken))
}
