//! `/api/journal`: whether what is kept is what was written; what is taken out of it is in the
//! file beside.

use std::sync::Arc;

use axum::{Json, extract::State};

use crate::{Admin, answer::Verification, refusal::Refusal};

pub(crate) mod erase;

/// `GET /api/journal/verify`: reads the whole journal, so one at a time.
pub(crate) async fn verify(State(admin): State<Arc<Admin>>) -> Result<Json<Verification>, Refusal> {
    let _one = admin.verifying.try_acquire().map_err(|_| Refusal::Verifying)?;
    let verified = admin.journal.verify().await?;
    Ok(Json(Verification {
        entries: verified.entries,
        head: verified.head,
    }))
}
