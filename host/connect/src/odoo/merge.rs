//! The action `merge`: two partners become one, by Odoo's own wizard.
//!
//! The wizard moves what refers to the one that goes, its external ids among it, and deletes
//! it (`base.partner.merge.automatic.wizard`, Odoo 19). So the external id of the one that went
//! leads to the one that is left, and that is how it is seen to be done already. A user who is
//! no administrator may merge partners of the same e-mail alone, nobody more than three at once
//! or one with its parent: then a person does it there, and the message goes on.

use cambist_contract::{
    delivery::Effect,
    mapping::{Action, RecordKey},
};
use serde_json::{Value, json};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind, object},
    lookup,
};
use crate::ConnectError;

/// The model that can be merged, and the action's name.
const MODEL: &str = "res.partner";
const NAME: &str = "merge";

/// The argument that names what is left, by its external id.
const INTO: &str = "into";

const WIZARD: &str = "base.partner.merge.automatic.wizard";

/// Whether an action is this one.
pub(super) fn is(action: &Action) -> bool {
    action.model == MODEL && action.name == NAME
}

/// Merges what is not one yet, and gives Odoo's id of what is left.
///
/// # Errors
///
/// It was not done, or not surely.
pub(super) async fn merge(client: &OdooClient, action: &Action) -> Result<(Effect, i64), ConnectError> {
    let about = About {
        model: MODEL,
        external_id: action.key.id(),
    };
    let into = action
        .arguments
        .get(INTO)
        .and_then(Value::as_str)
        .ok_or_else(|| {
            let fault = Fault::Misfit(format!(
                "`{NAME}` takes `{INTO}`, the external id of what is left"
            ));
            client.error(fault, about, Kind::Read)
        })?;
    let into = RecordKey::of_text(into);
    let left = lookup::find(client, MODEL, &into).await?.ok_or_else(|| {
        let about = About {
            model: MODEL,
            external_id: into.id(),
        };
        client.error(Fault::UnknownId, about, Kind::Read)
    })?;
    match lookup::find(client, MODEL, &action.key).await? {
        // it never was there: nothing is to be moved
        None => return Ok((Effect::AlreadyDone, left)),
        Some(gone) if gone == left => return Ok((Effect::AlreadyDone, left)),
        Some(gone) => run(client, about, gone, left).await?,
    }
    match lookup::find(client, MODEL, &action.key).await? {
        Some(found) if found == left => Ok((Effect::Done, left)),
        found => {
            let where_to = found.map_or("nothing".to_owned(), |id| format!("{MODEL} {id}"));
            let fault = Fault::Misfit(format!(
                "after the merge its external id leads to {where_to}, not to {left}"
            ));
            Err(client.error(fault, about, Kind::Act))
        }
    }
}

/// Has the wizard do it.
async fn run(client: &OdooClient, about: About<'_>, gone: i64, left: i64) -> Result<(), ConnectError> {
    let wizard = json!({
        "vals_list": [{"state": "selection", "dst_partner_id": left, "partner_ids": [[6, 0, [gone, left]]]}],
    });
    let made = client.call(WIZARD, "create", object(wizard), Kind::Act).await?;
    let made = made.map_err(|fault| client.error(fault, about, Kind::Act))?;
    let done = client
        .call(WIZARD, "action_merge", object(json!({ "ids": made })), Kind::Act)
        .await?;
    done.map(drop)
        .map_err(|fault| client.error(fault, about, Kind::Act))
}
