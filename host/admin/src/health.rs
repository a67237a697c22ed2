//! For probes: whether the process answers, and whether it can do its work.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};

use crate::{
    Admin,
    answer::{Health, Missing},
    refusal::Refusal,
};

/// How long the journal may take: a probe's own time limit is often a second, a count of
/// messages takes under a millisecond, and a commit some. A disk on which a commit takes
/// longer is too slow for senders that wait a few seconds.
pub(crate) const JOURNAL_TIME: Duration = Duration::from_millis(900);

/// `GET /healthz`: the process answers, whatever its surroundings do. To start it
/// again would mend nothing else.
pub(crate) async fn alive() -> Json<Health> {
    Json(Health::ok())
}

/// `GET /readyz`: the journal answers and can be written, and every binding has a live revision.
pub(crate) async fn ready(State(admin): State<Arc<Admin>>) -> Result<Json<Health>, Refusal> {
    tokio::time::timeout(JOURNAL_TIME, admin.journal.ready())
        .await
        .map_err(|_| Refusal::JournalSlow { limit: JOURNAL_TIME })??;
    let missing: Vec<_> = admin
        .registry
        .missing()
        .into_iter()
        .map(|(plugin, reason)| Missing { plugin, reason })
        .collect();
    if missing.is_empty() {
        Ok(Json(Health::ok()))
    } else {
        Err(Refusal::NotReady { missing })
    }
}
