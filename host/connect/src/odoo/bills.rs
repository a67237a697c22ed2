//! An order with all that its bills rest on.
//!
//! Under `bills` of the order's body stand, each record as `read` shows it with the fields that `fields.rs` names:
//!
//! | key | is |
//! |---|---|
//! | `customer` | the commercial partner of the order's customer: who buys, by law |
//! | `lines` | its lines, in their order |
//! | `projects`, `milestones` | the work that delivers it, and all milestones of that |
//! | `timesheets` | time on its lines that is on no invoice, or on a cancelled one |
//! | `invoices`, `invoice_lines` | its invoices and credit notes of any state, and all that stands on these |
//! | `names` | external ids: of invoices, of their lines and of units, by model and Odoo's id |
//!
//! What is billed is Odoo's to say: time that is on an invoice has it in `timesheet_invoice_id`, whoever made that, and
//! loses it when a credit note gives it free.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    OdooClient,
    client::{About, Kind, object},
    fields, record,
};
use crate::{ConnectError, options};

/// The model of orders.
pub(crate) const ORDER: &str = "sale.order";

/// Where it stands in an order's body; no field of Odoo's is called so.
pub(crate) const BILLS: &str = "bills";

/// Most records of a kind that belong to one order. 2 000 pieces of time that nobody has billed are those of 20 people
/// who each write five a day, for a month; they are some 700 kB.
const LIMIT: usize = 2_000;

/// Reads what belongs to an order.
///
/// # Errors
///
/// More belongs to it than is read, or Odoo could not be asked.
pub(crate) async fn read(
    client: &OdooClient,
    order: i64,
    options: &options::Bills,
) -> Result<Map<String, Value>, ConnectError> {
    let of = Of { client, order };
    let lines = of
        .records(
            "sale.order.line",
            json!([["order_id", "=", order]]),
            &fields::ORDER_LINE,
        )
        .await?;
    let domain = json!([
        "|",
        ["sale_order_id", "=", order],
        ["sale_line_id.order_id", "=", order]
    ]);
    let project: Vec<String> = fields::usual("project.project").unwrap_or_default();
    let projects = of.records("project.project", domain, &project).await?;
    let domain = json!([["project_id", "in", ids(&projects)]]);
    let milestones = of
        .records("project.milestone", domain, &fields::MILESTONE)
        .await?;
    let timesheets = match options.fields() {
        Some((model, fields)) => of.records(&model, open_time(order), &fields).await?,
        None => Vec::new(),
    };
    let domain = json!([
        ["move_type", "in", ["out_invoice", "out_refund"]],
        ["line_ids.sale_line_ids.order_id", "=", order],
    ]);
    let invoice = fields::usual("account.move").unwrap_or_default();
    let invoices = of.records("account.move", domain, &invoice).await?;
    let domain = json!([
        ["move_id", "in", ids(&invoices)],
        ["display_type", "=", "product"],
    ]);
    let invoice_lines = of
        .records("account.move.line", domain, &fields::INVOICE_LINE)
        .await?;
    let units: BTreeSet<i64> = lines.iter().chain(&timesheets).filter_map(unit).collect();
    let units: Vec<i64> = units.into_iter().collect();
    let names = json!({
        "account.move": of.names("account.move", &ids(&invoices)).await?,
        "account.move.line": of.names("account.move.line", &ids(&invoice_lines)).await?,
        "uom.uom": of.names("uom.uom", &units).await?,
    });
    Ok(object(json!({
        "customer": of.customer().await?,
        "lines": lines,
        "projects": projects,
        "milestones": milestones,
        "timesheets": timesheets,
        "invoices": invoices,
        "invoice_lines": invoice_lines,
        "names": names,
    })))
}

/// Time of an order that may still be billed: by the rule by which Odoo's own window bills time.
fn open_time(order: i64) -> Value {
    json!([
        ["order_id", "=", order],
        ["project_id", "!=", false],
        "|",
        "|",
        ["timesheet_invoice_id", "=", false],
        ["timesheet_invoice_id.state", "=", "cancel"],
        ["timesheet_invoice_id.payment_state", "=", "reversed"],
    ])
}

/// What is asked about one order.
struct Of<'a> {
    client: &'a OdooClient,
    order: i64,
}

impl Of<'_> {
    /// The records of a model that a domain names, in the order of their ids.
    async fn records(
        &self,
        model: &str,
        domain: Value,
        fields: &[impl AsRef<str>],
    ) -> Result<Vec<Map<String, Value>>, ConnectError> {
        let fields: Vec<&str> = fields.iter().map(AsRef::as_ref).collect();
        let arguments = object(json!({
            "domain": domain,
            "fields": fields,
            "order": "id",
            "limit": LIMIT + 1,
        }));
        let id = self.order.to_string();
        let about = About {
            model,
            external_id: &id,
        };
        let answer = self
            .client
            .value(about, "search_read", arguments, Kind::Read)
            .await?;
        let found = record::objects(answer);
        if found.len() > LIMIT {
            return Err(ConnectError::TooMany {
                system: self.client.system().to_owned(),
                what: format!("{ORDER} {}", self.order),
                kind: model.to_owned(),
            });
        }
        Ok(found)
    }

    /// Who buys, by law: the company of the person that the order may name.
    async fn customer(&self) -> Result<Value, ConnectError> {
        let id = self.order.to_string();
        let about = About {
            model: ORDER,
            external_id: &id,
        };
        let names: Vec<String> = fields::usual("res.partner").unwrap_or_default();
        let names: Vec<String> = names
            .iter()
            .map(|name| format!("partner_id.commercial_partner_id.{name}"))
            .collect();
        let specification = record::specification(&names.iter().collect::<Vec<_>>());
        let arguments = object(json!({"ids": [self.order], "specification": specification}));
        let answer = self
            .client
            .value(about, "web_read", arguments, Kind::Read)
            .await?;
        let found = answer.pointer("/0/partner_id/commercial_partner_id").cloned();
        Ok(found.unwrap_or_default())
    }

    /// The external ids of records, by Odoo's id; those that have none are left out.
    async fn names(&self, model: &str, ids: &[i64]) -> Result<Map<String, Value>, ConnectError> {
        if ids.is_empty() {
            return Ok(Map::new());
        }
        let id = self.order.to_string();
        let about = About {
            model,
            external_id: &id,
        };
        let arguments = object(json!({ "ids": ids }));
        let answer = self
            .client
            .value(about, "get_external_id", arguments, Kind::Read)
            .await?;
        let mut names = match answer {
            Value::Object(names) => names,
            _ => Map::new(),
        };
        names.retain(|_, name| name.as_str().is_some_and(|name| !name.is_empty()));
        Ok(names)
    }
}

fn ids(records: &[Map<String, Value>]) -> Vec<i64> {
    let ids = records.iter().filter_map(|record| record.get("id")?.as_i64());
    ids.collect()
}

/// The id of the unit that a record counts by.
fn unit(record: &Map<String, Value>) -> Option<i64> {
    record.get("product_uom_id")?.get(0)?.as_i64()
}
