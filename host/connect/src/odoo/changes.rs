//! What has changed in Odoo, by `write_date`.
//!
//! A record's `write_date` is the time at which the writing transaction began, and it is seen
//! when that ends: so a change may appear behind one that is younger. Domains compare it to
//! the second. So each round begins well before the latest change that is known, and what it
//! finds again is told from what is new by the values themselves: two writes of one second
//! differ in them.
//!
//! What was deleted leaves no trace; see [`Poll::there`].
//!
//! Some records are parts, and mean nothing without the whole: time that was worked and a milestone are told as their
//! order. So all that concerns one order has one key, and goes one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use cambist_contract::{digest::Digest, revision::canonical_json};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind, object},
    fields, record,
};
use crate::{
    ConnectError,
    line::Line,
    options,
    poll::{Changed, PAGE, Poll},
};

/// When a record was written.
const WRITTEN: &str = "write_date";

/// Records that are told as the one they are a part of: their model, the whole's, and the field that leads to it.
const PARTS: [(&str, &str, &str); 2] = [
    ("account.analytic.line", "sale.order", "order_id"),
    ("project.milestone", "sale.order", "sale_line_id.order_id"),
];

/// A database that is asked what has changed.
pub struct OdooChanges {
    client: OdooClient,
    options: options::Poll,
    fields: BTreeMap<String, Vec<String>>,
    line: Line,
}

impl OdooChanges {
    /// Asks about records by the fields that the config names, or else the usual ones.
    pub(crate) fn new(
        client: OdooClient,
        options: options::Poll,
        fields: BTreeMap<String, Vec<String>>,
        line: Line,
    ) -> Self {
        Self {
            client,
            options,
            fields,
            line,
        }
    }

    async fn search(&self, model: &str, query: Value) -> Result<Vec<Value>, ConnectError> {
        self.ask(model, "search_read", query).await
    }

    /// As [`search`](Self::search), by the names of fields, with those of other records among them.
    async fn search_deep(
        &self,
        model: &str,
        names: &[&String],
        mut query: Value,
    ) -> Result<Vec<Value>, ConnectError> {
        if let Some(query) = query.as_object_mut() {
            let specification = Value::Object(record::specification(names));
            query.insert("specification".to_owned(), specification);
        }
        self.ask(model, "web_search_read", query).await
    }

    async fn ask(&self, model: &str, method: &str, query: Value) -> Result<Vec<Value>, ConnectError> {
        let about = About {
            model,
            external_id: "",
        };
        let mut query = object(query);
        // archived records are changes, too
        query.insert("context".to_owned(), json!({"active_test": false}));
        let turn = self.line.turn().await;
        let answer = self.client.value(about, method, query, Kind::Read).await;
        turn.end(&answer);
        let records = match answer? {
            Value::Object(mut page) => page.shift_remove("records").unwrap_or_default(),
            records => records,
        };
        match records {
            Value::Array(records) => Ok(records),
            _ => {
                let what = format!("another answer than `{method}` gives");
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
        let part = PARTS.iter().find(|(part, ..)| *part == model);
        let mut names = match self.fields.get(model) {
            Some(named) => named.clone(),
            None => fields::usual(model).unwrap_or_default(),
        };
        names.retain(|name| !name.contains('.'));
        names.push(WRITTEN.to_owned());
        names.extend(part.map(|(_, _, path)| (*path).to_owned()));
        names.sort();
        names.dedup();
        let found = match part {
            None => {
                let query = json!({"domain": domain, "fields": names, "order": "id", "limit": PAGE});
                self.search(model, query).await?
            }
            Some(_) => {
                let query = json!({"domain": domain, "order": "id", "limit": PAGE});
                self.search_deep(model, &names.iter().collect::<Vec<_>>(), query)
                    .await?
            }
        };
        let changed = |record: &Value| {
            let id = record.get("id")?.as_i64()?.to_string();
            let state = Digest::of(canonical_json(record).as_bytes()).short();
            let at = written(record)?;
            let whole = part.map(|(_, whole, path)| {
                let id = pointed(record, path).map(|id| id.to_string());
                ((*whole).to_owned(), id.unwrap_or_default())
            });
            Some(Changed { id, whole, at, state })
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

/// The id that a path of fields leads to, where it leads to a record.
fn pointed(record: &Value, path: &str) -> Option<i64> {
    let found = path
        .split('.')
        .try_fold(record, |record, name| record.get(name))?;
    found.as_i64()
}

/// When a record was written, as the API tells it: UTC, to the second.
pub(super) fn written(record: &Value) -> Option<Timestamp> {
    let text = record.get(WRITTEN)?.as_str()?;
    let at = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(at.timestamp())
}
