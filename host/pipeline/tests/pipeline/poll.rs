//! Asking systems what has changed: nothing is missed, and nothing comes twice.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use cambist_connect::{
    ConnectError, Systems,
    error::Again,
    poll::{Changed, PAGE, Poll},
};
use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    delivery::{Effect, Receipt},
    digest::Digest,
};
use cambist_journal::{Cursors as _, Event, Journal as _, Status, journal::Filter, store::SqliteJournal};
use cambist_pipeline::Poller;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::sync::watch;

const KIND: &str = "res.partner";

/// A system as it can be asked: records with the times at which they were written.
#[derive(Default)]
struct Asked {
    kinds: Vec<String>,
    records: Mutex<Vec<Changed>>,
    trouble: Mutex<bool>,
}

impl Asked {
    fn write(&self, id: &str, seconds: i64, state: &str) {
        let mut records = self.records.lock().unwrap();
        records.retain(|record| record.id != id);
        records.push(Changed {
            whole: None,
            id: id.to_owned(),
            at: at(seconds),
            state: state.to_owned(),
        });
    }

    fn delete(&self, id: &str) {
        self.records.lock().unwrap().retain(|record| record.id != id);
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

#[async_trait]
impl Poll for Asked {
    fn kinds(&self) -> &[String] {
        &self.kinds
    }

    fn every(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn overlap(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn deletions(&self) -> Duration {
        Duration::from_millis(100)
    }

    async fn latest(&self, _: &str) -> Result<Option<Timestamp>, ConnectError> {
        Ok(self.records.lock().unwrap().iter().map(|record| record.at).max())
    }

    async fn since(
        &self,
        _: &str,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Vec<Changed>, ConnectError> {
        if *self.trouble.lock().unwrap() {
            return Err(ConnectError::Troubled {
                system: "odoo".to_owned(),
                what: "status 503".to_owned(),
                again: Again::Harmless,
            });
        }
        let mut found = self.records.lock().unwrap().clone();
        found.retain(|record| record.at >= since && after.is_none_or(|after| record.id.as_str() > after));
        found.sort_by(|one, other| one.id.cmp(&other.id));
        found.truncate(PAGE);
        Ok(found)
    }

    async fn there(&self, _: &str, ids: &[String]) -> Result<BTreeSet<String>, ConnectError> {
        let records = self.records.lock().unwrap();
        let known = records.iter().map(|record| record.id.clone());
        Ok(known.filter(|id| ids.contains(id)).collect())
    }
}

struct Site {
    asked: Arc<Asked>,
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let asked = Asked {
            kinds: vec![KIND.to_owned()],
            ..Asked::default()
        };
        Self {
            asked: Arc::new(asked),
            folder: TempDir::new().unwrap(),
        }
    }

    fn journal(&self) -> Arc<SqliteJournal> {
        Arc::new(SqliteJournal::open(self.folder.path().join("journal.db")).unwrap())
    }

    /// Asks until the journal holds what `enough` wants, and ends.
    async fn until(&self, journal: &Arc<SqliteJournal>, enough: impl Fn(&[Status]) -> bool) -> Vec<String> {
        let mut systems = Systems::default();
        systems.insert_polled("odoo", Arc::clone(&self.asked) as Arc<dyn Poll>);
        let poller = Poller {
            journal: journal.clone(),
            cursors: journal.clone(),
            systems,
            now: Arc::new(|| at(10_000)),
        };
        let (stop, stopped) = watch::channel(false);
        let asking = tokio::spawn(poller.run(stopped));
        let found = loop {
            let filter = Filter {
                limit: 5_000,
                ..Filter::default()
            };
            let found = journal.list(filter).await.unwrap();
            if enough(&found) {
                break found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        stop.send_replace(true);
        asking.await.unwrap();
        let told = found.iter().rev();
        told.map(|status| format!("{} {}", status.event, status.object))
            .collect()
    }

    async fn cursor(&self, journal: &SqliteJournal) -> Option<String> {
        journal.cursor(&format!("poll/odoo/{KIND}")).await.unwrap()
    }

    /// Begins: what is there by then is no change.
    async fn begun(&self) -> Arc<SqliteJournal> {
        self.asked.write("1", 100, "a");
        let journal = self.journal();
        let mut systems = Systems::default();
        systems.insert_polled("odoo", Arc::clone(&self.asked) as Arc<dyn Poll>);
        let poller = Poller {
            journal: journal.clone(),
            cursors: journal.clone(),
            systems,
            now: Arc::new(|| at(10_000)),
        };
        let (stop, stopped) = watch::channel(false);
        let asking = tokio::spawn(poller.run(stopped));
        while self.cursor(&journal).await.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.send_replace(true);
        asking.await.unwrap();
        journal
    }
}

#[tokio::test]
async fn a_change_that_appears_behind_a_younger_one_is_found() {
    let site = Site::new();
    let journal = site.begun().await;
    site.asked.write("2", 200, "a");
    let told = site
        .until(&journal, |found| found.iter().any(|it| it.object.ends_with("/2")))
        .await;
    assert!(told.contains(&"hint res.partner/2".to_owned()), "{told:?}");
    assert_eq!(site.cursor(&journal).await, Some(at(200).to_string()));
    // its write began before that of 2, and has ended only now
    site.asked.write("3", 150, "late");
    site.until(&journal, |found| found.iter().any(|it| it.object.ends_with("/3")))
        .await;
    // the cursor never goes back
    assert_eq!(site.cursor(&journal).await, Some(at(200).to_string()));
}

#[tokio::test]
async fn what_is_found_again_comes_once_and_another_write_of_its_second_does() {
    let site = Site::new();
    let journal = site.begun().await;
    site.asked.write("2", 200, "a");
    let of_two = |found: &[Status]| found.iter().filter(|it| it.object.ends_with("/2")).count();
    site.until(&journal, |found| of_two(found) == 1).await;
    // some rounds more find the same
    site.asked.write("9", 201, "a");
    site.until(&journal, |found| found.iter().any(|it| it.object.ends_with("/9")))
        .await;
    site.asked.write("2", 200, "b");
    site.until(&journal, |found| of_two(found) == 2).await;
}

#[tokio::test]
async fn what_changed_while_no_host_ran_is_found_afterwards_and_trouble_costs_nothing() {
    let site = Site::new();
    let journal = site.begun().await;
    drop(journal);
    for record in 0..PAGE + 10 {
        site.asked.write(&format!("{:05}", record + 10), 5_000, "a");
    }
    *site.asked.trouble.lock().unwrap() = true;
    let journal = site.journal();
    let asked = Arc::clone(&site.asked);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(250)).await;
        *asked.trouble.lock().unwrap() = false;
    });
    // 1 is within what is read again
    let all = PAGE + 10;
    site.until(&journal, |found| {
        found.iter().filter(|it| it.object != "res.partner/1").count() == all
    })
    .await;
    assert_eq!(site.cursor(&journal).await, Some(at(5_000).to_string()));
}

#[tokio::test]
async fn a_record_of_ours_that_was_deleted_is_told_once() {
    let site = Site::new();
    let journal = site.begun().await;
    site.asked.write("41", 300, "a");
    site.asked.write("42", 300, "a");
    site.until(&journal, |found| {
        found.iter().filter(|it| it.object.contains("/4")).count() == 2
    })
    .await;
    // 41 and 42 stand for what was delivered; 1 for nothing of ours
    let first = journal
        .list(Filter {
            limit: 1,
            ..Filter::default()
        })
        .await
        .unwrap();
    let id = first.first().unwrap().id.clone();
    let receipt = |id: &str| Receipt {
        model: KIND.to_owned(),
        external_id: format!("x.{id}"),
        effect: Effect::Written,
        target_id: Some(id.to_owned()),
        written: Some(Digest::of(b"values")),
        stands_for: Some(EntityRef {
            kind: EntityKind::Account,
            system: "crm".to_owned(),
            id: id.to_owned(),
        }),
        fields: Default::default(),
    };
    let delivered = Event::Delivered {
        target: "odoo".to_owned(),
        receipts: vec![receipt("41"), receipt("42")],
    };
    journal.record(&id, at(10_000), vec![delivered]).await.unwrap();
    site.asked.delete("42");
    site.asked.delete("1");
    let told = site
        .until(&journal, |found| found.iter().any(|it| it.event == "gone"))
        .await;
    assert!(told.contains(&"gone res.partner/42".to_owned()), "{told:?}");
    site.asked.write("43", 301, "a");
    let told = site
        .until(&journal, |found| {
            found.iter().any(|it| it.object.ends_with("/43"))
        })
        .await;
    assert_eq!(told.iter().filter(|it| it.starts_with("gone")).count(), 1);
}
