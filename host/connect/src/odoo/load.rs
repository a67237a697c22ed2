//! `load`: up to 100 rows of one model, by external id or Odoo's own, all or nothing.
//!
//! Odoo answers 200 whatever became of the rows; what it says of them is read in `loaded.rs`.

use cambist_contract::mapping::{Record, RecordKey};
use serde_json::json;

use super::{
    OdooClient,
    cell::cell,
    client::{About, Kind, object},
    loaded::{self, NoIds},
};
use crate::{ConnectError, error::Again};

/// The most rows of one call. A hundred rows cost one row some 4 ms of Odoo, a single one 50; a thousand gain nothing more and
/// hold locks ten times as long.
pub(crate) const BATCH: usize = 100;

/// Writes records of one model with the same columns, and gives Odoo's ids in their order.
///
/// # Errors
///
/// Nothing was written: all or nothing is Odoo's promise. For a lost answer that is not known, but the same again does no harm.
pub(crate) async fn load(client: &OdooClient, records: &[&Record]) -> Result<Vec<i64>, ConnectError> {
    let Some(first) = records.first() else {
        return Ok(Vec::new());
    };
    let about = About {
        model: &first.model,
        external_id: first.key.id(),
    };
    let columns: Vec<&String> = first.values.keys().collect();
    // the column of Odoo's own ids updates, and makes no record
    let mut fields = vec![match first.key {
        RecordKey::External(_) => json!("id"),
        RecordKey::Own(_) => json!(".id"),
    }];
    fields.extend(columns.iter().map(|name| json!(name)));
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let mut row = vec![json!(record.key.id())];
        for name in &columns {
            let text = record.values.get(*name).map_or(Some(String::new()), cell);
            row.push(json!(text.ok_or_else(|| misfit(client, record, name))?));
        }
        rows.push(row);
    }
    let answer = client
        .value(
            about,
            "load",
            object(json!({"fields": fields, "data": rows})),
            Kind::Write,
        )
        .await?;
    loaded::read(answer, records.len()).map_err(|no_ids| match no_ids {
        NoIds::Fault(fault) => client.error(fault, about, Kind::Write),
        NoIds::Row { index, field, reason } => ConnectError::Refused {
            system: client.system().to_owned(),
            model: first.model.clone(),
            external_id: records.get(index).unwrap_or(first).key.to_string(),
            field,
            reason,
        },
    })
}

/// An answer with ids in it, and none for a row.
pub(crate) fn no_id(client: &OdooClient) -> ConnectError {
    ConnectError::Strange {
        system: client.system().to_owned(),
        what: "another answer than `load` gives".to_owned(),
        again: Again::Harmless,
    }
}

fn misfit(client: &OdooClient, record: &Record, name: &str) -> ConnectError {
    ConnectError::Misfit {
        system: client.system().to_owned(),
        model: record.model.clone(),
        reason: format!("a list in `{name}` of `{}` has more in it than texts", record.key),
    }
}
