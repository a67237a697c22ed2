//! `/api/plugins`: which component is live, for whom, and why not; and the steps that
//! operators take with them.
//!
//! A step is written to the journal and in effect when its answer goes out. Checks of a
//! component run within the call.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use cambist_contract::digest::Digest;
use cambist_registry::{Registry, RolloutError};
use serde::Deserialize;

use super::{Asked, Body, name, reason};
use crate::{
    Admin,
    answer::{Plugins, Stepped},
    refusal::Refusal,
};

pub(crate) mod beside;

/// `GET /api/plugins`
pub(crate) async fn list(State(admin): State<Arc<Admin>>) -> Result<Json<Plugins>, Refusal> {
    let registry = Arc::clone(&admin.registry);
    let told = tokio::task::spawn_blocking(move || Plugins {
        plugins: registry.plugin_statuses(),
        bindings: registry.binding_statuses(),
    });
    told.await.map(Json).map_err(|_| Refusal::Defect)
}

/// How a component is sent in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Push {
    /// Who says so.
    by: String,
    /// Whether it goes live when it passes; else it waits.
    #[serde(default)]
    live: bool,
}

/// `POST /api/plugins/{plugin}/push`: the body is the component.
pub(crate) async fn push(
    State(admin): State<Arc<Admin>>,
    Path(plugin): Path<String>,
    Asked(push): Asked<Push>,
    component: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<Stepped>, Refusal> {
    let by = name("by", &push.by)?;
    let component = component.map_err(|_| Refusal::Component)?;
    step(&admin, plugin, move |registry, plugin| {
        registry.push(plugin, &component, &by, push.live)
    })
    .await
}

/// A component is to go live.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Live {
    /// Its digest, or how that begins; if it is left out, the latest that waits, or where the plugin
    /// is held the one from before that.
    component: Option<String>,
    /// How the id begins of an older revision of one of its bindings: what was live with it is so
    /// again, as it was.
    revision: Option<String>,
    /// Who says so.
    by: String,
}

/// `POST /api/plugins/{plugin}/live`
pub(crate) async fn live(
    State(admin): State<Arc<Admin>>,
    Path(plugin): Path<String>,
    Body(live): Body<Live>,
) -> Result<Json<Stepped>, Refusal> {
    let by = name("by", &live.by)?;
    if live.component.is_some() && live.revision.is_some() {
        let text = "the body: `component` has its settings from the config and `revision` those that it had; give one of them";
        return Err(Refusal::Unreadable(text.to_owned()));
    }
    step(&admin, plugin, move |registry, plugin| match &live.revision {
        Some(revision) => registry.make_revision_live(plugin, revision, &by),
        None => registry.make_live(plugin, live.component.as_deref(), &by),
    })
    .await
}

/// What was live before is to be so again.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Back {
    /// Who says so.
    by: String,
    /// Whether all that was live is to be so again, with the settings, tables and limits that it had;
    /// else the component alone, on today's.
    #[serde(default)]
    whole: bool,
}

/// `POST /api/plugins/{plugin}/back`
pub(crate) async fn back(
    State(admin): State<Arc<Admin>>,
    Path(plugin): Path<String>,
    Body(back): Body<Back>,
) -> Result<Json<Stepped>, Refusal> {
    let by = name("by", &back.by)?;
    step(&admin, plugin, move |registry, plugin| match back.whole {
        true => registry.go_back_whole(plugin, &by),
        false => registry.go_back(plugin, &by),
    })
    .await
}

/// A component is to be taken out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Kill {
    /// Its digest, or how that begins; the live one if it is left out.
    component: Option<String>,
    /// Who says so.
    by: String,
    /// Why: it stands with every message that is parked for it.
    reason: String,
}

/// `POST /api/plugins/{plugin}/kill`
pub(crate) async fn kill(
    State(admin): State<Arc<Admin>>,
    Path(plugin): Path<String>,
    Body(kill): Body<Kill>,
) -> Result<Json<Stepped>, Refusal> {
    let (by, why) = (name("by", &kill.by)?, reason(&kill.reason)?);
    step(&admin, plugin, move |registry, plugin| {
        registry.kill(plugin, kill.component.as_deref(), &by, &why)
    })
    .await
}

/// Takes a step on a thread that may block, and tells what the plugin has come to.
async fn step(
    admin: &Arc<Admin>,
    plugin: String,
    take: impl FnOnce(&Registry, &str) -> Result<Digest, RolloutError> + Send + 'static,
) -> Result<Json<Stepped>, Refusal> {
    let registry = Arc::clone(&admin.registry);
    let taken = tokio::task::spawn_blocking(move || {
        let component = take(&registry, &plugin)?;
        let status = registry.plugin_status(&plugin);
        Ok(Stepped { component, status })
    });
    match taken.await {
        Ok(stepped) => stepped.map(Json).map_err(Refusal::Rollout),
        Err(_) => Err(Refusal::Defect),
    }
}
