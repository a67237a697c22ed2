//! What the cases are made of: messages, events, times. Nothing here asks a clock.

use std::collections::BTreeMap;

use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    delivery::{Effect, Receipt},
    digest::Digest,
    fault::Reason,
    message::{Message, MessageId},
    plugin::LogLine,
    stage::Stage,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{Event, Journal, JournalError, LinkAnswer, Status, journal::Claim};

/// The target of all deliveries.
pub(super) const TARGET: &str = "odoo";

/// No message was handed out.
pub(super) const NOBODY: [i64; 0] = [];

/// So many seconds after a fixed moment, which is no whole second itself: a store
/// must keep nanoseconds.
pub(super) fn at(seconds: i64) -> Timestamp {
    let start = Timestamp::constant(1_790_000_000, 123_456_789);
    start
        .checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

/// The message number `n` of a key, received `n` seconds after the start.
pub(super) fn message(n: i64, key: &str) -> Message {
    let dedupe = format!("event-{n}");
    Message {
        id: MessageId::of("crm", &dedupe),
        system: "crm".into(),
        event: "deal.propertyChange".into(),
        object_kind: "deal".into(),
        object_id: format!("{n}"),
        dedupe,
        key: key.into(),
        occurred_at: at(n - 1),
        received_at: at(n),
        headers: [("user-agent".to_owned(), "crm/1".to_owned())].into(),
        body: format!(r#"{{"amount":"1200.50","name":"Größe ≠ \u0000","n":{n}}}"#),
    }
}

/// The id of message number `n`.
pub(super) fn id(n: i64) -> MessageId {
    message(n, "").id
}

/// Takes in the messages 1 to `count`, each with the key that `key` gives it.
pub(super) async fn accept(
    journal: &impl Journal,
    count: i64,
    key: impl Fn(i64) -> String,
) -> Result<(), JournalError> {
    journal
        .accept((1..=count).map(|n| message(n, &key(n))).collect())
        .await?;
    Ok(())
}

/// The status of message number `n`, which must be there.
pub(super) async fn status(journal: &impl Journal, n: i64) -> Result<Status, JournalError> {
    let found = journal.message(&id(n)).await?;
    found
        .map(|claim| claim.status)
        .ok_or_else(|| JournalError::Unknown(id(n)))
}

/// The state's name of message number `n`.
pub(super) async fn state(journal: &impl Journal, n: i64) -> Result<&'static str, JournalError> {
    Ok(status(journal, n).await?.state.name())
}

/// The names of all that happened to message number `n`.
pub(super) async fn history(journal: &impl Journal, n: i64) -> Result<Vec<&'static str>, JournalError> {
    let found = journal.message(&id(n)).await?;
    Ok(found
        .into_iter()
        .flat_map(|claim| claim.entries)
        .map(|entry| entry.event.name())
        .collect())
}

/// Claims, and answers the messages' numbers.
pub(super) async fn claim(journal: &impl Journal, now: i64, limit: usize) -> Result<Vec<i64>, JournalError> {
    Ok(numbers(&journal.claim(at(now), limit).await?))
}

/// The numbers of the messages.
pub(super) fn numbers(claims: &[Claim]) -> Vec<i64> {
    claims
        .iter()
        .filter_map(|claim| claim.message.object_id.parse().ok())
        .collect()
}

/// Writes events at `now`.
pub(super) async fn record(
    journal: &impl Journal,
    n: i64,
    now: i64,
    events: impl IntoIterator<Item = Event>,
) -> Result<(), JournalError> {
    journal
        .record(&id(n), at(now), events.into_iter().collect())
        .await
}

pub(super) fn routed(flow: &str, region: &str) -> Event {
    Event::Routed {
        flow: flow.into(),
        region: region.into(),
        unit: String::new(),
        target: TARGET.into(),
        pins: [
            (Stage::Read, Digest::of(b"map")),
            (Stage::Tax, Digest::of(b"tax")),
        ]
        .into(),
        step: Some(7),
    }
}

pub(super) fn passed(stage: Stage) -> Event {
    Event::Passed {
        stage,
        output: json!({"lines": [{"amount": "10.10", "quantity": 3}], "b": null, "a": "ü"}).into(),
        took_us: 1_234,
        fuel: Some(u64::from(u32::MAX) + 1),
        log: vec![],
        links: vec![],
    }
}

/// A call whose stage did not pass.
pub(super) fn called(stage: Stage) -> Event {
    Event::Called {
        stage,
        took_us: 512,
        fuel: u64::from(u32::MAX) + 1,
        log: vec![LogLine {
            level: "warn".into(),
            text: "no such rate".into(),
        }],
        links: vec![LinkAnswer {
            entity: account("1"),
            system: TARGET.into(),
            link: None,
            id: None,
        }],
    }
}

pub(super) fn failed(retry: i64) -> Event {
    Event::Failed {
        stage: Stage::Deliver,
        attempt: 1,
        error: "no answer within 30 s".into(),
        retry_at: at(retry),
    }
}

pub(super) fn parked() -> Event {
    Event::Parked {
        stage: Stage::Write,
        code: "refused".into(),
        reason: "the account has no country".into(),
    }
}

pub(super) fn held(role: &str) -> Event {
    Event::Held {
        role: role.into(),
        reasons: vec![reason("above-limit", "the deal is above 50 000 EUR")],
    }
}

pub(super) fn released(role: &str) -> Event {
    Event::Released {
        role: role.into(),
        by: "b.keller".into(),
    }
}

pub(super) fn resumed(from: Stage) -> Event {
    Event::Resumed {
        by: "b.keller".into(),
        from,
        live: true,
        why: None,
        order: None,
    }
}

pub(super) fn waiting(entity: &EntityRef) -> Event {
    Event::Waiting {
        stage: Stage::Write,
        entity: entity.clone(),
    }
}

pub(super) fn ignored() -> Event {
    Event::Ignored {
        reason: "no flow takes it".into(),
    }
}

pub(super) fn denied() -> Event {
    Event::Denied {
        reasons: vec![
            reason("embargo", "the country is embargoed"),
            reason("again", "and the bank is"),
        ],
    }
}

fn reason(code: &str, text: &str) -> Reason {
    Reason {
        code: code.into(),
        text: text.into(),
        basis: None,
    }
}

pub(super) fn account(id: &str) -> EntityRef {
    EntityRef {
        kind: EntityKind::Account,
        system: "crm".into(),
        id: id.into(),
    }
}

/// A delivery to [`TARGET`] of one record that stands for `entity`.
pub(super) fn delivered(entity: &EntityRef) -> Event {
    delivery(TARGET, receipt(entity))
}

pub(super) fn delivery(target: &str, receipt: Receipt) -> Event {
    Event::Delivered {
        target: target.into(),
        receipts: vec![receipt],
    }
}

/// A receipt for the record of an entity.
pub(super) fn receipt(entity: &EntityRef) -> Receipt {
    Receipt {
        model: "res.partner".into(),
        external_id: format!("crm_account_{}", entity.id),
        effect: Effect::Written,
        target_id: Some(format!("4{}", entity.id)),
        written: Some(Digest::of(b"values")),
        stands_for: Some(entity.clone()),
        fields: BTreeMap::new(),
    }
}
