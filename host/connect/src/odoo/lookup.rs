//! From what a record is found by to Odoo's id.

use cambist_contract::mapping::RecordKey;
use serde_json::{Value, json};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind, object},
};
use crate::ConnectError;

/// Where Odoo keeps external ids that have no dot.
const NO_MODULE: &str = "__import__";

/// Finds the record that has a key: an external id, or Odoo's own; none when no record has it, or none that the user may see.
///
/// Those two cannot be told apart: after a refused `load` Odoo still remembers the external id of the row that it has taken
/// back, and answers as it does for a record that the user may not see. Writing tells: `load` looks into the database.
///
/// # Errors
///
/// Odoo could not be asked, or the external id belongs to a record of another model.
pub(crate) async fn find(
    client: &OdooClient,
    model: &str,
    key: &RecordKey,
) -> Result<Option<i64>, ConnectError> {
    let about = About {
        model,
        external_id: key.id(),
    };
    if let RecordKey::Own(id) = key {
        return own(client, about, id).await;
    }
    match ask(client, about.external_id).await? {
        Some((model, _)) if model != about.model => Err(ConnectError::Refused {
            system: client.system().to_owned(),
            model: about.model.to_owned(),
            external_id: about.external_id.to_owned(),
            field: None,
            reason: format!("its external id belongs to a record of {model}"),
        }),
        found => Ok(found.and_then(|(_, id)| id)),
    }
}

/// Whether a record with an id of Odoo's own is there, archived or not.
async fn own(client: &OdooClient, about: About<'_>, id: &str) -> Result<Option<i64>, ConnectError> {
    // a plan is looked at before it is sent, so it is a number
    let Ok(id) = id.parse::<i64>() else {
        return Ok(None);
    };
    let arguments = object(json!({"ids": [id], "fields": ["id"]}));
    match client.call(about.model, "read", arguments, Kind::Read).await? {
        Ok(found) => Ok(found
            .as_array()
            .is_some_and(|records| !records.is_empty())
            .then_some(id)),
        Err(Fault::Gone(_)) => Ok(None),
        Err(fault) => Err(client.error(fault, about, Kind::Read)),
    }
}

/// Odoo's id of whatever record has an external id; none when no record has it, or none that the user may see.
///
/// # Errors
///
/// Odoo could not be asked.
pub(crate) async fn resolve(client: &OdooClient, external_id: &str) -> Result<Option<i64>, ConnectError> {
    Ok(ask(client, external_id).await?.and_then(|(_, id)| id))
}

/// Model and id of the record that has an external id; no id when the user may not see it.
async fn ask(client: &OdooClient, external_id: &str) -> Result<Option<(String, Option<i64>)>, ConnectError> {
    let (module, name) = external_id.split_once('.').unwrap_or((NO_MODULE, external_id));
    // archived records are there, too
    let arguments = object(json!({"module": module, "xml_id": name, "context": {"active_test": false}}));
    let about = About {
        model: "ir.model.data",
        external_id,
    };
    let answer = match client
        .call(about.model, "check_object_reference", arguments, Kind::Read)
        .await?
    {
        Err(Fault::UnknownId) => return Ok(None),
        Err(fault) => return Err(client.error(fault, about, Kind::Read)),
        Ok(answer) => answer,
    };
    match answer.as_array().map(Vec::as_slice) {
        Some([Value::String(model), id]) => Ok(Some((model.clone(), id.as_i64()))),
        _ => {
            let what = "another answer than `check_object_reference` gives".to_owned();
            Err(client.error(Fault::Strange(what), about, Kind::Read))
        }
    }
}
