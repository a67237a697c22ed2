//! `GET /api/trace/{record}`: how a record of a target came to be what it is.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use serde::Deserialize;

use super::Asked;
use crate::{
    Admin,
    refusal::Refusal,
    trace::{self, PAGE, PAGE_LIMIT, Record, Traced},
};

/// How much to tell.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Query {
    limit: Option<usize>,
}

/// `GET /api/trace/{record}`
pub(crate) async fn show(
    State(admin): State<Arc<Admin>>,
    record: Result<Path<String>, PathRejection>,
    Asked(query): Asked<Query>,
) -> Result<Json<Traced>, Refusal> {
    let Path(text) = record.map_err(|_| Refusal::Untouched)?;
    let record: Record = text.parse().map_err(Refusal::Unreadable)?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        let text = format!("the query: `limit` is 1 to {PAGE_LIMIT}");
        return Err(Refusal::Unreadable(text));
    }
    let found = trace::of(admin.journal.as_ref(), admin.ledger.as_ref(), &record, limit).await?;
    found.map(Json).ok_or(Refusal::Untouched)
}
