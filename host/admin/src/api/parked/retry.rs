//! `POST /api/parked/retry`: messages go on from where they stand, some by their ids or all of a
//! cause. Each is a decision of its own in the journal, so a call that breaks off has retried those
//! it got to, and the same call again finds the rest.

use std::sync::Arc;

use axum::{Json, extract::State};
use cambist_contract::message::MessageId;
use cambist_journal::{Event, JournalError, journal::Filter};
use http::StatusCode;
use serde::Deserialize;

use crate::{
    Admin,
    answer::{NotRetried, Retried},
    api::{Body, messages::standing, name},
    refusal::Refusal,
};

/// Most messages of one call: each is a write that reaches the disk, some milliseconds, and a
/// caller waits for all of them.
const AT_ONCE: usize = 100;

/// Largest body, in bytes: [`AT_ONCE`] ids of at most 80 bytes, with the rest.
pub(crate) const BODY_LIMIT: usize = 16 << 10;

/// Which messages are to go on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Retry {
    /// These.
    #[serde(default)]
    ids: Vec<String>,
    /// All that rest for this.
    code: Option<String>,
    /// Only those of this flow.
    flow: Option<String>,
    /// Only those of this region.
    region: Option<String>,
    /// Only those of this system.
    system: Option<String>,
    /// Only those that arrived before this place: what the call before answered.
    before: Option<u64>,
    /// On the live revisions, not on the pinned ones.
    #[serde(default)]
    live: bool,
    /// Who says so.
    by: String,
}

/// `POST /api/parked/retry`
pub(crate) async fn retry(
    State(admin): State<Arc<Admin>>,
    Body(retry): Body<Retry>,
) -> Result<(StatusCode, Json<Retried>), Refusal> {
    let by = name("by", &retry.by)?;
    let (ids, next_before) = chosen(&admin, &retry).await?;
    let mut told = Retried {
        retried: Vec::new(),
        refused: Vec::new(),
        next_before,
    };
    for id in ids {
        match one(&admin, &id, retry.code.as_deref(), &by, retry.live).await? {
            None => told.retried.push(id),
            Some(reason) => told.refused.push(NotRetried {
                id: id.to_string(),
                reason,
            }),
        }
    }
    tracing::info!(
        retried = told.retried.len(),
        refused = told.refused.len(),
        live = retry.live,
        "an operator retried messages"
    );
    Ok((StatusCode::ACCEPTED, Json(told)))
}

/// The messages that are meant, and where the next call goes on.
async fn chosen(admin: &Admin, retry: &Retry) -> Result<(Vec<MessageId>, Option<u64>), Refusal> {
    let narrows = [&retry.flow, &retry.region, &retry.system]
        .iter()
        .any(|part| part.is_some());
    match (&retry.code, retry.ids.is_empty()) {
        (None, false) if retry.ids.len() <= AT_ONCE && !narrows && retry.before.is_none() => {
            let ids = retry.ids.iter().map(|id| MessageId::from_text(id.clone()));
            Ok((ids.collect(), None))
        }
        (Some(code), true) => {
            let filter = Filter {
                cause: Some(code.clone()),
                flow: retry.flow.clone(),
                region: retry.region.clone(),
                system: retry.system.clone(),
                before: retry.before,
                limit: AT_ONCE + 1,
                ..Filter::default()
            };
            let mut found = admin.journal.list(filter).await?;
            let is_last = found.len() <= AT_ONCE;
            found.truncate(AT_ONCE);
            let next = found.last().map(|status| status.arrival).filter(|_| !is_last);
            Ok((found.into_iter().map(|status| status.id).collect(), next))
        }
        _ => Err(Refusal::Unreadable(format!(
            "the body: either `ids` names 1 to {AT_ONCE} messages, or `code` those that rest for it, which `flow`, \
             `region`, `system` and `before` narrow"
        ))),
    }
}

/// Lets one message go on; answers why not. One of a cause may rest for something else since it
/// was listed.
async fn one(
    admin: &Admin,
    id: &MessageId,
    code: Option<&str>,
    by: &str,
    live: bool,
) -> Result<Option<String>, Refusal> {
    let _turn = admin.deciding.lock().await;
    let Some(claim) = admin.journal.message(id).await? else {
        return Ok(Some(
            "no message has this id; `cambist parked list` has them".to_owned(),
        ));
    };
    let status = &claim.status;
    if status.state.is_final() {
        let reason = format!(
            "it is {} and has ended; `cambist replay` sends it its way again",
            status.state.name()
        );
        return Ok(Some(reason));
    }
    let rests = crate::parked::message(&claim).map(|message| message.code);
    if code.is_some() && code != rests.as_deref() {
        return Ok(Some(format!("it is {} by now", status.state.name())));
    }
    let resumed = Event::Resumed {
        by: by.to_owned(),
        from: standing(status),
        live,
        why: None,
        order: None,
    };
    match admin.journal.record(id, (admin.clock)(), vec![resumed]).await {
        Ok(()) => Ok(None),
        Err(JournalError::OutOfTurn { state, .. }) => {
            Ok(Some(format!("it is {state}: somebody works on it")))
        }
        Err(error) => Err(error.into()),
    }
}
