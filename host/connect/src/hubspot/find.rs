//! Which objects are there: by HubSpot's ids, or by the values of a unique property.

use std::collections::BTreeMap;

use cambist_contract::mapping::RecordKey;
use serde_json::{Value, json};

use super::{
    batch,
    client::{API, HubSpotClient},
};
use crate::ConnectError;

/// HubSpot's ids of those that are there and not archived, by the keys that they were asked for by. All keys must be of one
/// kind, and as many as a batch takes.
///
/// # Errors
///
/// HubSpot did not say of each whether it is there.
pub(crate) async fn find(
    client: &HubSpotClient,
    unique: &str,
    model: &str,
    keys: &[&RecordKey],
) -> Result<BTreeMap<String, String>, ConnectError> {
    let asked: Vec<String> = keys.iter().map(|key| key.id().to_owned()).collect();
    let inputs: Vec<Value> = asked.iter().map(|id| json!({ "id": id })).collect();
    let is_own = matches!(keys.first(), Some(RecordKey::Own(_)));
    let (request, by) = match is_own {
        true => (json!({"inputs": inputs, "properties": []}), None),
        false => (
            json!({"inputs": inputs, "properties": [unique], "idProperty": unique}),
            Some(unique),
        ),
    };
    let path = format!("{API}/{model}/batch/read");
    let answer = client.batch(&path, &request, model).await?;
    let found =
        batch::read(answer, &asked, by).map_err(|partial| partial.into_error(client.system(), model))?;
    Ok(found
        .into_iter()
        .filter_map(|(key, object)| Some((key, object.get("id")?.as_str()?.to_owned())))
        .collect())
}
