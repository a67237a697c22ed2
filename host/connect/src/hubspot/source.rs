//! Reading a deal with what belongs to it.

use async_trait::async_trait;
use cambist_contract::message::Message;
use serde_json::{Map, Value, json};

use super::{
    batch,
    client::{API, BATCH, HubSpotClient},
    merge::{Merge, is_merge},
    properties::Asked,
};
use crate::{ConnectError, Source, line::Line, options};

/// Most objects of one kind that one deal may have: ten batches. A deal with more is a mistake or an attack, and its JSON would
/// not fit a plugin call.
const OBJECTS_LIMIT: usize = 1000;

/// The type of a deal's association with its primary company, of which HubSpot allows one. Every other has a label of the
/// portal's own, or ends with `_unlabeled`, which the primary one has as well.
const PRIMARY: &str = "deal_to_company";

/// An account to read from.
pub struct HubSpotSource {
    client: HubSpotClient,
    asked: Asked,
    line: Line,
}

impl HubSpotSource {
    pub(crate) fn new(client: HubSpotClient, properties: &options::Properties, line: Line) -> Self {
        Self {
            client,
            asked: Asked::with(properties),
            line,
        }
    }

    /// A deal, its companies, contacts and line items.
    async fn deal(&self, id: &str) -> Result<Value, ConnectError> {
        let query = [
            ("properties", self.asked.deals.join(",")),
            ("associations", "companies,contacts,line_items".to_owned()),
        ];
        let mut deal = self
            .client
            .get(&format!("{API}/0-3/{id}"), &query, &format!("deal {id}"))
            .await?;
        let associations = deal
            .as_object_mut()
            .and_then(|deal| deal.shift_remove("associations"))
            .unwrap_or_default();
        let listed = |kind: &str, keys: &[&str]| {
            associated(&associations, keys).ok_or_else(|| ConnectError::TooMany {
                system: self.client.system().to_owned(),
                what: format!("deal {id}"),
                kind: kind.to_owned(),
            })
        };
        let companies = primary_first(&associations, listed("companies", &["companies"])?);
        let contacts = listed("contacts", &["contacts"])?;
        let line_items = listed("line_items", &["line_items", "line items"])?;
        // the types of these say which company is the customer, and HubSpot alone knows
        if let (Some(deal), Some(companies)) = (deal.as_object_mut(), associations.get("companies")) {
            deal.insert("associations".to_owned(), json!({ "companies": companies }));
        }
        Ok(json!({
            "deal": deal,
            "companies": self.objects("companies", &companies, &self.asked.companies).await?,
            "contacts": self.objects("contacts", &contacts, &self.asked.contacts).await?,
            "line_items": self.objects("line_items", &line_items, &self.asked.line_items).await?,
        }))
    }

    /// A contact, and the company it works for: HubSpot keeps the id of the primary one as a property of the contact.
    async fn contact(&self, id: &str) -> Result<Value, ConnectError> {
        let mut body = self.single("contacts", id, &self.asked.contacts).await?;
        let company = body
            .pointer("/contacts/0/properties/associatedcompanyid")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
        if let Some(company) = company {
            let found = self
                .objects("companies", &[company], &self.asked.companies)
                .await?;
            if let Some(slot) = body.get_mut("companies") {
                *slot = Value::from(found);
            }
        }
        Ok(body)
    }

    /// One company or contact by itself.
    async fn single(&self, kind: &str, id: &str, asked: &[String]) -> Result<Value, ConnectError> {
        let found = self.objects(kind, &[id.to_owned()], asked).await?;
        if found.is_empty() {
            return Err(ConnectError::Gone {
                system: self.client.system().to_owned(),
                what: format!("{kind} {id}"),
            });
        }
        Ok(body(kind, Value::from(found)))
    }

    /// Objects of one kind, in the order of their ids; those that are gone are left out.
    async fn objects(
        &self,
        kind: &str,
        ids: &[String],
        asked: &[String],
    ) -> Result<Vec<Value>, ConnectError> {
        let mut found: Map<String, Value> = Map::new();
        for some in ids.chunks(BATCH) {
            let inputs: Vec<Value> = some.iter().map(|id| json!({ "id": id })).collect();
            let request = json!({"inputs": inputs, "properties": asked});
            let path = format!("{API}/{kind}/batch/read");
            let answer = self.client.batch(&path, &request, kind).await?;
            found.extend(
                batch::read(answer, some, None)
                    .map_err(|partial| partial.into_error(self.client.system(), kind))?,
            );
        }
        // HubSpot answers in an order of its own; ours makes the same deal the same bytes
        Ok(ids.iter().filter_map(|id| found.shift_remove(id)).collect())
    }
}

#[async_trait]
impl Source for HubSpotSource {
    async fn fetch(&self, message: &Message) -> Result<Value, ConnectError> {
        let (id, kind) = (message.object_id.as_str(), message.object_kind.as_str());
        let unsupported = || ConnectError::Unsupported {
            system: self.client.system().to_owned(),
            kind: kind.to_owned(),
        };
        let list = match kind {
            // a link names a record that was born there by the kind of its entity
            "deal" | "deals" | "opportunity" | "contract" | "project" | "0-3" => "deal",
            "company" | "companies" | "account" | "0-2" => "companies",
            "contact" | "contacts" | "0-1" => "contacts",
            _ => return Err(unsupported()),
        };
        // ids become part of a path, so nothing but digits may be one
        if id.is_empty() || !id.chars().all(|digit| digit.is_ascii_digit()) {
            return Err(self.client.misfit(kind, "its id is no number"));
        }
        if is_deletion(&message.event) {
            let gone = json!({"id": id, "properties": {}, "archived": true});
            return Ok(match list {
                "deal" => body("deal", gone),
                _ => body(list, json!([gone])),
            });
        }
        // of what is one since, the one that is left is read
        let merge = is_merge(&message.event)
            .then(|| Merge::read(&message.body))
            .flatten();
        let id = merge.as_ref().map_or(id, |merge| merge.left.as_str());
        let turn = self.line.turn().await;
        let result = match list {
            "deal" => self.deal(id).await,
            "companies" => self.single(list, id, &self.asked.companies).await,
            _ => self.contact(id).await,
        };
        turn.end(&result);
        result.map(|mut body| {
            if let (Some(Merge { gone, .. }), Some(body)) = (merge, body.as_object_mut()) {
                let gone: Vec<Value> = gone.iter().map(|id| json!({ "id": id })).collect();
                body.insert("merged".to_owned(), Value::from(gone));
            }
            body
        })
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        self.client.ready().await
    }
}

/// The body of an event, with everything empty but one part.
fn body(part: &str, value: Value) -> Value {
    let mut body = json!({"deal": null, "companies": [], "contacts": [], "line_items": []});
    if let Some(slot) = body.get_mut(part) {
        *slot = value;
    }
    body
}

/// Whether an event says that the object is no more, so that there is nothing to read.
fn is_deletion(event: &str) -> bool {
    event.ends_with(".deletion") || event.ends_with(".privacyDeletion")
}

/// The ids of a deal's companies, the primary one first.
fn primary_first(associations: &Value, mut ids: Vec<String>) -> Vec<String> {
    let results = associations
        .pointer("/companies/results")
        .and_then(Value::as_array);
    let primary: Vec<&str> = results
        .into_iter()
        .flatten()
        .filter(|result| result.get("type").and_then(Value::as_str) == Some(PRIMARY))
        .filter_map(|result| result.get("id")?.as_str())
        .collect();
    ids.sort_by_key(|id| !primary.contains(&id.as_str()));
    ids
}

/// The ids under any of some keys, each once; none when HubSpot has listed a part of them, or there are too many.
fn associated(associations: &Value, keys: &[&str]) -> Option<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    for list in keys.iter().filter_map(|key| associations.get(key)) {
        if list.pointer("/paging/next").is_some_and(|next| !next.is_null()) {
            return None;
        }
        let results = list.get("results").and_then(Value::as_array);
        for id in results
            .into_iter()
            .flatten()
            .filter_map(|result| result.get("id")?.as_str())
        {
            // a company with two labels is named twice
            if !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
        }
    }
    (ids.len() <= OBJECTS_LIMIT).then_some(ids)
}
