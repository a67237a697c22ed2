//! Won deals, by search.
//!
//! A search gives 200 deals a page and ten thousand in all, so each page is a search of its own for ids behind the last one.
//! HubSpot shows a change in searches some moments after it was made.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    batch,
    client::{API, BATCH, HubSpotClient},
};
use crate::{
    ConnectError,
    error::Again,
    line::Line,
    sales::{Deal, PAGE, Properties, Sales},
};

/// An account whose deals are compared.
pub struct HubSpotDeals {
    client: HubSpotClient,
    line: Line,
}

impl HubSpotDeals {
    pub(crate) fn new(client: HubSpotClient, line: Line) -> Self {
        Self { client, line }
    }

    async fn ask(&self, verb: &str, body: &Value) -> Result<Value, ConnectError> {
        let turn = self.line.turn().await;
        let answer = self
            .client
            .batch(&format!("{API}/deals/{verb}"), body, "deals")
            .await;
        turn.end(&answer);
        answer
    }
}

#[async_trait]
impl Sales for HubSpotDeals {
    async fn won(
        &self,
        properties: &Properties,
        (from, to): (Timestamp, Timestamp),
        after: Option<&str>,
    ) -> Result<Vec<Deal>, ConnectError> {
        let filter = |property: &str, operator: &str, value: String| json!({"propertyName": property, "operator": operator, "value": value});
        let mut filters = vec![
            filter("hs_is_closed_won", "EQ", "true".to_owned()),
            filter("closedate", "GTE", from.as_millisecond().to_string()),
            filter("closedate", "LT", to.as_millisecond().to_string()),
        ];
        if let Some(after) = after {
            filters.push(filter("hs_object_id", "GT", after.to_owned()));
        }
        let body = json!({
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": names(properties),
            "limit": PAGE,
        });
        let answer = self.ask("search", &body).await?;
        // one that is not understood must not be missing from a page, which would then look like the last one
        let results = answer.get("results").and_then(Value::as_array);
        let deals = results.and_then(|all| all.iter().map(|object| deal(object, properties)).collect());
        deals.ok_or_else(|| ConnectError::Strange {
            system: self.client.system().to_owned(),
            what: "another answer than a search gives".to_owned(),
            again: Again::Harmless,
        })
    }

    async fn deals(&self, properties: &Properties, ids: &[String]) -> Result<Vec<Deal>, ConnectError> {
        let mut deals = Vec::new();
        for some in ids.chunks(BATCH) {
            let inputs: Vec<Value> = some.iter().map(|id| json!({ "id": id })).collect();
            let body = json!({"inputs": inputs, "properties": names(properties)});
            let answer = self.ask("batch/read", &body).await?;
            let found = batch::read(answer, some, None)
                .map_err(|partial| partial.into_error(self.client.system(), "deals"))?;
            deals.extend(found.values().filter_map(|object| deal(object, properties)));
        }
        Ok(deals)
    }
}

/// The properties that are asked for.
fn names(properties: &Properties) -> Vec<&str> {
    let standard = [
        "amount",
        "deal_currency_code",
        "closedate",
        "hs_is_closed_won",
        "hs_lastmodifieddate",
    ];
    let own = [
        &properties.region,
        &properties.numbers,
        &properties.invoiced,
        &properties.paid,
    ];
    standard
        .into_iter()
        .chain(own.into_iter().filter_map(|name| name.as_deref()))
        .collect()
}

fn deal(object: &Value, properties: &Properties) -> Option<Deal> {
    let has = object.get("properties").and_then(Value::as_object)?;
    let amount = |name: &Option<String>| amount(has, name.as_deref()?);
    Some(Deal {
        id: object.get("id")?.as_str()?.to_owned(),
        is_won: text(has, "hs_is_closed_won") == Some("true"),
        closed: text(has, "closedate").and_then(|text| text.parse().ok()),
        changed: text(has, "hs_lastmodifieddate").and_then(|text| text.parse().ok()),
        amount: self::amount(has, "amount"),
        currency: text(has, "deal_currency_code").map(str::to_owned),
        region: properties
            .region
            .as_deref()
            .and_then(|name| text(has, name))
            .map(str::to_owned),
        numbers: numbers(has, properties),
        invoiced: amount(&properties.invoiced),
        paid: amount(&properties.paid),
    })
}

/// A property that is filled.
fn text<'a>(has: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    has.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// The numbers that a list names.
fn numbers(has: &Map<String, Value>, properties: &Properties) -> BTreeSet<String> {
    let list = properties.numbers.as_deref().and_then(|name| text(has, name));
    list.into_iter()
        .flat_map(|list| list.split(','))
        .map(|number| number.trim().to_owned())
        .filter(|number| !number.is_empty())
        .collect()
}

/// A property of numbers, which HubSpot shows as text.
fn amount(has: &Map<String, Value>, name: &str) -> Option<Decimal> {
    let text = text(has, name)?;
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}
