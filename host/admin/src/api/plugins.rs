//! `/api/plugins`: which plugin is live, for whom, and why not.

use std::sync::Arc;

use axum::{Json, extract::State};

use crate::{Admin, answer::Plugins};

/// `GET /api/plugins`
pub(crate) async fn list(State(admin): State<Arc<Admin>>) -> Json<Plugins> {
    Json(Plugins {
        plugins: admin.registry.plugin_statuses(),
        bindings: admin.registry.binding_statuses(),
    })
}
