//! Reads: a deal with its associations, and batches of objects.

use serde_json::{Map, Value, json};

use super::{batch_reply, error, inputs, portal::Portal, text, write::not_unique};
use crate::server::{Reply, Request};

/// A deal with its associations.
pub(super) fn deal(portal: &Portal, id: &str, request: &Request) -> Reply {
    let Some(found) = portal.find("deals", id) else {
        return error(404, "OBJECT_NOT_FOUND", "resource not found");
    };
    let mut shown = show(id, found, &request.parameter("properties"));
    let mut associations = Map::new();
    for kind in request.parameter("associations") {
        let ids = found
            .pointer(&format!("/associations/{kind}"))
            .and_then(Value::as_array);
        let Some(ids) = ids.filter(|ids| !ids.is_empty()) else {
            continue;
        };
        let (key, single) = match kind.as_str() {
            "line_items" => ("line items", "line_item"),
            "companies" => ("companies", "company"),
            "contacts" => ("contacts", "contact"),
            _ => continue,
        };
        let results = typed(ids, &format!("deal_to_{single}"), kind == "companies");
        let truncated = found.get("truncated").and_then(Value::as_array);
        let mut list = json!({ "results": results });
        if truncated.is_some_and(|kinds| kinds.contains(&json!(kind)))
            && let Some(list) = list.as_object_mut()
        {
            let after = ids.last().cloned().unwrap_or_default();
            list.insert(
                "paging".to_owned(),
                json!({"next": {"after": after, "link": "https://api.hubapi.com/"}}),
            );
        }
        associations.insert(key.to_owned(), list);
    }
    if !associations.is_empty() {
        shown.insert("associations".to_owned(), Value::Object(associations));
    }
    Reply::json(200, &Value::Object(shown))
}

/// Associations with their types: an id alone is shown unlabeled, and the first company as the primary one as well.
fn typed(ids: &[Value], name: &str, has_primary: bool) -> Vec<Value> {
    let mut results = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        if id.is_object() {
            results.push(id.clone());
            continue;
        }
        if !has_primary || at == 0 {
            results.push(json!({"id": id, "type": name}));
        }
        if has_primary {
            results.push(json!({"id": id, "type": format!("{name}_unlabeled")}));
        }
    }
    results
}

/// Objects by their ids, or by the values of a unique property.
pub(super) fn batch(portal: &Portal, kind: &str, request: &Request) -> Reply {
    let body = request.json();
    let inputs = match inputs(&body) {
        Ok(inputs) => inputs,
        Err(reply) => return reply,
    };
    let unique = text(&body, "idProperty");
    if let Some(reply) = unique.and_then(|unique| not_unique(portal, kind, unique)) {
        return reply;
    }
    let texts = |value: Option<&Value>| -> Vec<String> {
        value
            .and_then(Value::as_array)
            .map(|names| {
                names
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default()
    };
    let properties = texts(body.get("properties"));
    let asked = inputs.iter().filter_map(|input| text(input, "id"));
    let (mut results, mut gone, mut failing) = (Vec::new(), Vec::new(), Vec::new());
    for name in asked {
        let id = match unique {
            None => Some(name),
            Some(unique) => portal.id_of(kind, unique, name),
        };
        match id.and_then(|id| Some((id, portal.find(kind, id)?))) {
            None => gone.push(name),
            Some((id, _)) if failure(portal, kind, id).is_some() => failing.push(id),
            Some((id, object)) => results.push(Value::Object(show(id, object, &properties))),
        }
    }
    let mut errors = Vec::new();
    if !gone.is_empty() {
        errors.push(json!({
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some objects, they may be deleted or not exist. Check that ids are valid.",
            "context": {"ids": gone},
        }));
    }
    for id in failing {
        let category = failure(portal, kind, id).filter(|category| !category.is_empty());
        errors.extend(category.map(|category| {
            json!({"status": "error", "category": category, "message": "a fault on demand", "context": {"ids": [id]}})
        }));
    }
    batch_reply(results, errors)
}

/// The category of the error that an object is left out with.
fn failure<'p>(portal: &'p Portal, kind: &str, id: &str) -> Option<&'p str> {
    portal.find(kind, id)?.get("fails")?.as_str()
}

/// A property's value. Whether a deal is won HubSpot works out of its stage.
pub(super) fn value(known: &Map<String, Value>, name: &str) -> Option<Value> {
    let won = || Some(json!((known.get("dealstage")? == "closedwon").to_string()));
    match name {
        "hs_is_closed_won" => known.get(name).cloned().or_else(won),
        _ => known.get(name).cloned(),
    }
}

/// An object as HubSpot shows it: three properties always, others when they are asked for and known.
pub(super) fn show(id: &str, object: &Value, asked: &[String]) -> Map<String, Value> {
    let date = |name: &str| {
        object
            .get(name)
            .cloned()
            .unwrap_or_else(|| json!("2026-01-01T00:00:00.000Z"))
    };
    let (created, updated) = (date("createdAt"), date("updatedAt"));
    let mut properties = Map::new();
    properties.insert("createdate".to_owned(), created.clone());
    properties.insert("hs_lastmodifieddate".to_owned(), updated.clone());
    properties.insert("hs_object_id".to_owned(), json!(id));
    let known = object.get("properties").and_then(Value::as_object);
    for name in asked {
        if let Some(value) = known.and_then(|known| value(known, name)) {
            properties.insert(name.clone(), value);
        }
    }
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(id));
    shown.insert("properties".to_owned(), Value::Object(properties));
    shown.insert("createdAt".to_owned(), created);
    shown.insert("updatedAt".to_owned(), updated);
    shown.insert("archived".to_owned(), json!(false));
    shown
}
