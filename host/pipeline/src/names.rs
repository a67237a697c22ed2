//! The names of entities: each by the system in which it was born.
//!
//! A system speaks of its records by its own ids, also of those that we have made there. Behind
//! `own` they have the names that they were made by: so a mapping that writes to the system in
//! which one was born sees that system's own id, and one that writes elsewhere always sees the
//! same.

use std::collections::{BTreeMap, BTreeSet};

use cambist_contract::{canonical::EntityRef, digest::Digest};
use cambist_journal::{Journal, JournalError, journal::Known};
use serde::Deserialize as _;
use serde_json::Value;

/// Every entity of a system that is named in a JSON tree of canonical records.
pub(crate) fn named(value: &Value, system: &str) -> BTreeSet<EntityRef> {
    let mut names = BTreeSet::new();
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(fields) => match name(value) {
                Some(name) if name.system == system => drop(names.insert(name)),
                _ => rest.extend(fields.values()),
            },
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    names
}

/// What a system was told of each entity, by the fields' names.
pub(crate) type Told = BTreeMap<EntityRef, BTreeMap<String, Digest>>;

/// Gives entities that a system speaks of the names they were born with, and tells by these
/// what the system was told of each.
pub(crate) async fn as_born(
    journal: &dyn Journal,
    system: &str,
    spoken_of: BTreeSet<EntityRef>,
    changes: &mut Value,
) -> Result<Told, JournalError> {
    let spoken_of: Vec<EntityRef> = spoken_of.into_iter().collect();
    let known = journal.known(system, &spoken_of).await?;
    let (mut born, mut told) = (BTreeMap::new(), Told::new());
    for (name, Known { origin, told: fields }) in spoken_of.into_iter().zip(known) {
        told.insert(origin.clone().unwrap_or_else(|| name.clone()), fields);
        if let Some(origin) = origin {
            born.insert(name, origin);
        }
    }
    rename(changes, &born);
    Ok(told)
}

/// Calls entities by other names.
fn rename(value: &mut Value, names: &BTreeMap<EntityRef, EntityRef>) {
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        if let Some(other) = name(value).and_then(|name| names.get(&name)) {
            if let Some(id) = value.get_mut("id") {
                *id = Value::from(other.id.as_str());
            }
            if let Some(system) = value.get_mut("system") {
                *system = Value::from(other.system.as_str());
            }
            continue;
        }
        match value {
            Value::Object(fields) => rest.extend(fields.values_mut()),
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
}

/// The entity that a value names, if it is a name and nothing else.
fn name(value: &Value) -> Option<EntityRef> {
    let fields = value.as_object()?;
    let is_name = fields.len() == 3 && ["kind", "system", "id"].iter().all(|it| fields.contains_key(*it));
    is_name.then(|| EntityRef::deserialize(value).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use cambist_contract::canonical::EntityKind;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand_and_nothing_else_is_changed() {
        let name = |system: &str, id: &str| json!({"kind": "account", "system": system, "id": id});
        let of = |system: &str, id: &str| EntityRef {
            kind: EntityKind::Account,
            system: system.to_owned(),
            id: id.to_owned(),
        };
        let tree = |one: Value| {
            json!([{"entity": {"contract": {"ref": name("crm", "7"), "account": one, "lines": [
                {"id": "7", "system": "odoo", "text": "42"}, {"party": one},
            ]}}}])
        };
        let mut value = tree(name("odoo", "42"));
        assert_eq!(named(&value, "odoo"), [of("odoo", "42")].into());
        rename(&mut value, &[(of("odoo", "42"), of("crm", "901"))].into());
        assert_eq!(value, tree(name("crm", "901")));
    }
}
