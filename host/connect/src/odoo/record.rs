//! A record as it is now, with what belongs to it.
//!
//! The body is the record's fields as `read` shows them, with `model` and `id`. A field with a
//! name with dots in it stands as `web_read` shows it: a record with the fields that were asked
//! for, or a list of such records.
//!
//! Under `external_id` stands the id that `load` finds the record by, if it has one: by it a
//! mapping knows what it has made itself, whatever the journal knows.
//!
//! An invoice is a part of what was agreed, and who sold it wants to see the whole. So with an
//! invoice (`account.move`) come `orders`, the orders that its lines bill, and `invoices`, all
//! invoices of these orders, itself among them, with the same fields. Both are empty where it
//! bills no order, or Odoo has no sales.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind, object},
};
use crate::ConnectError;

/// Where a record's external id stands in the body; no field of Odoo's is called so.
const EXTERNAL_ID: &str = "external_id";

/// The model of invoices.
const INVOICE: &str = "account.move";

/// Most orders that one invoice may bill, and most invoices that these may have: a collective
/// invoice of a year's work has some dozen. More would not fit a plugin call.
const BELONGING_LIMIT: usize = 500;

/// Reads a record by Odoo's id.
///
/// # Errors
///
/// It is gone, more belongs to it than is read, or Odoo could not be asked.
pub(crate) async fn read(
    client: &OdooClient,
    (model, id): (&str, i64),
    fields: &[String],
) -> Result<Map<String, Value>, ConnectError> {
    let own_id = id.to_string();
    let about = About {
        model,
        external_id: &own_id,
    };
    let (nested, plain): (Vec<&String>, Vec<&String>) = fields.iter().partition(|name| name.contains('.'));
    let mut found = records(client, about, &[id], &plain).await?;
    let Some(record) = found.pop() else {
        return Err(client.error(Fault::Gone(String::new()), about, Kind::Read));
    };
    let mut body = object(json!({"model": model}));
    body.extend(record);
    if !nested.is_empty() {
        let arguments = object(json!({"ids": [id], "specification": specification(&nested)}));
        let answer = client.value(about, "web_read", arguments, Kind::Read).await?;
        body.extend(objects(answer).pop().unwrap_or_default());
    }
    if let Some(external_id) = external_id(client, about, &own_id).await? {
        body.insert(EXTERNAL_ID.to_owned(), Value::String(external_id));
    }
    if model == INVOICE {
        let orders = orders(client, about, id).await?;
        let mut ids: BTreeSet<i64> = BTreeSet::new();
        for order in &orders {
            let invoices = order.get("invoice_ids").and_then(Value::as_array);
            ids.extend(invoices.into_iter().flatten().filter_map(Value::as_i64));
        }
        let ids: Vec<i64> = ids.into_iter().collect();
        let invoices = match within(client, about, ids.len(), "invoices")? {
            0 => Vec::new(),
            _ => records(client, about, &ids, &plain).await?,
        };
        body.insert("orders".to_owned(), json!(orders));
        body.insert("invoices".to_owned(), json!(invoices));
    }
    Ok(body)
}

/// What `load` finds a record by, where it has such an id.
async fn external_id(
    client: &OdooClient,
    about: About<'_>,
    id: &str,
) -> Result<Option<String>, ConnectError> {
    let arguments = object(json!({"ids": [about.external_id.parse::<i64>().unwrap_or_default()]}));
    let answer = client
        .value(about, "get_external_id", arguments, Kind::Read)
        .await?;
    let found = answer
        .get(id)
        .and_then(Value::as_str)
        .filter(|found| !found.is_empty());
    Ok(found.map(str::to_owned))
}

/// The orders that an invoice bills.
async fn orders(
    client: &OdooClient,
    about: About<'_>,
    invoice: i64,
) -> Result<Vec<Map<String, Value>>, ConnectError> {
    let arguments = object(json!({
        "domain": [["invoice_ids", "in", [invoice]]],
        "fields": ["name", "invoice_ids"],
        "order": "id",
        "limit": BELONGING_LIMIT + 1,
    }));
    let orders = match client
        .call("sale.order", "search_read", arguments, Kind::Read)
        .await?
    {
        Ok(answer) => objects(answer),
        // no sales in this database
        Err(Fault::Misfit(_)) => Vec::new(),
        Err(fault) => return Err(client.error(fault, about, Kind::Read)),
    };
    within(client, about, orders.len(), "orders")?;
    Ok(orders)
}

/// Records as `read` shows them, in the order of their ids.
async fn records(
    client: &OdooClient,
    about: About<'_>,
    ids: &[i64],
    fields: &[&String],
) -> Result<Vec<Map<String, Value>>, ConnectError> {
    let arguments = object(json!({"ids": ids, "fields": fields}));
    Ok(objects(client.value(about, "read", arguments, Kind::Read).await?))
}

/// That what belongs to a record is all read.
fn within(client: &OdooClient, about: About<'_>, count: usize, kind: &str) -> Result<usize, ConnectError> {
    if count > BELONGING_LIMIT {
        return Err(ConnectError::TooMany {
            system: client.system().to_owned(),
            what: format!("{} {}", about.model, about.external_id),
            kind: kind.to_owned(),
        });
    }
    Ok(count)
}

pub(crate) fn objects(answer: Value) -> Vec<Map<String, Value>> {
    let Value::Array(records) = answer else {
        return Vec::new();
    };
    let records = records.into_iter().filter_map(|record| match record {
        Value::Object(record) => Some(record),
        _ => None,
    });
    records.collect()
}

/// What `web_read` is asked for by names with dots: a tree of `{"NAME": {"fields": {…}}}`.
pub(crate) fn specification(names: &[&String]) -> Map<String, Value> {
    let mut tree = Map::new();
    for name in names {
        let mut level = &mut tree;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            let field = level.entry(part.to_owned()).or_insert_with(|| json!({}));
            if parts.peek().is_none() {
                break;
            }
            let Some(fields) = field
                .as_object_mut()
                .map(|field| field.entry("fields").or_insert_with(|| json!({})))
                .and_then(Value::as_object_mut)
            else {
                break;
            };
            level = fields;
        }
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_dots_become_a_tree() {
        let names = [
            "state_id.code",
            "order_line.tax_ids.name",
            "order_line.name",
            "order_line",
        ];
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let tree = specification(&names.iter().collect::<Vec<_>>());
        let expected = json!({
            "state_id": {"fields": {"code": {}}},
            "order_line": {"fields": {"tax_ids": {"fields": {"name": {}}}, "name": {}}},
        });
        assert_eq!(Value::Object(tree), expected);
    }
}
