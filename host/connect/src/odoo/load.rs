//! `load`: up to 100 rows of one model, by external id, all or nothing.
//!
//! Odoo answers 200 whatever became of the rows. What counts is `ids`: a list, or `false` beside the messages that say why.

use cambist_contract::mapping::Record;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    OdooClient,
    answer::is_lost_race,
    cell::cell,
    client::{About, Kind, object},
};
use crate::{
    ConnectError,
    error::{Again, reason},
};

/// The most rows of one call. A hundred rows cost one row some 4 ms of Odoo, a single one 50; a thousand gain nothing more and
/// hold locks ten times as long.
pub(crate) const BATCH: usize = 100;

/// How Odoo begins to say that a row refers to a record that is not there.
const MISSING_REFERENCE: &str = "No matching record found for external id";

/// What `load` answers.
#[derive(Deserialize)]
struct Loaded {
    ids: Value,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
    /// The row's index, counted from zero.
    #[serde(default)]
    record: Option<usize>,
    #[serde(default)]
    field: Value,
}

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
        external_id: &first.external_id,
    };
    let columns: Vec<&String> = first.values.keys().collect();
    let mut fields = vec![json!("id")];
    fields.extend(columns.iter().map(|name| json!(name)));
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let mut row = vec![json!(record.external_id)];
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
    judge(client, answer, records)
}

fn misfit(client: &OdooClient, record: &Record, name: &str) -> ConnectError {
    ConnectError::Misfit {
        system: client.system().to_owned(),
        model: record.model.clone(),
        reason: format!(
            "a list in `{name}` of `{}` has more in it than texts",
            record.external_id
        ),
    }
}

/// What became of the rows.
fn judge(client: &OdooClient, answer: Value, records: &[&Record]) -> Result<Vec<i64>, ConnectError> {
    let system = client.system().to_owned();
    let model = records
        .first()
        .map(|record| record.model.clone())
        .unwrap_or_default();
    let Ok(loaded) = serde_json::from_value::<Loaded>(answer) else {
        return Err(ConnectError::Strange {
            system,
            what: "another answer than `load` gives".to_owned(),
            again: Again::Harmless,
        });
    };
    let ids: Option<Vec<i64>> = loaded
        .ids
        .as_array()
        .and_then(|ids| ids.iter().map(Value::as_i64).collect());
    if let Some(ids) = ids.filter(|ids| ids.len() == records.len()) {
        return Ok(ids);
    }
    if loaded
        .messages
        .iter()
        .any(|message| is_lost_race(&message.message))
    {
        return Err(ConnectError::Contended { system, model });
    }
    let Some(message) = loaded
        .messages
        .into_iter()
        .find(|message| message.kind != "warning")
    else {
        return Err(ConnectError::Strange {
            system,
            what: "neither ids nor a reason".to_owned(),
            again: Again::Harmless,
        });
    };
    let row = message
        .record
        .and_then(|index| records.get(index))
        .or(records.first());
    Err(ConnectError::Refused {
        system,
        model,
        external_id: row.map(|record| record.external_id.clone()).unwrap_or_default(),
        field: message.field.as_str().map(str::to_owned),
        reason: reason(&message.message),
    })
}

/// Whether a row was refused because a record it refers to is not there.
pub(crate) fn lacks_reference(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Refused { reason, .. } if reason.starts_with(MISSING_REFERENCE))
}
