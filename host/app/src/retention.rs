//! `[retention]`: how long what messages said is kept, and the task that lets it go.
//!
//! Nothing goes unless its class has an age here. What has not ended never goes; nor do links,
//! and what was last written and told through them, without which the next message of the
//! same customer would be taken for the first one. The chain keeps its entries, blanked, so
//! that it can be checked as long as there is a journal.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use cambist_journal::{
    Erasures, JournalError,
    erasure::{Erased, Erasure, Expiry, Extent, Ground},
};
use jiff::{SignedDuration, Timestamp};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch::Receiver;

use crate::host::now;

/// Messages that are blanked in one transaction, for which others wait: some tens of
/// milliseconds.
const STEP: usize = 20;

/// How long others have the journal to themselves between two steps. A hundred messages a
/// second are eight million a day, more than one journal takes in.
const PAUSE: Duration = Duration::from_millis(200);

/// How often it is looked for what has come of age, by the day as ages are.
const EVERY: Duration = Duration::from_secs(15 * 60);

/// Who erases, as the evidence names it.
const BY: &str = "retention";

/// How long what messages said is kept, by class, in days since the message ended. What a
/// message was about, and that it was, is kept for good.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Retention {
    /// What was received and what stages made, of messages that are done. Receipts, decisions
    /// and their reasons stay. Such a message cannot be replayed any more. Left out, for good.
    pub payloads_days: Option<NonZeroU32>,
    /// The same of messages that were ignored or denied, of which nothing was delivered. Left
    /// out, for good.
    pub ignored_days: Option<NonZeroU32>,
    /// Receipts, reasons and ids as well, of every message that has ended: what is left is
    /// that there was one, when, and how it went. Set it to no less than the law of every
    /// region asks for books and their grounds, 10 years in many. Left out, for good.
    pub evidence_days: Option<NonZeroU32>,
}

/// What goes at which age.
struct Class {
    name: &'static str,
    states: &'static [&'static str],
    extent: Extent,
    days: NonZeroU32,
}

impl Retention {
    /// What cannot be meant.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        let shorter = [
            ("payloads-days", self.payloads_days),
            ("ignored-days", self.ignored_days),
        ];
        shorter.into_iter().find_map(|(name, days)| {
            let evidence = self.evidence_days?;
            (days? > evidence).then(|| {
                let text = format!(
                    "`{name}` is longer than `evidence-days`, after which nothing is left: leave it out, or make it at most \
                     {evidence}"
                );
                (name, text)
            })
        })
    }

    fn classes(&self) -> Vec<Class> {
        let class = |name, days: Option<NonZeroU32>, states, extent| {
            days.map(|days| Class {
                name,
                states,
                extent,
                days,
            })
        };
        [
            // first what takes most with it
            class(
                "evidence",
                self.evidence_days,
                &["done", "ignored", "denied"][..],
                Extent::All,
            ),
            class("payloads", self.payloads_days, &["done"], Extent::Payloads),
            class(
                "ignored",
                self.ignored_days,
                &["ignored", "denied"],
                Extent::Payloads,
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Lets go what has come of age, until it is told to stop.
pub(crate) async fn keep(options: Retention, journal: Arc<dyn Erasures>, mut stopped: Receiver<bool>) {
    describe_counter!(
        "cambist_retention_erased_total",
        "Messages of which what had come of age was erased, by class"
    );
    describe_gauge!(
        "cambist_retention_behind_seconds",
        metrics::Unit::Seconds,
        "How long it is that all that had come of age was last erased"
    );
    let classes = options.classes();
    if classes.is_empty() {
        return;
    }
    let mut done = now();
    loop {
        let swept = tokio::select! {
            swept = sweep(&classes, journal.as_ref()) => swept,
            _ = stopped.changed() => return,
        };
        match swept {
            Ok(()) => done = now(),
            Err(error) => tracing::warn!(%error, "cannot erase what has come of age; it is tried again"),
        }
        gauge!("cambist_retention_behind_seconds").set(now().duration_since(done).as_secs_f64());
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.changed() => return,
        }
    }
}

/// Erases all that has come of age, some at a time.
async fn sweep(classes: &[Class], journal: &dyn Erasures) -> Result<(), JournalError> {
    let mut all = 0_usize;
    for class in classes {
        loop {
            let erased = step(class, journal).await?;
            if erased == 0 {
                break;
            }
            all += erased;
            counter!("cambist_retention_erased_total", "class" => class.name).increment(erased as u64);
            tokio::time::sleep(PAUSE).await;
        }
    }
    if all > 0 {
        tracing::info!(messages = all, "erased what had come of age");
        // a reader that is in the way now is not the next time
        let _is_forgotten = journal.forget().await?;
    }
    Ok(())
}

async fn step(class: &Class, journal: &dyn Erasures) -> Result<usize, JournalError> {
    let at = now();
    let age = SignedDuration::from_hours(24 * i64::from(class.days.get()));
    let expiry = Expiry {
        states: class.states.iter().map(|&state| state.to_owned()).collect(),
        extent: class.extent,
        before: at.checked_sub(age).unwrap_or(Timestamp::MIN),
        limit: STEP,
    };
    let messages = journal.expired(expiry).await?;
    if messages.is_empty() {
        return Ok(0);
    }
    let erasure = Erasure {
        messages,
        extent: class.extent,
        end: false,
        ground: Ground {
            by: BY.to_owned(),
            reason: format!("{} older than {} days", class.name, class.days),
            request: None,
        },
    };
    let became = journal.erase(at, erasure).await?;
    // one that begins again at this moment is left alone, and does not keep this from its end
    Ok(became.iter().filter(|became| **became == Erased::Now).count())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_contract::message::{Message, MessageId};
    use cambist_journal::{Event, Journal as _, store::SqliteJournal};

    use super::*;

    fn days(days: u32) -> Option<NonZeroU32> {
        NonZeroU32::new(days)
    }

    fn message(n: u32) -> Message {
        Message {
            id: MessageId::of("crm", &n.to_string()),
            system: "crm".into(),
            event: "deal.changed".into(),
            object_kind: "deal".into(),
            object_id: n.to_string(),
            dedupe: n.to_string(),
            key: n.to_string(),
            occurred_at: Timestamp::UNIX_EPOCH,
            received_at: Timestamp::UNIX_EPOCH,
            headers: Default::default(),
            body: "{}".into(),
        }
    }

    #[test]
    fn nothing_goes_unless_it_is_set() {
        assert!(Retention::default().classes().is_empty());
    }

    #[test]
    fn payloads_are_not_kept_longer_than_anything() {
        let options = |payloads, evidence| Retention {
            payloads_days: payloads,
            evidence_days: evidence,
            ..Retention::default()
        };
        assert_eq!(options(days(9), days(9)).problem(), None);
        assert_eq!(options(days(9), None).problem(), None);
        assert_eq!(options(days(10), days(9)).problem().unwrap().0, "payloads-days");
    }

    #[tokio::test]
    async fn what_has_come_of_age_goes_by_its_class_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(folder.path().join("journal.db")).unwrap();
        journal.accept((1..=60).map(message).collect()).await.unwrap();
        let days_ago = |days: i64| now().checked_sub(SignedDuration::from_hours(24 * days)).unwrap();
        let parked = Event::Parked {
            stage: cambist_contract::stage::Stage::Write,
            code: "refused".into(),
            reason: "no country".into(),
        };
        let ignored = Event::Ignored {
            reason: "no flow".into(),
        };
        // more than a step are done and old; 51 to 54 are as young as one day, ignored, parked
        // and so old that nothing is to be left
        for n in 1..=50 {
            journal
                .record(&message(n).id, days_ago(31), vec![Event::Done])
                .await
                .unwrap();
        }
        for (n, ago, event) in [
            (51, 1, Event::Done),
            (52, 31, ignored),
            (53, 4_000, parked),
            (54, 4_000, Event::Done),
        ] {
            journal
                .record(&message(n).id, days_ago(ago), vec![event])
                .await
                .unwrap();
        }
        let options = Retention {
            payloads_days: days(30),
            ignored_days: days(60),
            evidence_days: days(3_650),
        };
        sweep(&options.classes(), &journal).await.unwrap();
        let mut erased = Vec::new();
        for n in 1..=60 {
            let claim = journal.message(&message(n).id).await.unwrap().unwrap();
            erased.push(claim.status.erased);
        }
        let mut expected = vec![Some(Extent::Payloads); 50];
        expected.extend([None, None, None, Some(Extent::All)]);
        expected.extend([None; 6]);
        assert_eq!(erased, expected);
        journal.verify().await.unwrap();
    }
}
