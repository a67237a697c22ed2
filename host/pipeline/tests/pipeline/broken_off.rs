//! Replays for real that a crash breaks off: wherever it does, each message goes once, and all are
//! told of. They are looked for as those that are done, which they are not while they are under way.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use cambist_contract::stage::Stage;
use cambist_journal::{
    Event, JournalError, Replays,
    journal::Filter,
    replay::{Differing, Order, Progress, Replay, Revisions, Wanted},
};
use tokio::sync::Notify;

use crate::{
    double::{Site, id},
    replay::{events, order, over, resumed_by},
};

/// More than are on their way at once.
const MESSAGES: u32 = 40;

/// Keeps how far an order has come so many times, and then stands still before it does.
struct Stalls {
    inner: Arc<dyn Replays>,
    left: AtomicU32,
    stalled: Notify,
}

#[async_trait]
impl Replays for Stalls {
    async fn order(&self, order: Order) -> Result<u64, JournalError> {
        self.inner.order(order).await
    }

    async fn replay(&self, number: u64) -> Result<Option<Replay>, JournalError> {
        self.inner.replay(number).await
    }

    async fn replays(&self, limit: usize) -> Result<Vec<Replay>, JournalError> {
        self.inner.replays(limit).await
    }

    async fn next_replay(&self, dry: bool) -> Result<Option<Replay>, JournalError> {
        self.inner.next_replay(dry).await
    }

    async fn proceed(
        &self,
        number: u64,
        progress: Progress,
        differing: Vec<Differing>,
    ) -> Result<(), JournalError> {
        if self.left.load(Ordering::SeqCst) == 0 {
            self.stalled.notify_one();
            return std::future::pending().await;
        }
        self.left.fetch_sub(1, Ordering::SeqCst);
        self.inner.proceed(number, progress, differing).await
    }

    async fn stop_replay(&self, number: u64, by: &str) -> Result<(), JournalError> {
        self.inner.stop_replay(number, by).await
    }

    async fn differing(&self, number: u64, limit: usize) -> Result<Vec<Differing>, JournalError> {
        self.inner.differing(number, limit).await
    }
}

/// Messages that are done, and an order for those.
async fn ordered() -> (Site, u64) {
    let site = Site::new();
    site.accept("crm", 0..MESSAGES).await;
    let running = site.run(8);
    running.until_all(MESSAGES as usize, "done").await;
    running.stop().await;
    let done = Wanted {
        state: Some("done".to_owned()),
        ..Wanted::default()
    };
    let order = order(done, Revisions::Pinned, false);
    let number = site.replays.order(order).await.unwrap();
    (site, number)
}

/// Goes on to the end, and sees that each went once and was counted.
async fn each_once(site: &Site, number: u64, when: &str) {
    let running = site.run(8);
    let replay = over(site, number).await;
    running.stop().await;
    let Progress {
        messages,
        came_to,
        skipped,
        ..
    } = replay.progress;
    let told = (messages, came_to, skipped);
    let all = u64::from(MESSAGES);
    let expected = (all, [("written".to_owned(), all)].into(), Default::default());
    assert_eq!(told, expected, "{when}");
    for object in 0..MESSAGES {
        let resumed = resumed_by(&events(site, object).await, number);
        assert_eq!(resumed, 1, "{when}: {object}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_of_an_order_was_kept_last_each_message_goes_once_and_counts() {
    for kept in 0..5 {
        let (mut site, number) = ordered().await;
        let whole = Arc::clone(&site.replays);
        let stalls = Arc::new(Stalls {
            inner: Arc::clone(&whole),
            left: AtomicU32::new(kept),
            stalled: Notify::new(),
        });
        site.replays = stalls.clone();
        let running = site.run(8);
        stalls.stalled.notified().await;
        running.crash();
        site.replays = whole;
        each_once(&site, number, &format!("kept {kept} times")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_that_were_chosen_only_what_was_not_sent_is_sent() {
    let (site, number) = ordered().await;
    let newest = Filter {
        limit: 1,
        ..Filter::default()
    };
    let last = site.journal.list(newest).await.unwrap()[0].arrival;
    // as if the host had ended when it had sent the first two
    let chosen = Progress {
        last: Some(last),
        reached: last,
        chosen: (0..MESSAGES).map(|object| id("crm", object)).collect(),
        ..Progress::default()
    };
    site.replays.proceed(number, chosen, Vec::new()).await.unwrap();
    for object in 0..2 {
        let again = Event::Resumed {
            by: "ada".to_owned(),
            from: Stage::Fetch,
            live: false,
            why: None,
            order: Some(number),
        };
        let at = jiff::Timestamp::UNIX_EPOCH;
        let written = site.journal.record(&id("crm", object), at, vec![again]).await;
        written.unwrap();
    }
    each_once(&site, number, "two were sent").await;
}
