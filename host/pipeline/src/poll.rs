//! Asks systems what has changed, and accepts it as if it had been hinted at: what a sender lost
//! is found so.
//!
//! A round reads what changed since a while before the latest change that is known, because a
//! change may appear behind a younger one. What it finds again is a duplicate in the journal.
//! The cursor is moved when all of it is accepted, so a crash costs a round and no change.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cambist_connect::{
    ConnectError, Systems,
    poll::{Changed, PAGE, Poll},
};
use cambist_contract::message::{Message, MessageId};
use cambist_journal::{Cursors, Journal, JournalError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use thiserror::Error;
use tokio::{
    sync::watch::Receiver,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at},
};

/// What a change is called that was hinted at or found; Odoo does not say what happened.
const CHANGED: &str = "hint";

/// What a record is called that is not there any more.
const GONE: &str = "gone";

/// Asks all systems that can be asked.
#[derive(Clone)]
pub struct Poller {
    /// Where what is found is accepted.
    pub journal: Arc<dyn Journal>,
    /// How far each system was read.
    pub cursors: Arc<dyn Cursors>,
    /// The systems.
    pub systems: Systems,
    /// The time of receipt.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// A round did not come to its end.
#[derive(Debug, Error)]
enum PollError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Poller {
    /// Asks every system in its own time, until `stop` is told or dropped.
    pub async fn run(self, stop: Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for (name, poll) in self.systems.polled() {
            let (poller, name, stop) = (self.clone(), name.to_owned(), stop.clone());
            tasks.spawn(async move { poller.keep_asking(&name, poll.as_ref(), stop).await });
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn keep_asking(&self, system: &str, poll: &dyn Poll, mut stop: Receiver<bool>) {
        let rounds = |every: Duration| {
            let mut rounds = interval_at(Instant::now(), every.max(Duration::from_millis(100)));
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            rounds
        };
        let (mut changes, mut deletions) = (rounds(poll.every()), rounds(poll.deletions()));
        loop {
            let (what, outcome) = tokio::select! {
                _ = changes.tick() => ("changes", self.changes(system, poll).await),
                _ = deletions.tick() => ("deletions", self.deletions(system, poll).await),
                _ = stop.changed() => return,
            };
            match outcome {
                Ok(0) => {}
                Ok(found) => tracing::info!(system, what, found, "found what nobody had hinted at"),
                Err(error) => {
                    crate::metrics::poll_failed(system);
                    tracing::warn!(system, what, %error, "cannot ask for changes; it is asked again");
                }
            }
        }
    }

    /// One round over all kinds. Tells how many changes were new.
    async fn changes(&self, system: &str, poll: &dyn Poll) -> Result<usize, PollError> {
        let mut found = 0;
        for kind in poll.kinds() {
            let name = format!("poll/{system}/{kind}");
            let known = self.cursors.cursor(&name).await?;
            let Some(known) = known.and_then(|text| text.parse::<Timestamp>().ok()) else {
                // what is there when a system is asked for the first time is no change
                let begin = poll.latest(kind).await?.unwrap_or_else(|| (self.now)());
                self.cursors.move_cursor(&name, &begin.to_string()).await?;
                continue;
            };
            let overlap = SignedDuration::try_from(poll.overlap()).unwrap_or_default();
            let since = known.checked_sub(overlap).unwrap_or(Timestamp::MIN);
            let (mut latest, mut after) = (known, None);
            loop {
                let page = poll.since(kind, since, after.as_deref()).await?;
                latest = page
                    .iter()
                    .map(|changed| changed.at)
                    .max()
                    .unwrap_or(latest)
                    .max(latest);
                after = page.last().map(|changed| changed.id.clone());
                let is_last = page.len() < PAGE;
                found += self.accept(system, kind, page).await?;
                if is_last {
                    break;
                }
            }
            self.cursors.move_cursor(&name, &latest.to_string()).await?;
        }
        Ok(found)
    }

    /// Looks whether all records are there that stand for something of ours.
    async fn deletions(&self, system: &str, poll: &dyn Poll) -> Result<usize, PollError> {
        let mut found = 0;
        for kind in poll.kinds() {
            let mut after: Option<String> = None;
            loop {
                let ids = self.journal.records(system, kind, after.as_deref(), PAGE).await?;
                let Some(last) = ids.last() else { break };
                after = Some(last.clone());
                let there = poll.there(kind, &ids).await?;
                let gone = ids.into_iter().filter(|id| !there.contains(id));
                let messages = gone.map(|id| {
                    let dedupe = format!("{GONE}/{kind}/{id}");
                    self.message(system, GONE, (kind, &id), &dedupe, (self.now)())
                });
                found += self.take(messages.collect()).await?;
            }
        }
        Ok(found)
    }

    async fn accept(&self, system: &str, kind: &str, page: Vec<Changed>) -> Result<usize, PollError> {
        let messages = told(kind, page).into_iter().map(|((kind, id), changed)| {
            let Changed { at, state, .. } = changed;
            let dedupe = format!("{kind}/{id}/polled {at}/{state}");
            self.message(system, CHANGED, (&kind, &id), &dedupe, at)
        });
        self.take(messages.collect()).await
    }

    async fn take(&self, messages: Vec<Message>) -> Result<usize, PollError> {
        if messages.is_empty() {
            return Ok(0);
        }
        let accepted = self.journal.accept(messages).await?;
        let new = accepted
            .iter()
            .filter(|it| **it == cambist_journal::journal::Accepted::New);
        Ok(new.count())
    }

    fn message(
        &self,
        system: &str,
        event: &str,
        (kind, id): (&str, &str),
        dedupe: &str,
        occurred_at: Timestamp,
    ) -> Message {
        Message {
            id: MessageId::of(system, dedupe),
            system: system.to_owned(),
            event: event.to_owned(),
            object_kind: kind.to_owned(),
            object_id: id.to_owned(),
            dedupe: dedupe.to_owned(),
            // the key of hints
            key: format!("{system}/{kind}/{id}"),
            occurred_at,
            received_at: (self.now)(),
            headers: BTreeMap::new(),
            body: json!({"_model": kind, "_id": id}).to_string(),
        }
    }
}

/// The objects that changes are told of, by kind and id. Of the parts of one whole the latest change is told: whoever
/// reads the whole sees all of them, and the next round finds the same one again.
fn told(kind: &str, page: Vec<Changed>) -> Vec<((String, String), Changed)> {
    let mut told: Vec<((String, String), Changed)> = Vec::new();
    for changed in page {
        let name = match &changed.whole {
            None => (kind.to_owned(), changed.id.clone()),
            Some((_, id)) if id.is_empty() => continue,
            Some(whole) => whole.clone(),
        };
        match told.iter_mut().find(|(told, _)| *told == name) {
            Some((_, before)) if before.at <= changed.at => *before = changed,
            Some(_) => {}
            None => told.push((name, changed)),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_parts_of_one_whole_the_latest_change_is_told() {
        let changed = |id: &str, whole: Option<&str>, second: i64| Changed {
            id: id.to_owned(),
            whole: whole.map(|id| ("order".to_owned(), id.to_owned())),
            at: Timestamp::from_second(second).unwrap_or_default(),
            state: id.to_owned(),
        };
        let page = vec![
            changed("1", Some("7"), 10),
            changed("2", Some("7"), 12),
            changed("3", Some("8"), 11),
            changed("4", Some("7"), 11),
            changed("5", Some(""), 13),
        ];
        let of = |page| -> Vec<(String, String, String)> {
            let told = told("time", page).into_iter();
            told.map(|((kind, id), changed)| (kind, id, changed.id)).collect()
        };
        let name = |kind: &str, id: &str, part: &str| (kind.to_owned(), id.to_owned(), part.to_owned());
        assert_eq!(of(page), [name("order", "7", "2"), name("order", "8", "3")]);
        assert_eq!(of(vec![changed("9", None, 1)]), [name("time", "9", "9")]);
    }
}
