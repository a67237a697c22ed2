//! `search`: objects that pass all filters of a group, in order, a page.
//!
//! The guide "Search the CRM" has: `filterGroups` of `filters` with `propertyName`, `operator`, `value`; `sorts`; `properties`;
//! `limit` up to 200; `total` and `paging.next.after` in the answer; moments as milliseconds; objects without the property pass
//! no filter. Of operators there are those that the connector uses. Not done: changes are found at once, where HubSpot takes
//! some moments.

use serde_json::{Map, Value, json};

use super::{
    error,
    portal::Portal,
    read::{show, value},
    text,
};
use crate::server::{Reply, Request};

/// Most objects of a page.
const LIMIT: usize = 200;

/// The objects of a kind that are searched for.
pub(super) fn search(portal: &Portal, kind: &str, request: &Request) -> Reply {
    let body = request.json();
    let groups = body.get("filterGroups").and_then(Value::as_array);
    let limit = body.get("limit").and_then(Value::as_u64).unwrap_or(10);
    let Some(limit) = usize::try_from(limit).ok().filter(|limit| *limit <= LIMIT) else {
        return error(400, "VALIDATION_ERROR", "limit must be at most 200");
    };
    let no_objects = Map::new();
    let mut found: Vec<(u64, &String, &Value)> = Vec::new();
    for (id, object) in portal.all(kind).unwrap_or(&no_objects) {
        let passes = |group: &Value| {
            let filters = group.get("filters").and_then(Value::as_array);
            filters
                .into_iter()
                .flatten()
                .all(|filter| passes(id, object, filter))
        };
        if groups.is_none_or(|groups| groups.iter().any(passes)) {
            found.push((id.parse().unwrap_or_default(), id, object));
        }
    }
    found.sort_by_key(|(number, ..)| *number);
    let names = body.get("properties").and_then(Value::as_array);
    let asked: Vec<String> = names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let shown = found
        .iter()
        .take(limit)
        .map(|(_, id, object)| show(id, object, &asked));
    let mut answer = json!({"total": found.len(), "results": shown.map(Value::Object).collect::<Vec<_>>()});
    if let (true, Some(answer)) = (found.len() > limit, answer.as_object_mut()) {
        answer.insert("paging".to_owned(), json!({"next": {"after": limit.to_string()}}));
    }
    Reply::json(200, &answer)
}

fn passes(id: &str, object: &Value, filter: &Value) -> bool {
    let (Some(name), Some(wanted)) = (text(filter, "propertyName"), text(filter, "value")) else {
        return false;
    };
    let properties = object.get("properties").and_then(Value::as_object);
    let has = match name {
        "hs_object_id" => Some(json!(id)),
        _ => properties.and_then(|known| value(known, name)),
    };
    let Some(has) = has.as_ref().and_then(Value::as_str) else {
        return false;
    };
    match (text(filter, "operator"), number(has), number(wanted)) {
        (Some("EQ"), ..) => has == wanted,
        (Some("GT"), Some(has), Some(wanted)) => has > wanted,
        (Some("GTE"), Some(has), Some(wanted)) => has >= wanted,
        (Some("LT"), Some(has), Some(wanted)) => has < wanted,
        _ => false,
    }
}

/// A number, or a moment in milliseconds.
fn number(text: &str) -> Option<i128> {
    let moment = || {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|at| at.as_millisecond().into())
    };
    text.parse().ok().or_else(moment)
}
