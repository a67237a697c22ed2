//! A removal: HubSpot's objects are archived, and people can bring them back for 90 days.
//!
//! What is to be archived was found first, so that a receipt says whether it was there. HubSpot archives all of a batch or
//! refuses it; what it refuses is tried one by one.

use cambist_contract::delivery::Effect;
use serde_json::{Value, json};

use super::{
    client::{API, HubSpotClient, Wrote},
    receipts::{Receipts, removed},
    said::Said,
};
use crate::ConnectError;

/// An object that is there.
pub(crate) struct There<'p> {
    /// The command's place in the plan.
    pub place: usize,
    /// The key that it was found by, as text.
    pub key: String,
    /// The kind of object.
    pub model: &'p str,
    /// HubSpot's id of it.
    pub id: String,
}

/// Archives objects of one kind, as many as a batch takes at most. One that is gone by now is done already.
///
/// # Errors
///
/// One was refused; the first of them is named, and the others are archived and receipted. Or HubSpot gave no answer.
pub(crate) async fn archive(
    client: &HubSpotClient,
    there: &[There<'_>],
    receipts: &mut Receipts<'_>,
) -> Result<(), ConnectError> {
    if there.is_empty() {
        return Ok(());
    }
    if there.len() > 1 && send(client, there).await?.is_none() {
        for object in there {
            receipts.done(
                object.place,
                Effect::Done,
                Some(object.id.clone()),
                Some(removed()),
            );
        }
        return Ok(());
    }
    let mut refusal = None;
    for object in there {
        let effect = match send(client, std::slice::from_ref(object)).await? {
            None => Effect::Done,
            Some(said) if said.is_gone() => Effect::AlreadyDone,
            Some(said) => {
                refusal.get_or_insert(ConnectError::Refused {
                    system: client.system().to_owned(),
                    model: object.model.to_owned(),
                    external_id: object.key.clone(),
                    field: None,
                    reason: said.reason(),
                });
                continue;
            }
        };
        receipts.done(object.place, effect, Some(object.id.clone()), Some(removed()));
    }
    refusal.map_or(Ok(()), Err)
}

/// What HubSpot had against it, if anything.
async fn send(client: &HubSpotClient, there: &[There<'_>]) -> Result<Option<Said>, ConnectError> {
    let model = there.first().map(|object| object.model).unwrap_or_default();
    let inputs: Vec<Value> = there.iter().map(|object| json!({"id": object.id})).collect();
    let path = format!("{API}/{model}/batch/archive");
    match client.write(&path, &json!({ "inputs": inputs }), model).await? {
        Wrote::Refused(said) => Ok(Some(said)),
        Wrote::Answer(answer) => {
            let errors = answer.get("errors").and_then(Value::as_array);
            let first = errors.and_then(|errors| errors.first()).cloned();
            Ok(first.map(|error| serde_json::from_value(error).unwrap_or_default()))
        }
    }
}
