//! Any order of requests and restarts does what a model of a page says.
//!
//! The model keeps no entries, no index and no file; it is written from the words
//! of the trait, not from the store.

#![expect(clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    delivery::{Effect, Receipt},
    message::{Message, MessageId},
    stage::Stage,
};
use cambist_journal::{
    Event, Journal as _, JournalError,
    journal::{Accepted, Filter},
    store::SqliteJournal,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Accept(Vec<u8>),
    Claim(usize),
    Record(u8, Vec<What>),
    Release(u8),
    Later(i64),
    Restart,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Passed,
    Delivered(u8),
    FailedFor(i64),
    Parked,
    Held(bool),
    Waiting(u8),
    Ignored,
    Done,
    Released(bool),
    Resumed,
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        2 => Just(What::Passed),
        3 => (0..2u8).prop_map(What::Delivered),
        2 => (0..5i64).prop_map(What::FailedFor),
        1 => Just(What::Parked),
        1 => any::<bool>().prop_map(What::Held),
        3 => (0..2u8).prop_map(What::Waiting),
        1 => Just(What::Ignored),
        4 => Just(What::Done),
        1 => any::<bool>().prop_map(What::Released),
        2 => Just(What::Resumed),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::collection::vec(0..8u8, 1..4).prop_map(Step::Accept),
        4 => (0..4usize).prop_map(Step::Claim),
        9 => (0..8u8, prop::collection::vec(what(), 1..3)).prop_map(|(n, events)| Step::Record(n, events)),
        1 => (0..8u8).prop_map(Step::Release),
        2 => (1..4i64).prop_map(Step::Later),
        1 => Just(Step::Restart),
    ]
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Due(i64),
    Parked,
    Held(bool),
    Waiting(u8),
    Ignored,
    Done,
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Due(_) => "due",
            Self::Parked => "parked",
            Self::Held(_) => "held",
            Self::Waiting(_) => "waiting",
            Self::Ignored => "ignored",
            Self::Done => "done",
        }
    }
}

#[derive(Clone, Debug)]
struct Known {
    n: u8,
    state: State,
    attempts: u32,
    /// How many entries the journal had when it was claimed.
    claimed: Option<u64>,
    /// Its last entry.
    last: u64,
    /// Entities it delivered, with the entry by which they last came.
    brought: BTreeMap<u8, u64>,
}

#[derive(Clone, Debug, Default)]
struct Model {
    now: i64,
    entries: u64,
    /// In the order of arrival.
    messages: Vec<Known>,
}

impl Model {
    fn accept(&mut self, n: u8) -> Accepted {
        if self.messages.iter().any(|known| known.n == n) {
            return Accepted::Duplicate;
        }
        self.entries += 1;
        self.messages.push(Known {
            n,
            state: State::Due(self.now),
            attempts: 0,
            claimed: None,
            last: self.entries,
            brought: BTreeMap::new(),
        });
        Accepted::New
    }

    fn claim(&mut self, limit: usize) -> Vec<u8> {
        let mut due = Vec::new();
        for key in 0..KEYS {
            let of_key = || {
                self.messages
                    .iter()
                    .enumerate()
                    .filter(|(_, known)| known.n % KEYS == key)
            };
            let head = of_key().find(|(_, known)| !matches!(known.state, State::Ignored | State::Done));
            if let Some((
                arrival,
                Known {
                    state: State::Due(at),
                    ..
                },
            )) = head
                && *at <= self.now
                && of_key().all(|(_, known)| known.claimed.is_none())
            {
                due.push((*at, arrival));
            }
        }
        due.sort_unstable();
        let mut claimed = Vec::new();
        for (_, arrival) in due.into_iter().take(limit) {
            self.messages[arrival].claimed = Some(self.entries);
            claimed.push(self.messages[arrival].n);
        }
        claimed
    }

    /// Whether the list was taken; if not, nothing has changed.
    fn record(&mut self, n: u8, events: &[What]) -> bool {
        let before = self.clone();
        let seen = self
            .messages
            .iter()
            .find(|known| known.n == n)
            .map(|known| known.claimed.unwrap_or(known.last));
        let Some(seen) = seen else { return false };
        if events.iter().all(|what| self.happen(n, *what, seen).is_some()) {
            return true;
        }
        *self = before;
        false
    }

    fn happen(&mut self, n: u8, what: What, seen: u64) -> Option<()> {
        let now = self.now;
        self.entries += 1;
        let place = self.entries;
        let known = self.messages.iter_mut().find(|known| known.n == n)?;
        let in_turn = match (&known.state, what) {
            (_, What::Resumed) => known.claimed.is_none(),
            (State::Held(role), What::Released(by)) => *role == by,
            (_, What::Released(_)) => false,
            (state, _) => matches!(state, State::Due(_)),
        };
        if !in_turn {
            return None;
        }
        known.last = place;
        if !matches!(what, What::Passed | What::Delivered(_)) {
            known.claimed = None;
        }
        match what {
            What::Passed => known.attempts = 0,
            What::Delivered(entity) => drop(known.brought.insert(entity, place)),
            What::FailedFor(seconds) => {
                known.attempts += 1;
                known.state = State::Due(now + seconds);
            }
            What::Parked => known.state = State::Parked,
            What::Held(role) => known.state = State::Held(role),
            What::Ignored => known.state = State::Ignored,
            What::Released(_) => known.state = State::Due(now),
            What::Resumed => {
                known.attempts = 0;
                known.state = State::Due(now);
            }
            What::Waiting(entity) => {
                known.state = State::Waiting(entity);
                let came =
                    |other: &Known| other.n != n && other.brought.get(&entity).is_some_and(|at| *at > seen);
                if self.messages.iter().any(came) {
                    self.wake(n);
                }
            }
            What::Done => {
                known.state = State::Done;
                known.brought.values_mut().for_each(|at| *at = place);
                let brought = known.brought.clone();
                let waits = |other: &&Known| matches!(&other.state, State::Waiting(entity) if brought.contains_key(entity));
                let waiting: Vec<u8> = self.messages.iter().filter(waits).map(|other| other.n).collect();
                waiting.into_iter().for_each(|n| self.wake(n));
            }
        }
        Some(())
    }

    fn wake(&mut self, n: u8) {
        self.entries += 1;
        for known in self.messages.iter_mut().filter(|known| known.n == n) {
            known.state = State::Due(self.now);
            known.attempts = 0;
            known.last = self.entries;
        }
    }
}

const KEYS: u8 = 3;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn id(n: u8) -> MessageId {
    MessageId::of("crm", &n.to_string())
}

fn message(n: u8, now: i64) -> Message {
    Message {
        id: id(n),
        system: "crm".into(),
        event: "deal.changed".into(),
        object_kind: "deal".into(),
        object_id: n.to_string(),
        dedupe: n.to_string(),
        key: format!("key-{}", n % KEYS),
        occurred_at: at(now),
        received_at: at(now),
        headers: BTreeMap::new(),
        body: "{}".into(),
    }
}

fn event(what: What, now: i64) -> Event {
    let entity = |n: u8| EntityRef {
        kind: EntityKind::Account,
        system: "crm".into(),
        id: n.to_string(),
    };
    let role = |finance: bool| if finance { "finance" } else { "sales" }.to_owned();
    match what {
        What::Passed => Event::Passed {
            stage: Stage::Read,
            output: serde_json::Value::Null.into(),
            took_us: 1,
            fuel: None,
            log: vec![],
            links: vec![],
        },
        What::Delivered(n) => Event::Delivered {
            target: "odoo".into(),
            receipts: vec![Receipt {
                model: "res.partner".into(),
                external_id: n.to_string(),
                effect: Effect::Written,
                target_id: None,
                written: None,
                stands_for: Some(entity(n)),
                fields: BTreeMap::new(),
            }],
        },
        What::FailedFor(seconds) => Event::Failed {
            stage: Stage::Deliver,
            attempt: 1,
            error: "no answer".into(),
            retry_at: at(now + seconds),
        },
        What::Parked => Event::Parked {
            stage: Stage::Write,
            code: "refused".into(),
            reason: "no country".into(),
        },
        What::Held(finance) => Event::Held {
            role: role(finance),
            reasons: vec![],
        },
        What::Waiting(n) => Event::Waiting {
            stage: Stage::Write,
            entity: entity(n),
        },
        What::Ignored => Event::Ignored {
            reason: "no flow".into(),
        },
        What::Done => Event::Done,
        What::Released(finance) => Event::Released {
            role: role(finance),
            by: "b.keller".into(),
        },
        What::Resumed => Event::Resumed {
            by: "b.keller".into(),
            from: Stage::Fetch,
            live: false,
            why: None,
            order: None,
        },
    }
}

async fn run(steps: Vec<Step>) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let mut journal = SqliteJournal::open(&path)?;
    let mut model = Model::default();
    for step in steps {
        match &step {
            Step::Accept(numbers) => {
                let batch = numbers.iter().map(|n| message(*n, model.now)).collect();
                let expected: Vec<_> = numbers.iter().map(|n| model.accept(*n)).collect();
                assert_eq!(journal.accept(batch).await?, expected, "{step:?}");
            }
            Step::Claim(limit) => {
                let claims = journal.claim(at(model.now), *limit).await?;
                let ids: Vec<_> = claims.into_iter().map(|claim| claim.message.id).collect();
                let expected: Vec<_> = model.claim(*limit).into_iter().map(id).collect();
                assert_eq!(ids, expected, "{step:?}");
            }
            Step::Record(n, whats) => {
                let events = whats.iter().map(|what| event(*what, model.now)).collect();
                let recorded = journal.record(&id(*n), at(model.now), events).await;
                match (&recorded, model.record(*n, whats)) {
                    (Ok(()), true)
                    | (Err(JournalError::OutOfTurn { .. } | JournalError::Unknown(_)), false) => {}
                    (_, expected) => panic!("{step:?}: {recorded:?}, the model says {expected}"),
                }
            }
            Step::Release(n) => {
                journal.release(&id(*n));
                model
                    .messages
                    .iter_mut()
                    .filter(|known| known.n == *n)
                    .for_each(|known| known.claimed = None);
            }
            Step::Later(seconds) => model.now += seconds,
            Step::Restart => {
                drop(journal);
                journal = SqliteJournal::open(&path)?;
                model.messages.iter_mut().for_each(|known| known.claimed = None);
            }
        }
        compare(&journal, &model, &step).await?;
    }
    assert_eq!(journal.verify().await?.entries, model.entries);
    Ok(())
}

async fn compare(journal: &SqliteJournal, model: &Model, step: &Step) -> anyhow::Result<()> {
    let all = Filter {
        limit: 99,
        ..Filter::default()
    };
    let stands: Vec<_> = journal.list(all).await?.into_iter().rev().collect();
    let stands = stands
        .into_iter()
        .map(|status| (status.id, status.state.name(), status.attempts));
    let expected: Vec<_> = model
        .messages
        .iter()
        .map(|known| (id(known.n), known.state.name(), known.attempts))
        .collect();
    assert_eq!(stands.collect::<Vec<_>>(), expected, "after {step:?}");

    let mut counts = BTreeMap::new();
    for known in &model.messages {
        *counts.entry(known.state.name().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(journal.counts().await?.by_state, counts, "after {step:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_requests_does_what_the_model_says(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(steps)))
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
