//! A row that Odoo refuses may be there already.
//!
//! Some fields are locked once a record has moved on: a confirmed order refuses its price list even when the very same one is
//! written. A plan that is carried out again after a lost answer or a crash meets its own work in that state. So a refused row
//! is compared with what is there, and only the columns that differ are written.

use std::collections::BTreeSet;

use cambist_contract::mapping::Record;
use serde_json::{Map, Value, json};

use super::{
    OdooClient,
    client::{Kind, object},
    load, lookup, state,
};
use crate::ConnectError;

/// Gives Odoo's id of a refused record once it has its values, and whether anything was written for that.
///
/// # Errors
///
/// The refusal, when the record is not there or what differs is refused as well; or Odoo could not be asked.
pub(crate) async fn settle(
    client: &OdooClient,
    record: &Record,
    refusal: ConnectError,
) -> Result<(i64, bool), ConnectError> {
    let Some(id) = lookup::find(client, &record.model, &record.key).await? else {
        return Err(refusal);
    };
    let fields: BTreeSet<&str> = record.values.keys().map(|column| field_of(column).0).collect();
    let arguments = object(json!({"ids": [id], "fields": fields}));
    // a column that is no field makes this fail, and the refusal is the better reason
    let Ok(answer) = client.call(&record.model, "read", arguments, Kind::Read).await? else {
        return Err(refusal);
    };
    let Some(found) = answer
        .as_array()
        .and_then(|records| records.first())
        .and_then(Value::as_object)
    else {
        return Err(refusal);
    };
    let mut differs = Map::new();
    for (column, wanted) in record.values.iter() {
        if !holds(client, found, column, wanted).await? {
            differs.insert(column.clone(), wanted.clone());
        }
    }
    if differs.is_empty() {
        return Ok((id, false));
    }
    if differs.len() == record.values.len() {
        return Err(refusal);
    }
    let rest = Record {
        values: differs.into(),
        ..record.clone()
    };
    load::load(client, &[&rest]).await?;
    Ok((id, true))
}

/// The field of a column, and how it refers to other records, if it does.
fn field_of(column: &str) -> (&str, Option<&str>) {
    match column.split_once('/') {
        Some((field, by)) => (field, Some(by)),
        None => (column, None),
    }
}

/// Whether a record holds a column's value.
async fn holds(
    client: &OdooClient,
    found: &Map<String, Value>,
    column: &str,
    wanted: &Value,
) -> Result<bool, ConnectError> {
    let (field, by) = field_of(column);
    let Some(found) = found.get(field) else {
        return Ok(false);
    };
    let by_external_id = match by {
        None => return Ok(state::holds(found, wanted)),
        Some("id") => true,
        Some(".id") => false,
        // a field of another record
        Some(_) => return Ok(false),
    };
    let mut ids = BTreeSet::new();
    for name in names(wanted) {
        let id = match by_external_id {
            true => lookup::resolve(client, &name).await?,
            false => name.parse().ok(),
        };
        let Some(id) = id else { return Ok(false) };
        ids.insert(id);
    }
    Ok(ids == pointed_at(found))
}

/// The ids in a value that refers to one record or to several.
fn names(wanted: &Value) -> Vec<String> {
    let texts = match wanted {
        Value::Array(items) => items.iter().filter_map(super::cell::cell).collect(),
        Value::Null | Value::Bool(_) => Vec::new(),
        other => super::cell::cell(other).into_iter().collect::<Vec<_>>(),
    };
    texts
        .iter()
        .flat_map(|text| text.split(','))
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The ids that a field points at, as `read` shows it: `[id, name]`, a list of ids, or false.
fn pointed_at(found: &Value) -> BTreeSet<i64> {
    match found.as_array().map(Vec::as_slice) {
        Some([Value::Number(id), Value::String(_)]) => id.as_i64().into_iter().collect(),
        Some(ids) => ids.iter().filter_map(Value::as_i64).collect(),
        None => BTreeSet::new(),
    }
}
