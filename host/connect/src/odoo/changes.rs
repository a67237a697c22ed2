//! What has changed in Odoo, by `write_date`.
//!
//! A record's `write_date` is the time at which the writing transaction began, and it is seen
//! when that ends: so a change may appear behind one that is younger. Domains compare it to
//! the second. So each round begins well before the latest change that is known, and what it
//! finds again is told from what is new by the values themselves: two writes of one second
//! differ in them.
//!
//! What was deleted leaves no trace; see [`Poll::there`].

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use cambist_contract::{digest::Digest, revision::canonical_json};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind, object},
    fields,
};
use crate::{
    ConnectError,
    line::Line,
    options,
    poll::{Changed, PAGE, Poll},
};

/// When a record was written.
const WRITTEN: &str = "write_date";

/// A database that is asked what has changed.
pub struct OdooChanges {
    client: OdooClient,
    options: options::Poll,
    line: Line,
}

impl OdooChanges {
    pub(crate) fn new(client: OdooClient, options: options::Poll, line: Line) -> Self {
        Self {
            client,
            options,
            line,
        }
    }

    async fn search(&self, model: &str, query: Value) -> Result<Vec<Value>, ConnectError> {
        let about = About {
            model,
            external_id: "",
        };
        let mut query = object(query);
        // archived records are changes, too
        query.insert("context".to_owned(), json!({"active_test": false}));
        let turn = self.line.turn().await;
        let answer = self.client.value(about, "search_read", query, Kind::Read).await;
        turn.end(&answer);
        match answer? {
            Value::Array(records) => Ok(records),
            _ => {
                let what = "another answer than `search_read` gives".to_owned();
                Err(self.client.error(Fault::Strange(what), about, Kind::Read))
            }
        }
    }
}

#[async_trait]
impl Poll for OdooChanges {
    fn kinds(&self) -> &[String] {
        &self.options.models
    }

    fn every(&self) -> Duration {
        self.options.every.get()
    }

    fn overlap(&self) -> Duration {
        self.options.overlap.get()
    }

    fn deletions(&self) -> Duration {
        self.options.deletions.get()
    }

    async fn latest(&self, model: &str) -> Result<Option<Timestamp>, ConnectError> {
        let query = json!({"domain": [], "fields": [WRITTEN], "order": "write_date desc", "limit": 1});
        let found = self.search(model, query).await?;
        Ok(found.first().and_then(written))
    }

    async fn since(
        &self,
        model: &str,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Vec<Changed>, ConnectError> {
        let since = since
            .to_zoned(TimeZone::UTC)
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string();
        let mut domain = vec![json!([WRITTEN, ">=", since])];
        if let Some(after) = after.and_then(|id| id.parse::<i64>().ok()) {
            // by id, which no write changes: a record that is written meanwhile moves no other
            domain.push(json!(["id", ">", after]));
        }
        let mut names = fields::usual(model).unwrap_or_default();
        names.retain(|name| !name.contains('.'));
        if !names.iter().any(|name| name == WRITTEN) {
            names.push(WRITTEN.to_owned());
        }
        let query = json!({"domain": domain, "fields": names, "order": "id", "limit": PAGE});
        let found = self.search(model, query).await?;
        let changed = |record: &Value| {
            let id = record.get("id")?.as_i64()?.to_string();
            let state = Digest::of(canonical_json(record).as_bytes()).short();
            let at = written(record)?;
            Some(Changed { id, at, state })
        };
        Ok(found.iter().filter_map(changed).collect())
    }

    async fn there(&self, model: &str, ids: &[String]) -> Result<BTreeSet<String>, ConnectError> {
        let ids: Vec<i64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let query = json!({"domain": [["id", "in", ids]], "fields": ["id"]});
        let found = self.search(model, query).await?;
        let ids = found.iter().filter_map(|record| record.get("id")?.as_i64());
        Ok(ids.map(|id| id.to_string()).collect())
    }
}

/// When a record was written, as the API tells it: UTC, to the second.
pub(super) fn written(record: &Value) -> Option<Timestamp> {
    let text = record.get(WRITTEN)?.as_str()?;
    let at = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(at.timestamp())
}
