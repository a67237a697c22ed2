//! `/api/config`: has the host read its config file again.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;

use super::Body;
use crate::{Admin, answer::Reloaded, refusal::Refusal};

/// Nothing can be said of it yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reload {}

/// `POST /api/config/reload`
pub(crate) async fn reload(
    State(admin): State<Arc<Admin>>,
    Body(Reload {}): Body<Reload>,
) -> Result<Json<Reloaded>, Refusal> {
    let reload = Arc::clone(&admin.reload);
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(reloaded) => reloaded.map(Json).map_err(Refusal::Config),
        Err(_) => Err(Refusal::Defect),
    }
}
