//! A double of HubSpot: the three calls that the connector makes, and signed webhooks.
//!
//! It is not HubSpot, and passing here proves nothing about HubSpot. It does what HubSpot's published documents say; where
//! they are silent it does what is written under *assumed*.
//!
//! | call | taken from |
//! |---|---|
//! | `GET /crm/objects/2026-03/0-3/{dealId}?properties=…&associations=…` | specification "Deals" 2026-03 |
//! | `POST /crm/objects/2026-03/{companies,contacts,line_items}/batch/read` | specifications "Companies", "Contacts", "Line Items" 2026-03 |
//! | error object `category`, `correlationId`, `message` | the same, schema `Error` |
//! | unknown properties and associations are ignored | the same, parameters `properties`, `associations` |
//! | `X-HubSpot-RateLimit-*`, 429 | guide "API usage guidelines and limits" |
//! | `X-HubSpot-Signature-v3` | guide "Validating requests"; see [`webhook`] |
//!
//! Assumed, because no specification says it: 404 with the category `OBJECT_NOT_FOUND` for a deal that is gone; 401 with
//! `INVALID_AUTHENTICATION` for a wrong token; 207 with `errors` for a batch that names an object that is gone; at most 100
//! objects a batch, else 400; the key `line items`, with a space, for associated line items of a deal, as HubSpot has
//! answered for years; a property without a value is `null`; the types of associations with
//! companies, as portals have shown them: `deal_to_company_unlabeled` for each, and `deal_to_company` for the primary one.
//!
//! # The portal
//!
//! What the double knows is one JSON object: kinds of objects, ids, objects.
//!
//! ```json
//! {
//!   "deals": {"9001": {
//!     "properties": {"dealname": "Rollout", "amount": "1200.00", "dealstage": "closedwon"},
//!     "associations": {"companies": ["501"], "contacts": ["701"], "line_items": ["801", "802"]}
//!   }},
//!   "companies": {"501": {"properties": {"name": "Muster GmbH"}}},
//!   "contacts": {"701": {"properties": {"email": "a@example.com"}}},
//!   "line_items": {"801": {"properties": {"name": "Design"}}, "802": {"properties": {"name": "Build"}}}
//! }
//! ```
//!
//! A deal's first company is its primary one, as HubSpot makes it. Where companies are objects, such as
//! `{"id": "501", "type": "deal_to_company"}`, they are shown as they stand.
//!
//! An object may also have `createdAt` and `updatedAt`; they are the beginning of 2026 otherwise.
//!
//! For what HubSpot can do and a portal does not show: a deal with `"truncated": ["line_items"]` lists these associations as
//! the first page of more, and an object with `"fails": "INTERNAL_ERROR"` is missing from a batch, with an error of that
//! category; without an error when the category is empty.

pub mod webhook;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use crate::{
    fault::Faults,
    server::{Reply, Request, Server},
};

/// The access token that the double accepts.
pub const TOKEN: &str = "pat-double-00000000-0000-0000-0000-000000000000";

/// Most objects of one batch read.
const BATCH_LIMIT: usize = 100;

const API: &str = "/crm/objects/2026-03/";

/// What is kept of a request.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    traceparent: Option<String>,
}

/// A running double.
#[derive(Debug)]
pub struct HubSpotDouble {
    server: Server,
    portal: Arc<Mutex<Value>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    faults: Faults,
}

impl HubSpotDouble {
    /// Starts one with these deals, companies, contacts and line items.
    ///
    /// # Errors
    ///
    /// The machine has no free port.
    pub async fn start(portal: Value) -> anyhow::Result<Self> {
        let portal = Arc::new(Mutex::new(portal));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let faults = Faults::default();
        let (known, log, wrong) = (Arc::clone(&portal), Arc::clone(&seen), faults.clone());
        let server = Server::start(move |request| {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(Seen {
                line: format!("{} {}", request.method, request.path),
                traceparent: request.headers.get("traceparent").cloned(),
            });
            match wrong.take() {
                Some(reply) => reply,
                None => answer(&known.lock().unwrap_or_else(PoisonError::into_inner), &request),
            }
        })
        .await?;
        Ok(Self {
            server,
            portal,
            seen,
            faults,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Its address, as the config of a HubSpot system names it.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// What goes wrong with the next requests.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// What it was asked so far, as `GET /path`, oldest first.
    pub fn seen(&self) -> Vec<String> {
        self.requests().into_iter().map(|seen| seen.line).collect()
    }

    /// The `traceparent` of each request so far, where it had one, oldest first.
    pub fn traceparents(&self) -> Vec<Option<String>> {
        self.requests().into_iter().map(|seen| seen.traceparent).collect()
    }

    fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts an object in, or another in its place: `kind` is `deals`, `companies`, `contacts` or `line_items`.
    pub fn put(&self, kind: &str, id: &str, object: Value) {
        let mut portal = self.portal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(portal) = portal.as_object_mut() {
            let objects = portal.entry(kind).or_insert_with(|| json!({}));
            if let Some(objects) = objects.as_object_mut() {
                objects.insert(id.to_owned(), object);
            }
        }
    }

    /// Takes an object away, as if it had been deleted.
    pub fn remove(&self, kind: &str, id: &str) {
        let mut portal = self.portal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(objects) = portal.get_mut(kind).and_then(Value::as_object_mut) {
            objects.shift_remove(id);
        }
    }
}

fn answer(portal: &Value, request: &Request) -> Reply {
    if request.headers.get("authorization").map(String::as_str) != Some(&format!("Bearer {TOKEN}")) {
        return error(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found.",
        );
    }
    let reply = match (
        request.method.as_str(),
        request.path.strip_prefix(API).unwrap_or_default(),
    ) {
        // a page of deals, and the portal may have none
        ("GET", "0-3") => Reply::json(200, &json!({"results": []})),
        ("GET", path) if path.starts_with("0-3/") => deal(portal, path.trim_start_matches("0-3/"), request),
        ("POST", "companies/batch/read") => batch(portal, "companies", request),
        ("POST", "contacts/batch/read") => batch(portal, "contacts", request),
        ("POST", "line_items/batch/read") => batch(portal, "line_items", request),
        _ => error(
            404,
            "NOT_FOUND",
            "The double serves no such path; see its documentation.",
        ),
    };
    // the figures of a private app; nothing is counted, a 429 comes as a fault on demand
    reply
        .header("X-HubSpot-RateLimit-Max", "190")
        .header("X-HubSpot-RateLimit-Remaining", "189")
        .header("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
}

fn deal(portal: &Value, id: &str, request: &Request) -> Reply {
    let Some(found) = find(portal, "deals", id) else {
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

fn batch(portal: &Value, kind: &str, request: &Request) -> Reply {
    let body = request.json();
    let Some(inputs) = body.get("inputs").and_then(Value::as_array) else {
        return error(400, "VALIDATION_ERROR", "Invalid input JSON: inputs is missing");
    };
    if inputs.len() > BATCH_LIMIT {
        return error(
            400,
            "VALIDATION_ERROR",
            "The maximum number of inputs supported in a batch request is 100",
        );
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
    let ids: Vec<&str> = inputs
        .iter()
        .filter_map(|input| input.get("id")?.as_str())
        .collect();
    let (found, gone): (Vec<&str>, Vec<&str>) =
        ids.into_iter().partition(|id| find(portal, kind, id).is_some());
    let (failing, found): (Vec<&str>, Vec<&str>) = found
        .into_iter()
        .partition(|id| failure(portal, kind, id).is_some());
    let results: Vec<Value> = found
        .into_iter()
        .filter_map(|id| Some(Value::Object(show(id, find(portal, kind, id)?, &properties))))
        .collect();
    let mut answer = json!({
        "status": "COMPLETE",
        "results": results,
        "startedAt": "2026-01-01T00:00:00.000Z",
        "completedAt": "2026-01-01T00:00:00.001Z",
    });
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
    if errors.is_empty() {
        return Reply::json(200, &answer);
    }
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("numErrors".to_owned(), json!(errors.len()));
        answer.insert("errors".to_owned(), Value::Array(errors));
    }
    Reply::json(207, &answer)
}

/// The category of the error that an object is left out with.
fn failure<'p>(portal: &'p Value, kind: &str, id: &str) -> Option<&'p str> {
    find(portal, kind, id)?.get("fails")?.as_str()
}

fn find<'p>(portal: &'p Value, kind: &str, id: &str) -> Option<&'p Value> {
    portal.get(kind)?.get(id)
}

/// An object as HubSpot shows it: three properties always, others when they are asked for and known.
fn show(id: &str, object: &Value, asked: &[String]) -> Map<String, Value> {
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
        if let Some(value) = known.and_then(|known| known.get(name)) {
            properties.insert(name.clone(), value.clone());
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

fn error(status: u16, category: &str, message: &str) -> Reply {
    let body = json!({
        "status": "error",
        "message": message,
        "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
        "category": category,
    });
    Reply::json(status, &body)
}
