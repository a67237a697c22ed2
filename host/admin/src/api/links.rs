//! `/api/links`: which record stands for what, and that it does so no more.

use std::sync::Arc;

use axum::{Json, extract::State};
use cambist_contract::canonical::EntityRef;
use cambist_journal::erasure::{Linked, Unlinking};
use serde::Deserialize;
use serde_json::json;

use super::{Asked, Body, name, reason};
use crate::{Admin, answer::Links, decision, refusal::Refusal};

/// Of what.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Query {
    /// The system.
    system: String,
    /// What it calls `kind/id`.
    object: String,
}

/// `GET /api/links`
pub(crate) async fn show(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<Query>,
) -> Result<Json<Links>, Refusal> {
    let links = admin.erasures.links(&query.system, &query.object).await?;
    Ok(Json(Links { links }))
}

/// A link is to be no more.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Unlink {
    /// The system of the object.
    system: String,
    /// What it calls `kind/id`.
    object: String,
    /// The system whose record it is linked to.
    from: String,
    /// Who says so.
    by: String,
    /// Why.
    reason: String,
}

/// `POST /api/links/unlink`
pub(crate) async fn unlink(
    State(admin): State<Arc<Admin>>,
    Body(unlink): Body<Unlink>,
) -> Result<Json<Links>, Refusal> {
    let by = name("by", &unlink.by)?;
    let why = reason(&unlink.reason)?;
    let _turn = admin.deciding.lock().await;
    let mut links = admin.erasures.links(&unlink.system, &unlink.object).await?;
    links.retain(|link| link.system == unlink.from);
    let Some(Linked { entity, .. }) = links.first() else {
        return Err(Refusal::NotLinked);
    };
    let told = json!({"by": by, "reason": why, "links": links});
    let named = (entity.kind.name(), entity.id.as_str());
    let decision = decision::message((admin.clock)(), "unlink", named, &told);
    let entities: Vec<EntityRef> = links.iter().map(|link| link.entity.clone()).collect();
    let system = Some(unlink.from);
    let gone = admin
        .erasures
        .unlink(Unlinking {
            entities,
            system,
            decision,
        })
        .await?;
    tracing::info!(links = gone.len(), "an operator unlinked");
    Ok(Json(Links { links: gone }))
}
