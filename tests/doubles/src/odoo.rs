//! Odoo's JSON-2 API, as far as plans of plain records need it, at a pace that is said: for what a real Odoo takes hours for.
//!
//! | call | what it does, and where that is from |
//! |---|---|
//! | `POST /json/2/<model>/load` | Named arguments `fields` and `data`; all rows or none; `ids`, or `messages` that name the row ("External JSON-2 API" and `load` in `odoo/orm/models.py` of 19.0; the answers are those recorded in `host/connect/src/odoo/loaded.rs`) |
//! | `…/ir.model.data/check_object_reference` | Model and id of an external id, or the error that an unknown one gives |
//! | `…/<model>/read`, `…/<model>/search_read` | Records by id; the one company |
//!
//! One transaction at a time, as one worker does it: a call takes [`Pace::call`] and [`Pace::row`] for each row of `load`. Two
//! rules are enforced, as Odoo enforces them: a German VAT number has nine digits, and a column `…/id` names a record of ours that
//! is there.
//!
//! # What is not here
//!
//! Actions, companies, rights, languages. That the host is right about Odoo is shown on the real one (`tests/odoo`); this shows
//! what the host does with a hundred thousand messages.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use crate::server::{Reply, Request, Server};

/// What calls take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Each call.
    pub call: Duration,
    /// Each row of `load`, besides.
    pub row: Duration,
}

/// A row that was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The kind of record.
    pub model: String,
    /// Our id of it.
    pub external_id: String,
    /// Its columns, as they were sent.
    pub values: Map<String, Value>,
    /// The number of the `load` that brought it, from zero.
    pub load: usize,
}

/// A running double.
#[derive(Debug)]
pub struct OdooDouble {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    pace: Pace,
    /// When the worker has done what it was asked.
    busy_until: Option<Instant>,
    is_shut: bool,
    /// Model and id by external id.
    records: BTreeMap<String, (String, i64)>,
    written: Vec<Written>,
    loads: usize,
}

impl OdooDouble {
    /// Starts one with nothing in it.
    ///
    /// # Errors
    ///
    /// The machine has no free port.
    pub async fn start(pace: Pace) -> anyhow::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            pace,
            ..State::default()
        }));
        let answering = Arc::clone(&state);
        let server = Server::start(move |request| lock(&answering).answer(&request)).await?;
        Ok(Self { server, state })
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.addr())
    }

    /// Answers 503 from now on, as a proxy does before an Odoo that is not there; or no more.
    pub fn shut(&self, is_shut: bool) {
        lock(&self.state).is_shut = is_shut;
    }

    /// How many rows were written so far.
    pub fn rows(&self) -> usize {
        lock(&self.state).written.len()
    }

    /// How many calls of `load` there were, refused ones among them.
    pub fn loads(&self) -> usize {
        lock(&self.state).loads
    }

    /// All rows that were written, in their order.
    pub fn written(&self) -> Vec<Written> {
        lock(&self.state).written.clone()
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        if self.is_shut {
            return Reply::html(503, "<h1>Service Unavailable</h1>");
        }
        let mut path = request.path.trim_start_matches("/json/2/").split('/');
        let (model, method) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
        let arguments = request.json();
        let (reply, rows) = match method {
            "load" => self.load(model, &arguments),
            "check_object_reference" => (self.reference(&arguments), 0),
            "read" => (self.read(model, &arguments), 0),
            "search_read" if model == "res.company" => {
                (Reply::json(200, &json!([{"id": 1, "name": "My Company"}])), 0)
            }
            _ => (error(404, "werkzeug.exceptions.NotFound", "no such method"), 0),
        };
        reply.late(self.work(rows))
    }

    /// How long it is until a call with so many rows is done, behind those that came before.
    fn work(&mut self, rows: usize) -> Duration {
        let now = Instant::now();
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let from = self.busy_until.map_or(now, |until| until.max(now));
        let until = from + self.pace.call + self.pace.row * rows;
        self.busy_until = Some(until);
        until.duration_since(now)
    }

    fn load(&mut self, model: &str, arguments: &Value) -> (Reply, usize) {
        let load = self.loads;
        self.loads += 1;
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let fields: Vec<String> = list(arguments.get("fields"))
            .iter()
            .map(|field| field.as_str().unwrap_or_default().to_owned())
            .collect();
        let data = list(arguments.get("data"));
        let mut rows: Vec<Map<String, Value>> = Vec::new();
        for row in &data {
            rows.push(fields.iter().cloned().zip(list(Some(row))).collect());
        }
        let messages: Vec<Value> = rows
            .iter()
            .enumerate()
            .filter_map(|(at, row)| self.wrong(&rows, at, row))
            .collect();
        if !messages.is_empty() {
            let refused = json!({"ids": false, "messages": messages, "nextrow": 0});
            return (Reply::json(200, &refused), rows.len());
        }
        let mut ids = Vec::new();
        let count = rows.len();
        for mut row in rows {
            let external_id = text(row.get("id"));
            row.remove("id");
            let next = i64::try_from(self.records.len()).unwrap_or(i64::MAX - 1) + 1;
            let (_, id) = self
                .records
                .entry(external_id.clone())
                .or_insert((model.to_owned(), next));
            ids.push(*id);
            self.written.push(Written {
                model: model.to_owned(),
                external_id,
                values: row,
                load,
            });
        }
        let loaded = json!({"ids": ids, "messages": [], "nextrow": 0});
        (Reply::json(200, &loaded), count)
    }

    /// What is wrong with a row, as `load` says it.
    fn wrong(&self, rows: &[Map<String, Value>], at: usize, row: &Map<String, Value>) -> Option<Value> {
        let message = |field: Option<&str>, text: String| {
            let mut message = Map::new();
            message.insert("type".to_owned(), json!("error"));
            message.insert("rows".to_owned(), json!({"from": at, "to": at}));
            message.insert("record".to_owned(), json!(at));
            message.insert("message".to_owned(), json!(text));
            if let Some(field) = field {
                message.insert("field".to_owned(), json!(field));
            }
            Value::Object(message)
        };
        for (column, value) in row {
            let Some(field) = column.strip_suffix("/id") else {
                continue;
            };
            for name in text(Some(value)).split(',').filter(|name| !name.is_empty()) {
                // countries and other records that Odoo brings itself are not kept here
                let is_there = !name.starts_with("cambist.")
                    || self.records.contains_key(name)
                    || rows.iter().take(at).any(|row| text(row.get("id")) == name);
                if !is_there {
                    let what =
                        format!("No matching record found for external id '{name}' in field '{field}'");
                    return Some(message(Some(field), what));
                }
            }
        }
        let vat = text(row.get("vat"));
        (vat.starts_with("DE") && vat.len() != 11).then(|| {
            let what = format!(
                "The VAT number [{vat}] for partner [{}] does not seem to be valid",
                text(row.get("name"))
            );
            message(None, what)
        })
    }

    fn reference(&self, arguments: &Value) -> Reply {
        let name = format!(
            "{}.{}",
            text(arguments.get("module")),
            text(arguments.get("xml_id"))
        );
        match self.records.get(&name) {
            Some((model, id)) => Reply::json(200, &json!([model, id])),
            None => error(
                500,
                "builtins.ValueError",
                &format!("External ID not found in the system: {name}"),
            ),
        }
    }

    fn read(&self, model: &str, arguments: &Value) -> Reply {
        let wanted = arguments
            .get("ids")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let mut found = Vec::new();
        for (external_id, (_, id)) in self.records.iter().filter(|(_, (of, _))| of == model) {
            if wanted.contains(&json!(id)) {
                let last = self
                    .written
                    .iter()
                    .rev()
                    .find(|row| row.external_id == *external_id);
                let mut values = last.map(|row| row.values.clone()).unwrap_or_default();
                values.insert("id".to_owned(), json!(id));
                found.push(Value::Object(values));
            }
        }
        Reply::json(200, &Value::Array(found))
    }
}

/// A cell as text.
fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn error(status: u16, name: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"name": name, "message": message, "arguments": [], "context": {}}),
    )
}

/// A panic while it was locked left it whole enough for a test.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
