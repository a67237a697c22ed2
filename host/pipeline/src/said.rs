//! What a change says, field by field, as digests: by them what comes back from a system is
//! compared with what it was told, and with what it said before.

use std::collections::BTreeMap;

use cambist_contract::{
    canonical::{Change, EntityKind},
    digest::Digest,
    revision::canonical_json,
};
use serde_json::Value;

use crate::failure::Failure;

/// Digests of values, by the fields' names in the contract.
pub(crate) type Fields = BTreeMap<String, Digest>;

/// Whether what a system says of a field is what it was told.
///
/// An account's name is also its legal one, unless `legal-name` says otherwise (`canonical.wit`). So a
/// system that has one name for both, as Odoo has, was told the legal name and says it as the name.
pub(crate) fn is_told(kind: EntityKind, field: &str, says: &Fields, told: &Fields) -> bool {
    let Some(value) = says.get(field) else {
        return false;
    };
    let is_legal_name = kind == EntityKind::Account
        && field == NAME
        && !says.contains_key(LEGAL_NAME)
        && told.get(LEGAL_NAME) == Some(value);
    told.get(field) == Some(value) || is_legal_name
}

const NAME: &str = "name";
const LEGAL_NAME: &str = "legal-name";

/// The digest of a field that is empty.
pub(crate) fn nothing() -> Digest {
    digest(&Value::Null)
}

fn digest(value: &Value) -> Digest {
    Digest::of(canonical_json(value).as_bytes())
}

/// The digest of each field's value, by its name in the contract; that of `null` for a field
/// that is to be emptied. The entity's own name is no field.
pub(crate) fn said(change: &Change) -> Result<Fields, Failure> {
    let entity = serde_json::to_value(&change.entity);
    let entity = entity.map_err(|error| Failure::Implausible(error.to_string()))?;
    let fields = entity
        .as_object()
        .and_then(|it| it.values().next())
        .and_then(Value::as_object);
    let named = fields.into_iter().flatten().filter(|(name, _)| *name != "ref");
    let mut said: Fields = named.map(|(name, value)| (name.clone(), digest(value))).collect();
    said.extend(change.cleared.iter().map(|name| (name.clone(), nothing())));
    Ok(said)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn account(fields: &Value) -> Fields {
        let mut entity = json!({"ref": {"kind": "account", "system": "crm", "id": "1"}});
        entity
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let change =
            json!({"entity": {"account": entity}, "kind": "upsert", "changed-at": "2026-11-22T04:00:00Z"});
        said(&serde_json::from_value(change).unwrap()).unwrap()
    }

    #[test]
    fn the_legal_name_is_told_to_a_system_with_one_name() {
        let told = account(&json!({"name": "Acme", "legal-name": "Acme GmbH", "phone": "1"}));
        let is_told = |says: Value, field: &str| is_told(EntityKind::Account, field, &account(&says), &told);
        assert!(is_told(json!({"name": "Acme"}), "name"));
        assert!(is_told(json!({"name": "Acme GmbH"}), "name"));
        assert!(!is_told(json!({"name": "Other"}), "name"));
        // one that has both says with the name that it is another one
        assert!(!is_told(
            json!({"name": "Acme GmbH", "legal-name": "Acme AG"}),
            "name"
        ));
        assert!(!is_told(json!({"phone": "2"}), "phone"));
        assert!(!is_told(json!({"phone": "1"}), "email"));
    }
}
