//! Writes: update by id, upsert by a unique property, archive; a batch each.
//!
//! Assumed, because no document says it: a batch that names an object twice is refused; so is one with a row that is wrong,
//! unless rows have an `objectWriteTraceId` and the double is told to answer 207 (`multi_status`), as HubSpot documents for
//! `batch/create`; an update of an object that is not there is 207 with `OBJECT_NOT_FOUND` and the ids, the others are written;
//! an upsert gives the unique property its value where an object is made; what is archived is gone for all calls, and archiving it
//! again is 204 as well. The sentences are those that HubSpot was seen to give.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{batch_reply, error, inputs, portal::Portal, read::show, text, webhook::PORTAL};
use crate::server::{Reply, Request};

/// One row of a batch.
struct Row {
    id: String,
    unique: Option<String>,
    properties: Map<String, Value>,
    trace: Option<String>,
}

/// `batch/update`, by HubSpot's ids.
pub(super) fn update(portal: &mut Portal, kind: &str, request: &Request) -> Reply {
    write(portal, kind, request, false)
}

/// `batch/upsert`, by a unique property.
pub(super) fn upsert(portal: &mut Portal, kind: &str, request: &Request) -> Reply {
    write(portal, kind, request, true)
}

/// `batch/archive`.
pub(super) fn archive(portal: &mut Portal, kind: &str, request: &Request) -> Reply {
    let body = request.json();
    match inputs(&body) {
        Ok(inputs) => {
            for id in inputs.iter().filter_map(|input| text(input, "id")) {
                portal.remove(kind, id);
            }
            Reply::Answer {
                status: 204,
                headers: Vec::new(),
                body: Vec::new(),
            }
        }
        Err(reply) => reply,
    }
}

fn write(portal: &mut Portal, kind: &str, request: &Request, upserts: bool) -> Reply {
    let body = request.json();
    let rows: Vec<Row> = match inputs(&body) {
        Ok(inputs) => inputs.iter().filter_map(row).collect(),
        Err(reply) => return reply,
    };
    if let Some(reply) = refused(portal, kind, &body, &rows, upserts) {
        return reply;
    }
    let (mut results, mut errors, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        if let Some(sentence) = wrong(portal, kind, &row) {
            errors.push(json!({
                "status": "error",
                "category": "VALIDATION_ERROR",
                "message": sentence,
                "context": {"objectWriteTraceId": [row.trace]},
            }));
            continue;
        }
        let found = match row.unique.as_deref().filter(|_| upserts) {
            Some(unique) => portal.id_of(kind, unique, &row.id).map(str::to_owned),
            None => portal.find(kind, &row.id).map(|_| row.id.clone()),
        };
        let mut properties = row.properties;
        let (id, new) = match (found, row.unique) {
            (Some(id), _) => (id, false),
            (None, Some(unique)) if upserts => {
                properties.insert(unique, json!(row.id));
                (portal.create(kind), true)
            }
            (None, _) => {
                gone.push(row.id);
                continue;
            }
        };
        portal.set(kind, &id, &properties);
        let names: Vec<String> = properties.keys().cloned().collect();
        let mut shown = show(&id, portal.find(kind, &id).unwrap_or(&Value::Null), &names);
        if upserts {
            shown.insert("new".to_owned(), json!(new));
        }
        if let Some(trace) = row.trace {
            shown.insert("objectWriteTraceId".to_owned(), json!(trace));
        }
        results.push(Value::Object(shown));
    }
    if !gone.is_empty() {
        errors.push(json!({
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some objects, they may be deleted or not exist. Check that ids are valid.",
            "context": {"ids": gone},
        }));
    }
    batch_reply(results, errors)
}

fn row(input: &Value) -> Option<Row> {
    Some(Row {
        id: text(input, "id")?.to_owned(),
        unique: text(input, "idProperty").map(str::to_owned),
        properties: input
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
        trace: text(input, "objectWriteTraceId").map(str::to_owned),
    })
}

/// Why a batch is refused before its rows are looked at.
fn refused(portal: &Portal, kind: &str, body: &Value, rows: &[Row], upserts: bool) -> Option<Reply> {
    let sent = body.get("inputs").and_then(Value::as_array).map(Vec::len);
    let invalid = |message: &str| Some(error(400, "VALIDATION_ERROR", message));
    if sent != Some(rows.len()) {
        return invalid("Invalid input JSON: every input has an id");
    }
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    if ids.len() < rows.len() {
        return invalid("Duplicate IDs found in batch input");
    }
    // a batch that is refused has written nothing, so all rows are looked at first
    let sinks_all = |row: &&Row| !portal.multi_status || row.trace.is_none();
    if let Some(sentence) = rows
        .iter()
        .filter(sinks_all)
        .find_map(|row| wrong(portal, kind, row))
    {
        return invalid(&sentence);
    }
    if !upserts {
        return None;
    }
    rows.iter().find_map(|row| match &row.unique {
        Some(unique) => not_unique(portal, kind, unique),
        None => invalid("Invalid input JSON: every input of an upsert has an idProperty"),
    })
}

/// The refusal of a property that objects are not found by, as there is none of this name.
pub(super) fn not_unique(portal: &Portal, kind: &str, property: &str) -> Option<Reply> {
    let sentence = format!(
        "Unable to perform update/upsert by non-unique {kind} property {property} in portal ID {PORTAL}"
    );
    (!portal.knows(kind, property)).then(|| error(400, "VALIDATION_ERROR", &sentence))
}

/// What is wrong with a row, in HubSpot's words: a property that there is not, or a value that is no text.
fn wrong(portal: &Portal, kind: &str, row: &Row) -> Option<String> {
    let verdict = |name: &str, message: String, error: &str| {
        let verdict = json!([{
            "isValid": false,
            "message": message,
            "error": error,
            "name": name,
            "localizedErrorMessage": message,
            "portalId": PORTAL,
        }]);
        format!("Property values were not valid: {verdict}")
    };
    row.properties.iter().find_map(|(name, value)| {
        if !portal.knows(kind, name) {
            let message = format!("Property \"{name}\" does not exist");
            return Some(verdict(name, message, "PROPERTY_DOESNT_EXIST"));
        }
        (!value.is_string()).then(|| verdict(name, "it is no text".to_owned(), "INVALID_STRING"))
    })
}
