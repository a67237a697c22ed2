//! The one thread that writes.
//!
//! It takes what stands in the queue and hands it to [`group`](super::group) as
//! one group; it never waits for more to come. Alone, a request is committed at
//! once; under load, the next group forms while the last one is synced.
//!
//! Claims are made here too, before the group is written: so what is handed out
//! is what is durable, and a decision about a message and its being handed out
//! never cross.

use std::{collections::BTreeSet, path::Path, sync::Arc, thread::JoinHandle};

use cambist_contract::message::MessageId;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{
    accept::Arriving,
    acts, backlog,
    claims::{Held, Taken},
    erase::Erasing,
    group::{Scribe, Write},
    lock::HostLock,
    note::Note,
    record::Recording,
    replays,
    row::id_of,
    shadows::Turn,
    trouble::{Trouble, store},
    unlink::Severing,
};
use crate::{
    JournalError,
    erasure::{Erased, Linked},
    journal::Accepted,
};

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

/// Which messages are to be claimed.
pub(super) struct Asked {
    pub(super) now: Timestamp,
    pub(super) limit: usize,
    /// The texts of the backlogs that are passed over.
    pub(super) shut: BTreeSet<String>,
}

enum Request {
    Write(Write),
    Claim(Asked, Answer<Taken>),
    Ready(Answer<()>),
    Forget(Answer<bool>),
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
    pub(super) async fn act(&self, steps: Vec<acts::Step>) -> Result<Vec<u64>, JournalError> {
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

    /// Erases messages.
    pub(super) async fn erase(&self, erasing: Erasing) -> Result<Vec<Erased>, JournalError> {
        self.ask(|answer| Request::Write(Write::Erase(erasing, answer)))
            .await
    }

    /// Forgets links.
    pub(super) async fn unlink(&self, severing: Severing) -> Result<Vec<Linked>, JournalError> {
        self.ask(|answer| Request::Write(Write::Unlink(Box::new(severing), answer)))
            .await
    }

    /// Whether nothing of what was erased is in the log any more.
    pub(super) async fn forget(&self) -> Result<bool, JournalError> {
        self.ask(Request::Forget).await
    }

    /// Keeps a step of an order to replay, and answers the order's number.
    pub(super) async fn replay(&self, step: replays::Step) -> Result<u64, JournalError> {
        self.ask(|answer| Request::Write(Write::Replay(step, answer)))
            .await
    }

    /// Claims messages that are due.
    pub(super) async fn claim(&self, asked: Asked) -> Result<Taken, JournalError> {
        self.ask(|answer| Request::Claim(asked, answer)).await
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
                Request::Claim(asked, answer) => {
                    // Where nobody waits for them any more, dropping them frees them.
                    // Nothing is begun whose outcome could not be written.
                    let claimed = scribe.ready().and_then(|()| claim(&scribe, &asked));
                    drop(answer.send(claimed));
                }
                Request::Ready(answer) => drop(answer.send(scribe.ready())),
                Request::Forget(answer) => drop(answer.send(scribe.forget())),
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

fn claim(scribe: &Scribe, asked: &Asked) -> Result<Taken, JournalError> {
    let taken = pick(scribe, asked).map_err(|trouble| trouble.at(scribe.path()))?;
    Ok(scribe.claims().take(taken))
}

/// Picks messages of all backlogs in turn.
fn pick(scribe: &Scribe, asked: &Asked) -> Result<Vec<(MessageId, Held)>, Trouble> {
    let (connection, claims) = (scribe.connection(), scribe.claims());
    let since = scribe.tip().place;
    let mut backlogs = backlog::all(connection)?;
    backlogs.retain(|backlog| !asked.shut.contains(backlog));
    claims.in_turn(&mut backlogs);
    let share = asked.limit.checked_div(backlogs.len()).unwrap_or_default().max(1);
    let mut picked = BTreeSet::new();
    let mut taken = Vec::new();
    // first a share of each, then what is left to those who have more
    for most in [share, asked.limit] {
        for backlog in &backlogs {
            let most = most.min(asked.limit - taken.len());
            if most == 0 {
                break;
            }
            let mut mine = Vec::new();
            // What stands in the way here is what is being worked on: some tens, and some hundred for each system that is
            // behind with what the pipeline has for it. What is more than that, the pipeline leaves here.
            backlog::walk_due(connection, backlog, asked.now, |arrival, key| {
                if !claims.holds_key(&key) && picked.insert(arrival) {
                    mine.push((arrival, key));
                }
                mine.len() < most
            })?;
            if !mine.is_empty() {
                claims.had_a_turn(backlog);
            }
            for (arrival, key) in mine {
                taken.push((id_of(connection, arrival)?, Held { key, since }));
            }
        }
    }
    Ok(taken)
}
