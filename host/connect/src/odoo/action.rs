//! An action, done once: from the state it is done from, and never twice.
//!
//! The state is read before anything is done, on every attempt; an attempt whose answer was lost is therefore looked up by
//! the next one. It is read once more afterwards, because an action that answers well may have done nothing: Odoo answers some with
//! a window for a person to fill in.

use cambist_contract::{delivery::Effect, mapping::Action};
use serde_json::{Map, Value, json};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind, object},
    lookup, merge, state,
};
use crate::{
    ConnectError, dry_run,
    error::{WrongState, reason},
    target::Acting,
};

/// Does what is still to be done, and gives Odoo's id of the record. `acting` is told while the action is asked for.
///
/// # Errors
///
/// It was not done, or not surely.
pub(crate) async fn act(
    client: &OdooClient,
    action: &Action,
    acting: &Acting<'_>,
) -> Result<(Effect, i64), ConnectError> {
    let about = About {
        model: &action.model,
        external_id: action.key.id(),
    };
    if merge::is(action) {
        return merge::merge(client, action).await;
    }
    if action.to.is_empty() {
        return Err(client.error(
            Fault::Misfit(format!("`{}` names no state that it leads to", action.name)),
            about,
            Kind::Read,
        ));
    }
    let id = lookup::find(client, &action.model, &action.key)
        .await?
        .ok_or_else(|| client.error(Fault::UnknownId, about, Kind::Read))?;
    let before = read_state(client, action, id).await?;
    if state::matches(&before, &action.to) {
        return Ok((Effect::AlreadyDone, id));
    }
    if !state::matches(&before, &action.from) {
        return Err(wrong_state(client, action, &before));
    }
    let mut arguments = (*action.arguments).clone();
    arguments.insert("ids".to_owned(), json!([id]));
    acting(true);
    // without an answer it is under way until that is recorded
    let done = client
        .call(&action.model, &action.name, arguments, Kind::Act)
        .await?;
    acting(false);
    let after = match done {
        Ok(_) => read_state(client, action, id).await?,
        // refused: perhaps because somebody else did it a moment ago
        Err(fault @ Fault::Refused(_)) => {
            let after = read_state(client, action, id).await?;
            return match state::matches(&after, &action.to) {
                true => Ok((Effect::AlreadyDone, id)),
                false => Err(client.error(fault, about, Kind::Act)),
            };
        }
        Err(fault) => return Err(client.error(fault, about, Kind::Act)),
    };
    match state::matches(&after, &action.to) {
        true => Ok((Effect::Done, id)),
        false => Err(wrong_state(client, action, &after)),
    }
}

/// The fields that the action's states speak of.
async fn read_state(
    client: &OdooClient,
    action: &Action,
    id: i64,
) -> Result<Map<String, Value>, ConnectError> {
    let about = About {
        model: &action.model,
        external_id: action.key.id(),
    };
    let mut fields: Vec<&String> = action.from.keys().chain(action.to.keys()).collect();
    fields.sort();
    fields.dedup();
    let arguments = object(json!({"ids": [id], "fields": fields}));
    let answer = client.value(about, "read", arguments, Kind::Read).await?;
    match answer
        .as_array()
        .and_then(|records| records.first())
        .and_then(Value::as_object)
    {
        Some(record) => Ok(record.clone()),
        None => Err(client.error(Fault::Gone(String::new()), about, Kind::Read)),
    }
}

fn wrong_state(client: &OdooClient, action: &Action, found: &Map<String, Value>) -> ConnectError {
    // both states of an action that changes no amounts have the same ones
    let difference = match state::difference(found, &action.to) {
        none if none.is_empty() => state::difference(found, &action.from),
        some => some,
    };
    let mut found = found.clone();
    found.shift_remove("id");
    ConnectError::WrongState(Box::new(WrongState {
        system: client.system().to_owned(),
        model: action.model.clone(),
        external_id: action.key.to_string(),
        action: action.name.clone(),
        from: reason(&dry_run::state(&action.from)),
        to: reason(&dry_run::state(&action.to)),
        found: reason(&dry_run::state(&found)),
        difference,
    }))
}
