//! `/api/reconcile`: whether both sides of a flow have the same.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;

use super::Body;
use crate::{Admin, answer::Reports, refusal::Refusal};

/// What is to be compared; what is left out is all.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Reconciling {
    /// The flow.
    pub flow: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The month, as `2026-10`.
    pub period: Option<String>,
}

/// Why nothing was compared, as a person reads it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotReconciled {
    /// There is no such thing to compare.
    Unknown(String),
    /// A side could not be asked.
    Trouble(String),
}

/// `GET /api/reconcile`: what the last comparison of each region and month came to.
pub(crate) async fn last(State(admin): State<Arc<Admin>>) -> Result<Json<Reports>, Refusal> {
    let kept = admin.reports.reports().await?;
    let read: Result<Vec<_>, _> = kept.iter().map(|kept| serde_json::from_str(&kept.text)).collect();
    let reports = read.map_err(|_| Refusal::Defect)?;
    Ok(Json(Reports { reports }))
}

/// `POST /api/reconcile`: it asks both sides, and answers when it has compared them.
pub(crate) async fn reconcile(
    State(admin): State<Arc<Admin>>,
    Body(wanted): Body<Reconciling>,
) -> Result<Json<Reports>, Refusal> {
    match (admin.reconcile)(wanted).await {
        Ok(reports) => Ok(Json(Reports { reports })),
        Err(NotReconciled::Unknown(what)) => Err(Refusal::Unreadable(what)),
        Err(NotReconciled::Trouble(why)) => Err(Refusal::NotReconciled(why)),
    }
}
