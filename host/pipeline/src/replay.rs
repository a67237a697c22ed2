//! Replays: many messages sent their way again, or computed again and compared, by an order that
//! stands in the journal.
//!
//! ```text
//! order ─► a page of messages, the oldest first ─► dry:      each computed up to `write`, compared
//!            ▲                                     for real: each resumed, by an entry of its own
//!            └──────── how far it has come ◄───────┘
//! ```
//!
//! One dry order and one for real go on at a time, beside what arrives. Nothing but a page is held
//! in memory. How far an order has come is kept with each page, so that a host that ends goes on
//! where it was.
//!
//! # What is not here
//!
//! Sending: a message that is replayed for real is due again, and goes the ordinary way. So it
//! waits for its key, for its system's pace and breaker, and is written only where it differs.

mod dry;
mod real;
mod report;
mod totals;

use std::{sync::Arc, time::Duration};

use cambist_journal::{JournalError, Replays, journal::Filter, replay::Replay};
use tokio::sync::watch::Receiver;

use crate::dispatch::{AFTER_TROUBLE, Pipeline};

/// How often is looked for an order where there is none, and for room where there was none. Who
/// gives an order waits at most so long for its beginning.
const LOOK: Duration = Duration::from_millis(250);

/// Carries out what operators order.
pub struct Replayer {
    /// Who computes, and whose journal it is.
    pub pipeline: Arc<Pipeline>,
    /// Where orders are kept.
    pub replays: Arc<dyn Replays>,
}

/// What is next.
enum Next {
    /// The next page, at once.
    Page,
    /// Nothing now.
    Rest,
}

impl Replayer {
    /// Carries orders out until `stop` is told or dropped. A page that is under way goes on to
    /// its end.
    pub async fn run(self, stop: Receiver<bool>) {
        tokio::join!(self.all(true, stop.clone()), self.all(false, stop));
    }

    async fn all(&self, dry: bool, mut stop: Receiver<bool>) {
        loop {
            let wait = match self.page(dry).await {
                Ok(Next::Page) => Duration::ZERO,
                Ok(Next::Rest) => LOOK,
                Err(error) => {
                    tracing::error!(%error, "a replay stands still");
                    AFTER_TROUBLE
                }
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Does a page of the oldest order.
    async fn page(&self, dry: bool) -> Result<Next, JournalError> {
        let Some(mut replay) = self.replays.next_replay(dry).await? else {
            return Ok(Next::Rest);
        };
        if replay.progress.last.is_none() {
            let newest = self.pipeline.setup.journal.list(Filter {
                limit: 1,
                ..Filter::default()
            });
            let newest = newest.await?.first().map_or(0, |status| status.arrival);
            replay.progress.last = Some(newest);
            tracing::info!(
                replay = replay.number,
                dry,
                by = replay.order.by,
                "a replay begins"
            );
        }
        let next = match dry {
            true => dry::page(self, &mut replay).await?,
            false => real::page(self, &mut replay).await?,
        };
        if replay.progress.ended_at.is_some() {
            let Replay { number, progress, .. } = &replay;
            tracing::info!(
                replay = number,
                messages = progress.messages,
                "a replay is through"
            );
        }
        Ok(next)
    }

    /// The next messages of an order, the oldest first; none when it is through.
    async fn next(
        &self,
        replay: &Replay,
        limit: usize,
    ) -> Result<Vec<cambist_journal::Status>, JournalError> {
        let (wanted, progress) = (&replay.order.wanted, &replay.progress);
        let mut found = self
            .pipeline
            .setup
            .journal
            .list(wanted.after(progress.reached, limit))
            .await?;
        found.retain(|status| Some(status.arrival) <= progress.last);
        Ok(found)
    }

    fn now(&self) -> jiff::Timestamp {
        (self.pipeline.setup.now)()
    }
}
