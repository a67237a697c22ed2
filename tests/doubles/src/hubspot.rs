//! A double of HubSpot: the calls that the connector makes, and signed webhooks.
//!
//! It is not HubSpot, and passing here proves nothing about HubSpot. It does what HubSpot's published documents say; where
//! they are silent it does what is written under *assumed*.
//!
//! | call | taken from |
//! |---|---|
//! | `GET /crm/objects/2026-03/0-3/{dealId}?properties=…&associations=…` | specification "Deals" 2026-03 |
//! | `POST /crm/objects/2026-03/{companies,contacts,line_items}/batch/read` | specifications "Companies", "Contacts", "Line Items" 2026-03 |
//! | `POST …/{kind}/batch/{update,upsert,archive}`, and `batch/read` with `idProperty` | specification "Objects" 2026-03 |
//! | `POST …/{kind}/search` | guide "Search the CRM"; see `search.rs` |
//! | 207 with `errors[].context.objectWriteTraceId` | guide "Error handling", "Multi-status errors" |
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
//! What is assumed of writes is in `write.rs`.
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

mod portal;
mod read;
mod search;
pub mod webhook;
mod write;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use portal::Changed;

use serde_json::{Map, Value, json};

use self::portal::Portal;
use crate::{
    fault::Faults,
    server::{Reply, Request, Server},
};

/// The access token that the double accepts.
pub const TOKEN: &str = "pat-double-00000000-0000-0000-0000-000000000000";

/// Most objects of one batch.
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
    portal: Arc<Mutex<Portal>>,
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
        let portal = Arc::new(Mutex::new(Portal::new(portal)));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let faults = Faults::default();
        let (known, log, wrong) = (Arc::clone(&portal), Arc::clone(&seen), faults.clone());
        let server = Server::start(move |request| {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(Seen {
                line: format!("{} {}", request.method, request.path),
                traceparent: request.headers.get("traceparent").cloned(),
            });
            wrong.reply(|| {
                answer(
                    &mut known.lock().unwrap_or_else(PoisonError::into_inner),
                    &request,
                )
            })
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

    fn portal(&self) -> MutexGuard<'_, Portal> {
        self.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an object in, or another in its place: `kind` is `deals`, `companies`, `contacts`, `line_items`, or another that is
    /// only written.
    pub fn put(&self, kind: &str, id: &str, object: Value) {
        self.portal().put(kind, id, object);
    }

    /// Takes an object away, as if it had been deleted.
    pub fn remove(&self, kind: &str, id: &str) {
        self.portal().remove(kind, id);
    }

    /// The objects of a kind that are there and not archived, by their ids.
    pub fn objects(&self, kind: &str) -> Map<String, Value> {
        self.portal().all(kind).cloned().unwrap_or_default()
    }

    /// From now on objects of this kind have these properties and no others; before, all are known.
    pub fn properties(&self, kind: &str, names: &[&str]) {
        self.portal().limit(kind, names);
    }

    /// Whether batches with a row that is wrong are answered 207, with that row among the errors, or refused as a whole, as at
    /// the start. HubSpot documents the first for `batch/create`, and nothing for the others.
    pub fn multi_status(&self, on: bool) {
        self.portal().multi_status = on;
    }

    /// What was written to it so far, oldest first: the properties whose value became another one.
    /// [`webhook::written`] makes events of them.
    pub fn changes(&self) -> Vec<Changed> {
        self.portal().changes.clone()
    }
}

fn answer(portal: &mut Portal, request: &Request) -> Reply {
    if request.headers.get("authorization").map(String::as_str) != Some(&format!("Bearer {TOKEN}")) {
        return error(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found.",
        );
    }
    let path = request.path.strip_prefix(API).unwrap_or_default();
    let reply = match (request.method.as_str(), path.split_once('/')) {
        // a page of deals, and the portal may have none
        ("GET", None) if path == "0-3" => Reply::json(200, &json!({"results": []})),
        ("GET", Some(("0-3", id))) => read::deal(portal, id, request),
        ("POST", Some((kind, verb))) => {
            let kind = portal::name_of(kind);
            match verb {
                "search" => search::search(portal, kind, request),
                "batch/read" => read::batch(portal, kind, request),
                "batch/update" => write::update(portal, kind, request),
                "batch/upsert" => write::upsert(portal, kind, request),
                "batch/archive" => write::archive(portal, kind, request),
                _ => unknown(),
            }
        }
        _ => unknown(),
    };
    // the figures of a private app; nothing is counted, a 429 comes as a fault on demand
    reply
        .header("X-HubSpot-RateLimit-Max", "190")
        .header("X-HubSpot-RateLimit-Remaining", "189")
        .header("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
}

fn unknown() -> Reply {
    error(
        404,
        "NOT_FOUND",
        "The double serves no such path; see its documentation.",
    )
}

/// The inputs of a batch, or what is wrong with it as a whole.
fn inputs(body: &Value) -> Result<&[Value], Reply> {
    let Some(inputs) = body.get("inputs").and_then(Value::as_array) else {
        return Err(error(
            400,
            "VALIDATION_ERROR",
            "Invalid input JSON: inputs is missing",
        ));
    };
    if inputs.len() > BATCH_LIMIT {
        return Err(error(
            400,
            "VALIDATION_ERROR",
            "The maximum number of inputs supported in a batch request is 100",
        ));
    }
    Ok(inputs)
}

/// A text of an input.
fn text<'v>(input: &'v Value, name: &str) -> Option<&'v str> {
    input.get(name)?.as_str()
}

/// The answer to a batch, with 207 where there are errors.
fn batch_reply(results: Vec<Value>, errors: Vec<Value>) -> Reply {
    let mut answer = json!({
        "status": "COMPLETE",
        "results": results,
        "startedAt": "2026-01-01T00:00:00.000Z",
        "completedAt": "2026-01-01T00:00:00.001Z",
    });
    if errors.is_empty() {
        return Reply::json(200, &answer);
    }
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("numErrors".to_owned(), json!(errors.len()));
        answer.insert("errors".to_owned(), Value::Array(errors));
    }
    Reply::json(207, &answer)
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
