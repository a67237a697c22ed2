//! What a change says, field by field, as digests: by them what comes back from a system is
//! compared with what it was told.

use std::collections::BTreeMap;

use cambist_contract::{canonical::Change, digest::Digest, revision::canonical_json};
use serde_json::Value;

use crate::failure::Failure;

/// The digest of each field's value, by its name in the contract; that of `null` for a field
/// that is to be emptied. The entity's own name is no field.
pub(crate) fn said(change: &Change) -> Result<BTreeMap<String, Digest>, Failure> {
    let digest = |value: &Value| Digest::of(canonical_json(value).as_bytes());
    let entity = serde_json::to_value(&change.entity);
    let entity = entity.map_err(|error| Failure::Implausible(error.to_string()))?;
    let fields = entity
        .as_object()
        .and_then(|it| it.values().next())
        .and_then(Value::as_object);
    let named = fields.into_iter().flatten().filter(|(name, _)| *name != "ref");
    let mut said: BTreeMap<String, Digest> =
        named.map(|(name, value)| (name.clone(), digest(value))).collect();
    said.extend(
        change
            .cleared
            .iter()
            .map(|name| (name.clone(), digest(&Value::Null))),
    );
    Ok(said)
}
