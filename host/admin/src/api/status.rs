//! `/api/status`: how the host stands, on one page.

use std::sync::Arc;

use axum::{Json, extract::State};

use crate::{Admin, answer::Standing, refusal::Refusal, standing};

/// `GET /api/status`
pub(crate) async fn show(State(admin): State<Arc<Admin>>) -> Result<Json<Standing>, Refusal> {
    Ok(Json(standing::of(&admin).await?))
}
