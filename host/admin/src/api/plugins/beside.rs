//! What stands beside the live component: shadows, shares, and how they compare.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use cambist_contract::share::{BROKEN_PERCENT, SLOWER_TIMES};
use cambist_journal::comparison::Which;
use serde::Deserialize;

use super::step;
use crate::{
    Admin,
    answer::{Diff, Stepped},
    api::{Asked, Body, name, reason},
    refusal::Refusal,
};

/// Calls that differ and are told of when nobody says how many.
const DEFAULT_CALLS: usize = 20;

/// Calls that differ and are told of in one answer, at most.
const MAX_CALLS: usize = 1_000;

/// A component is to be called beside the live one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Shadow {
    /// Its digest, or how that begins; the latest that waits if it is left out.
    component: Option<String>,
    /// Who says so.
    by: String,
}

/// `POST /api/plugins/{plugin}/shadow`
pub(crate) async fn shadow(
    State(admin): State<Arc<Admin>>,
    Path(plugin): Path<String>,
    Body(shadow): Body<Shadow>,
) -> Result<Json<Stepped>, Refusal> {
    let by = name("by", &shadow.by)?;
    step(&admin, plugin, move |registry, plugin| {
        registry.shadow_live(plugin, shadow.component.as_deref(), &by)
    })
    .await
}

/// A component is to serve a share of the keys.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Share {
    /// Its digest, or how that begins; the latest that waits or stands beside if it is left out.
    component: Option<String>,
    /// Who says so.
    by: String,
    /// Percent of the keys.
    percent: u8,
    /// Percent of its calls that may break.
    broken_percent: Option<u8>,
    /// How many times as long as the live one's its calls may take.
    slower_times: Option<u16>,
}

/// `POST /api/plugins/{plugin}/share`
pub(crate) async fn share(
    State(admin): State<Arc<Admin>>,
    Path(plugin): Path<String>,
    Body(asked): Body<Share>,
) -> Result<Json<Stepped>, Refusal> {
    let by = name("by", &asked.by)?;
    let share = cambist_contract::share::Share {
        percent: asked.percent,
        broken_percent: asked.broken_percent.unwrap_or(BROKEN_PERCENT),
        slower_times: asked.slower_times.unwrap_or(SLOWER_TIMES),
    };
    step(&admin, plugin, move |registry, plugin| {
        registry.share(plugin, asked.component.as_deref(), share, &by)
    })
    .await
}

/// What stands beside is to stand there no more.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Withdraw {
    /// Who says so.
    by: String,
    /// Why: it stands with the component.
    reason: String,
}

/// `POST /api/plugins/{plugin}/withdraw`
pub(crate) async fn withdraw(
    State(admin): State<Arc<Admin>>,
    Path(plugin): Path<String>,
    Body(withdraw): Body<Withdraw>,
) -> Result<Json<Stepped>, Refusal> {
    let (by, why) = (name("by", &withdraw.by)?, reason(&withdraw.reason)?);
    step(&admin, plugin, move |registry, plugin| {
        registry.withdraw(plugin, &by, &why)
    })
    .await
}

/// Which comparisons are asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Compare {
    /// The shadow's digest, or how that begins; what stands beside now if it is left out.
    component: Option<String>,
    /// Only calls that differ in money.
    #[serde(default)]
    money: bool,
    /// At most so many calls.
    limit: Option<usize>,
}

/// `GET /api/plugins/{plugin}/diff`
pub(crate) async fn diff(
    State(admin): State<Arc<Admin>>,
    Path(plugin): Path<String>,
    Asked(asked): Asked<Compare>,
) -> Result<Json<Diff>, Refusal> {
    let limit = asked.limit.unwrap_or(DEFAULT_CALLS);
    if limit > MAX_CALLS {
        let text = format!("the query: `limit` is at most {MAX_CALLS}");
        return Err(Refusal::Unreadable(text));
    }
    let shadow = admin
        .registry
        .compared(&plugin, asked.component.as_deref())
        .map_err(Refusal::Rollout)?;
    let which = Which {
        money: asked.money,
        limit,
    };
    let comparisons = admin.shadows.comparisons(&plugin, &shadow, which).await?;
    Ok(Json(Diff {
        plugin,
        shadow,
        comparisons,
    }))
}
