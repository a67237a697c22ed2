//! `/api/messages`: what became of messages, and what operators decide on them.
//!
//! A decision is one event in the journal. Whether its turn has come is the
//! journal's to say; the pipeline finds it there and does the work.

use std::sync::Arc;

use axum::{Json, extract::State};
use cambist_contract::{message::MessageId, stage::Stage};
use cambist_journal::{Event, Status, journal::Filter};
use http::StatusCode;
use serde::Deserialize;

use super::{Asked, Body, Id, name, reason};
use crate::{
    Admin,
    answer::{Decided, MessageStory, Messages},
    refusal::Refusal,
};

/// Messages on one page, where the call does not say: a screen or two.
const PAGE: usize = 100;

/// Most messages on one page: some 500 kB of JSON.
const PAGE_LIMIT: usize = 1_000;

/// The names of all states, in the order of [`cambist_journal::State`].
pub const STATES: [&str; 7] = ["due", "parked", "held", "waiting", "ignored", "denied", "done"];

/// Which messages to list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Wanted {
    state: Option<String>,
    flow: Option<String>,
    region: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
}

/// `GET /api/messages`
pub(crate) async fn list(
    State(admin): State<Arc<Admin>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Messages>, Refusal> {
    if wanted
        .state
        .as_ref()
        .is_some_and(|state| !STATES.contains(&state.as_str()))
    {
        let known = STATES.join(", ");
        return Err(Refusal::Unreadable(format!(
            "the query: `state` is one of {known}"
        )));
    }
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        return Err(Refusal::Unreadable(format!(
            "the query: `limit` is 1 to {PAGE_LIMIT}"
        )));
    }
    let filter = Filter {
        state: wanted.state,
        flow: wanted.flow,
        region: wanted.region,
        before: wanted.before,
        // one more tells whether there is a next page
        limit: limit + 1,
        ..Filter::default()
    };
    let mut messages = admin.journal.list(filter).await?;
    let is_last = messages.len() <= limit;
    messages.truncate(limit);
    let last = messages.last().map(|status| status.arrival);
    Ok(Json(Messages {
        messages,
        next_before: last.filter(|_| !is_last),
    }))
}

/// `GET /api/messages/{id}`
pub(crate) async fn show(State(admin): State<Arc<Admin>>, Id(id): Id) -> Result<Json<MessageStory>, Refusal> {
    let found = admin.journal.message(&id).await?;
    let claim = found.ok_or(Refusal::UnknownMessage)?;
    Ok(Json(MessageStory {
        status: claim.status,
        message: claim.message,
        entries: claim.entries,
    }))
}

/// A message is to begin again.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Resume {
    /// Where; where it stands if it is left out, `fetch` for one that has ended.
    from: Option<Stage>,
    /// On the live revisions, not on the pinned ones.
    #[serde(default)]
    live: bool,
    /// Who says so.
    by: String,
    /// Why.
    reason: Option<String>,
}

/// `POST /api/messages/{id}/resume`
pub(crate) async fn resume(
    State(admin): State<Arc<Admin>>,
    Id(id): Id,
    Body(resume): Body<Resume>,
) -> Result<(StatusCode, Json<Decided>), Refusal> {
    let by = name("by", &resume.by)?;
    let why = resume.reason.as_deref().map(reason).transpose()?;
    let _turn = admin.deciding.lock().await;
    let from = match resume.from {
        Some(from) => from,
        None => standing(&status(&admin, &id).await?),
    };
    let live = resume.live;
    let resumed = Event::Resumed {
        by,
        from,
        live,
        why,
        order: None,
    };
    decide(&admin, &id, vec![resumed]).await
}

/// A role lets a held message pass.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Release {
    /// The role that it is held for.
    role: String,
    /// Who says so.
    by: String,
}

/// `POST /api/messages/{id}/release`
pub(crate) async fn release(
    State(admin): State<Arc<Admin>>,
    Id(id): Id,
    Body(release): Body<Release>,
) -> Result<(StatusCode, Json<Decided>), Refusal> {
    let role = name("role", &release.role)?;
    let by = name("by", &release.by)?;
    let _turn = admin.deciding.lock().await;
    decide(&admin, &id, vec![Event::Released { role, by }]).await
}

/// Writes a decision, and tells where the message stands since. 202: the work is
/// the pipeline's, and later. Of several events the last is the decision.
pub(crate) async fn decide(
    admin: &Admin,
    id: &MessageId,
    events: Vec<Event>,
) -> Result<(StatusCode, Json<Decided>), Refusal> {
    let at = (admin.clock)();
    let event = events.last().cloned().ok_or(Refusal::Defect)?;
    admin.journal.record(id, at, events).await?;
    tracing::info!(message = %id, decision = event.name(), "an operator decided");
    let status = status(admin, id).await?;
    Ok((StatusCode::ACCEPTED, Json(Decided { event, status })))
}

pub(crate) async fn status(admin: &Admin, id: &MessageId) -> Result<Status, Refusal> {
    let found = admin.journal.message(id).await?;
    found.map(|claim| claim.status).ok_or(Refusal::UnknownMessage)
}

/// The stage a message stands before; the first for one that has ended.
pub(crate) fn standing(status: &Status) -> Stage {
    if status.state.is_final() {
        return Stage::Fetch;
    }
    match status.passed {
        None => Stage::Fetch,
        Some(passed) => Stage::ALL
            .into_iter()
            .find(|stage| *stage > passed)
            .unwrap_or(Stage::Deliver),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_journal::State;
    use serde_json::json;

    use super::*;

    fn status(passed: Option<Stage>, state: serde_json::Value) -> Status {
        let mut fields = json!({"id": "m", "arrival": 1, "system": "crm", "event": "e", "object": "deal/1",
            "key": "k", "received-at": "2026-01-01T00:00:00Z", "updated-at": "2026-01-01T00:00:00Z",
            "passed": passed, "attempts": 0});
        fields
            .as_object_mut()
            .unwrap()
            .extend(state.as_object().unwrap().clone());
        serde_json::from_value(fields).unwrap()
    }

    fn states() -> Vec<State> {
        [
            json!({"state": "due", "at": "2026-01-01T00:00:00Z"}),
            json!({"state": "parked", "code": "refused", "reason": "r"}),
            json!({"state": "held", "role": "finance", "reason": "r"}),
            json!({"state": "waiting", "entity": {"kind": "account", "system": "crm", "id": "1"}}),
            json!({"state": "ignored", "reason": "r"}),
            json!({"state": "denied", "reason": "r"}),
            json!({"state": "done"}),
        ]
        .map(|state| serde_json::from_value(state).unwrap())
        .into()
    }

    #[test]
    fn all_states_are_named() {
        // a new state does not compile here before it is in the list above
        let place = |state: &State| match state {
            State::Due { .. } => 0,
            State::Parked { .. } => 1,
            State::Held { .. } => 2,
            State::Waiting { .. } => 3,
            State::Ignored { .. } => 4,
            State::Denied { .. } => 5,
            State::Done => 6,
        };
        let states = states();
        assert_eq!(states.len(), STATES.len());
        for state in &states {
            assert_eq!(STATES.get(place(state)), Some(&state.name()));
        }
    }

    #[test]
    fn a_message_resumes_where_it_stands_and_an_ended_one_from_the_start() {
        let parked = json!({"state": "parked", "code": "refused", "reason": "r"});
        assert_eq!(standing(&status(None, parked.clone())), Stage::Fetch);
        assert_eq!(standing(&status(Some(Stage::Own), parked.clone())), Stage::Judge);
        assert_eq!(standing(&status(Some(Stage::Deliver), parked)), Stage::Deliver);
        for ended in states().iter().filter(|state| state.is_final()) {
            let state = serde_json::to_value(ended).unwrap();
            assert_eq!(standing(&status(Some(Stage::Tax), state)), Stage::Fetch);
        }
    }
}
