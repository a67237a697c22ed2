//! `POST /api/parked/{id}/skip` and `…/edit`: a message that rests ends, or goes on with another
//! input. Both stand in the evidence with who said so and why, and nothing is taken out of it.

use std::sync::Arc;

use axum::extract::State;
use cambist_contract::{Json, mapping::Inbound, message::UNKNOWN_KIND, stage::Stage};
use cambist_journal::{Event, State as Stands, Status, entry::DEEPEST, journal::Claim};
use http::StatusCode;
use serde::Deserialize;

use crate::{
    Admin,
    answer::Decided,
    api::{
        Body, Id,
        messages::{decide, standing},
        name, reason,
    },
    refusal::Refusal,
};

/// Largest call with an input, in bytes: as large as the answer of a system that it stands for
/// may be.
pub(crate) const INPUT_LIMIT: usize = 8 << 20;

/// Levels that an input may be nested. The host puts one around it.
const INPUT_DEPTH: usize = DEEPEST - 1;

/// A message is to go nowhere.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Skip {
    /// Who says so.
    by: String,
    /// Why.
    reason: String,
}

/// `POST /api/parked/{id}/skip`
pub(crate) async fn skip(
    State(admin): State<Arc<Admin>>,
    Id(id): Id,
    Body(skip): Body<Skip>,
) -> Result<(StatusCode, axum::Json<Decided>), Refusal> {
    let by = name("by", &skip.by)?;
    let why = reason(&skip.reason)?;
    let _turn = admin.deciding.lock().await;
    let claim = resting(&admin, &id, "skipped").await?;
    let events = vec![
        resumed(&by, standing(&claim.status), false),
        Event::skipped(&by, &why),
    ];
    decide(&admin, &id, events).await
}

/// A message is to go on with another input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Edit {
    /// The object in its source's words, as it is to be read.
    body: Json,
    /// Who says so.
    by: String,
    /// Why.
    reason: String,
    /// On the way and the revisions that are live, not on those it has.
    #[serde(default)]
    live: bool,
}

/// `POST /api/parked/{id}/edit`
pub(crate) async fn edit(
    State(admin): State<Arc<Admin>>,
    Id(id): Id,
    Body(edit): Body<Edit>,
) -> Result<(StatusCode, axum::Json<Decided>), Refusal> {
    let by = name("by", &edit.by)?;
    let why = reason(&edit.reason)?;
    if !edit.body.as_str().trim_start().starts_with('{') || !edit.body.fits(INPUT_DEPTH) {
        return Err(Refusal::Unreadable(format!(
            "the body: `body` is the whole object as JSON, at most {INPUT_DEPTH} levels deep; `cambist parked show ID \
             --input` prints the one to begin from"
        )));
    }
    let _turn = admin.deciding.lock().await;
    let claim = resting(&admin, &id, "edited").await?;
    let message = &claim.message;
    if message.object_kind == UNKNOWN_KIND {
        return Err(Refusal::Unreadable(
            "the message: nobody could tell what object it is about, so no input makes it go on; skip it"
                .to_owned(),
        ));
    }
    let input = Inbound {
        system: message.system.clone(),
        event: message.event.clone(),
        object_kind: message.object_kind.clone(),
        object_id: message.object_id.clone(),
        body: edit.body,
    };
    let input = Json::of(&input).map_err(|_| Refusal::Defect)?;
    let events = vec![
        resumed(&by, Stage::Fetch, edit.live),
        Event::edited(&by, &why, input),
    ];
    decide(&admin, &id, events).await
}

fn resumed(by: &str, from: Stage, live: bool) -> Event {
    Event::Resumed {
        by: by.to_owned(),
        from,
        live,
        why: None,
        order: None,
    }
}

/// The message, which must rest: nobody works on it, and it has not ended.
async fn resting(
    admin: &Admin,
    id: &cambist_contract::message::MessageId,
    what: &'static str,
) -> Result<Claim, Refusal> {
    let found = admin.journal.message(id).await?;
    let claim = found.ok_or(Refusal::UnknownMessage)?;
    let Status { state, .. } = &claim.status;
    match state {
        Stands::Parked { .. } | Stands::Held { .. } | Stands::Waiting { .. } => Ok(claim),
        _ => Err(cambist_journal::JournalError::OutOfTurn {
            id: id.clone(),
            state: state.name(),
            event: what,
        }
        .into()),
    }
}
