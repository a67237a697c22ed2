//! A removal: Odoo's records are archived, and never deleted.
//!
//! Invoices, orders and messages go on referring to a record that is archived, and people can bring it back. A record that
//! nobody finds is gone already; so is one that the user may not see, because Odoo tells the two not apart (`lookup.rs`).

use cambist_contract::{delivery::Effect, mapping::RecordName};
use serde_json::{Value, json};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind, object},
    lookup,
};
use crate::ConnectError;

/// The field of an archived record that is false.
const ACTIVE: &str = "active";

/// Archives a record that is not archived, and gives Odoo's id of it where there is one.
///
/// # Errors
///
/// It was not archived, or not surely: among others because its model knows no archive.
pub(crate) async fn remove(
    client: &OdooClient,
    name: &RecordName,
) -> Result<(Effect, Option<i64>), ConnectError> {
    let about = About {
        model: &name.model,
        external_id: name.key.id(),
    };
    let Some(id) = lookup::find(client, &name.model, &name.key).await? else {
        return Ok((Effect::AlreadyDone, None));
    };
    let arguments = object(json!({"ids": [id], "fields": [ACTIVE]}));
    let found = match client.call(about.model, "read", arguments, Kind::Read).await? {
        Ok(found) => found,
        Err(Fault::Gone(_)) => return Ok((Effect::AlreadyDone, None)),
        Err(Fault::Misfit(_)) => return Err(client.error(no_archive(about.model), about, Kind::Read)),
        Err(fault) => return Err(client.error(fault, about, Kind::Read)),
    };
    let record = found.as_array().and_then(|records| records.first());
    match record.map(|record| record.get(ACTIVE)) {
        None => Ok((Effect::AlreadyDone, None)),
        Some(None) => Err(client.error(no_archive(about.model), about, Kind::Read)),
        Some(Some(Value::Bool(false))) => Ok((Effect::AlreadyDone, Some(id))),
        Some(Some(_)) => {
            let arguments = object(json!({"ids": [id], "vals": {ACTIVE: false}}));
            client.value(about, "write", arguments, Kind::Write).await?;
            Ok((Effect::Done, Some(id)))
        }
    }
}

fn no_archive(model: &str) -> Fault {
    Fault::Misfit(format!(
        "records of `{model}` cannot be archived, as they have no field `{ACTIVE}`: end them there by hand, or have the \
         mapping `act`, such as with `action_cancel`"
    ))
}
