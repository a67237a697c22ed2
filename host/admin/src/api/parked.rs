//! `/api/parked`: work that waits for a person, by cause; what is done about it is in the files
//! beside.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;

use super::Asked;
use crate::{
    Admin,
    answer::Parked,
    parked::{self, PAGE, PAGE_LIMIT, Wanted},
    refusal::Refusal,
};

pub(crate) mod repair;
pub(crate) mod retry;

/// Which messages to list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Query {
    code: Option<String>,
    flow: Option<String>,
    region: Option<String>,
    system: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
}

/// `GET /api/parked`
pub(crate) async fn list(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<Query>,
) -> Result<Json<Parked>, Refusal> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        return Err(Refusal::Unreadable(format!(
            "the query: `limit` is 1 to {PAGE_LIMIT}"
        )));
    }
    let wanted = Wanted {
        code: query.code,
        flow: query.flow,
        region: query.region,
        system: query.system,
        before: query.before,
        limit,
    };
    Ok(Json(parked::overview(admin.journal.as_ref(), &wanted).await?))
}
