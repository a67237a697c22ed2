//! `/api/replays`: messages that are to go their way again, or to be computed again and compared.
//!
//! An order is a row in the journal. The pipeline finds it there, carries it out, and keeps there
//! how far it has come.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use cambist_contract::stage::Stage;
use cambist_journal::replay::{MOST_IDS, Order, Replay, Revisions, Wanted};
use http::StatusCode;
use serde::Deserialize;

use super::{Asked, Body, messages::STATES, name, reason};
use crate::{
    Admin,
    answer::{ReplayReport, Replays},
    refusal::Refusal,
};

/// Largest body, in bytes: [`MOST_IDS`] ids of at most 80 bytes, with the rest.
pub(crate) const BODY_LIMIT: usize = 96 << 10;

/// Orders in one answer, and messages that differ, where the call does not say: a screen or two.
const PAGE: usize = 20;

/// Most of them: some 500 kB of JSON.
const PAGE_LIMIT: usize = 1_000;

/// What is to be replayed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Asks {
    /// Which messages.
    wanted: Wanted,
    /// On which revisions.
    #[serde(default)]
    revisions: Revisions,
    /// Computed and compared alone; nothing is sent.
    #[serde(default)]
    dry: bool,
    /// Where they begin again; `fetch` where it is left out.
    begin: Option<Stage>,
    /// Who says so.
    by: String,
    /// Why.
    reason: String,
}

/// `POST /api/replays`
pub(crate) async fn order(
    State(admin): State<Arc<Admin>>,
    Body(asks): Body<Asks>,
) -> Result<(StatusCode, Json<Replay>), Refusal> {
    let (by, why) = (name("by", &asks.by)?, reason(&asks.reason)?);
    check(&asks)?;
    if let Revisions::Named(id) = asks.revisions {
        let registry = Arc::clone(&admin.registry);
        let known = tokio::task::spawn_blocking(move || registry.pinned(&id).map(drop));
        let known = known.await.map_err(|_| Refusal::Defect)?;
        known.map_err(|error| Refusal::Unreadable(format!("`revisions`: {error}")))?;
    }
    let order = Order {
        wanted: asks.wanted,
        revisions: asks.revisions,
        dry: asks.dry,
        begin: asks.begin.unwrap_or(Stage::Fetch),
        by,
        why,
        at: (admin.clock)(),
    };
    let number = admin.replays.order(order).await?;
    tracing::info!(replay = number, dry = asks.dry, "an operator ordered a replay");
    let replay = admin.replays.replay(number).await?.ok_or(Refusal::Defect)?;
    Ok((StatusCode::ACCEPTED, Json(replay)))
}

/// Refuses what nobody can mean.
fn check(asks: &Asks) -> Result<(), Refusal> {
    let wanted = &asks.wanted;
    let refused = |text: String| Err(Refusal::Unreadable(format!("the body: {text}")));
    if wanted.ids.len() > MOST_IDS {
        return refused(format!(
            "`wanted.ids` names at most {MOST_IDS} messages; give a span or a cause for more"
        ));
    }
    if let Some(state) = &wanted.state
        && !STATES.contains(&state.as_str())
    {
        return refused(format!("`wanted.state` is one of {}", STATES.join(", ")));
    }
    if let (Some(from), Some(until)) = (wanted.from, wanted.until)
        && from >= until
    {
        return refused("`wanted.until` is behind `wanted.from`".to_owned());
    }
    if !asks.dry && *wanted == Wanted::default() {
        return refused(
            "`wanted` is empty, which means every message there is; say which, such as `from`".to_owned(),
        );
    }
    if asks.dry && asks.begin.is_some() {
        return refused("`begin` is for real replays; a dry one begins behind `fetch`".to_owned());
    }
    Ok(())
}

/// How much to tell.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Query {
    limit: Option<usize>,
}

impl Query {
    fn limit(&self) -> Result<usize, Refusal> {
        let limit = self.limit.unwrap_or(PAGE);
        if (1..=PAGE_LIMIT).contains(&limit) {
            return Ok(limit);
        }
        let text = format!("the query: `limit` is 1 to {PAGE_LIMIT}");
        Err(Refusal::Unreadable(text))
    }
}

/// `GET /api/replays`
pub(crate) async fn list(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<Query>,
) -> Result<Json<Replays>, Refusal> {
    let replays = admin.replays.replays(query.limit()?).await?;
    Ok(Json(Replays { replays }))
}

/// `GET /api/replays/{number}`
pub(crate) async fn show(
    State(admin): State<Arc<Admin>>,
    number: Result<Path<u64>, axum::extract::rejection::PathRejection>,
    Asked(query): Asked<Query>,
) -> Result<Json<ReplayReport>, Refusal> {
    let Path(number) = number.map_err(|_| Refusal::UnknownReplay)?;
    let replay = admin.replays.replay(number).await?;
    let replay = replay.ok_or(Refusal::UnknownReplay)?;
    let differing = admin.replays.differing(number, query.limit()?).await?;
    Ok(Json(ReplayReport { replay, differing }))
}

/// An order is to end where it stands.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Stop {
    /// Who says so.
    by: String,
}

/// `POST /api/replays/{number}/stop`
pub(crate) async fn stop(
    State(admin): State<Arc<Admin>>,
    number: Result<Path<u64>, axum::extract::rejection::PathRejection>,
    Body(stop): Body<Stop>,
) -> Result<Json<Replay>, Refusal> {
    let Path(number) = number.map_err(|_| Refusal::UnknownReplay)?;
    let by = name("by", &stop.by)?;
    admin.replays.stop_replay(number, &by).await?;
    let replay = admin.replays.replay(number).await?;
    replay.map(Json).ok_or(Refusal::UnknownReplay)
}
