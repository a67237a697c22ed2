//! What the double knows: its objects, which properties there are, and what was written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The first id that an object gets that is made by a write.
const FIRST_ID: u64 = 400_000_001;

/// A property that got another value by a write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed {
    /// The kind of object, such as `deals`.
    pub kind: String,
    /// The object's id.
    pub id: String,
    /// The property.
    pub property: String,
    /// The new value; empty when it was emptied.
    pub value: String,
}

/// The state of a double.
#[derive(Debug)]
pub(super) struct Portal {
    objects: Value,
    known: BTreeMap<String, BTreeSet<String>>,
    next_id: u64,
    /// Whether one wrong row of a batch is answered 207 and not 400.
    pub multi_status: bool,
    /// What was written.
    pub changes: Vec<Changed>,
}

/// The name of a kind of object that may also be spelt by HubSpot's number of it.
pub(super) fn name_of(kind: &str) -> &str {
    match kind {
        "0-1" => "contacts",
        "0-2" => "companies",
        "0-3" => "deals",
        other => other,
    }
}

impl Portal {
    pub(super) fn new(objects: Value) -> Self {
        Self {
            objects,
            known: BTreeMap::new(),
            next_id: FIRST_ID,
            multi_status: false,
            changes: Vec::new(),
        }
    }

    pub(super) fn limit(&mut self, kind: &str, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.known.insert(kind.to_owned(), names);
    }

    pub(super) fn knows(&self, kind: &str, property: &str) -> bool {
        self.known.get(kind).is_none_or(|names| names.contains(property))
    }

    pub(super) fn all(&self, kind: &str) -> Option<&Map<String, Value>> {
        self.objects.get(kind)?.as_object()
    }

    pub(super) fn find(&self, kind: &str, id: &str) -> Option<&Value> {
        self.all(kind)?.get(id)
    }

    /// The id of the object with this value of a property.
    pub(super) fn id_of(&self, kind: &str, property: &str, value: &str) -> Option<&str> {
        let has = |object: &Value| {
            object
                .get("properties")?
                .get(property)?
                .as_str()
                .map(str::to_owned)
        };
        self.all(kind)?
            .iter()
            .find(|(_, object)| has(object).as_deref() == Some(value))
            .map(|(id, _)| id.as_str())
    }

    pub(super) fn put(&mut self, kind: &str, id: &str, object: Value) {
        if let Some(all) = self.objects.as_object_mut() {
            let objects = all.entry(kind).or_insert_with(|| json!({}));
            if let Some(objects) = objects.as_object_mut() {
                objects.insert(id.to_owned(), object);
            }
        }
    }

    pub(super) fn remove(&mut self, kind: &str, id: &str) {
        if let Some(objects) = self.objects.get_mut(kind).and_then(Value::as_object_mut) {
            objects.shift_remove(id);
        }
    }

    /// Makes an object and gives its id.
    pub(super) fn create(&mut self, kind: &str) -> String {
        let id = self.next_id.to_string();
        self.next_id += 1;
        self.put(kind, &id, json!({"properties": {}}));
        id
    }

    /// Gives properties to an object that is there, and keeps which of them changed.
    pub(super) fn set(&mut self, kind: &str, id: &str, properties: &Map<String, Value>) {
        let object = self.objects.get_mut(kind).and_then(|all| all.get_mut(id));
        let Some(object) = object.and_then(Value::as_object_mut) else {
            return;
        };
        let held = object.entry("properties").or_insert_with(|| json!({}));
        let Some(held) = held.as_object_mut() else { return };
        for (property, value) in properties {
            let value = value.as_str().unwrap_or_default();
            let before = held.get(property).and_then(Value::as_str).unwrap_or_default();
            if before == value {
                continue;
            }
            // a property without a value is shown as null
            let kept = if value.is_empty() {
                Value::Null
            } else {
                json!(value)
            };
            held.insert(property.clone(), kept);
            self.changes.push(Changed {
                kind: kind.to_owned(),
                id: id.to_owned(),
                property: property.clone(),
                value: value.to_owned(),
            });
        }
    }
}
