//! Orders and invoices, by `search_read`.
//!
//! Odoo computes in binary floats, so amounts are rounded to the digits of their currency, half away from zero, as it shows
//! them itself. Which company's records are seen is the context's business, as for every other call.

use async_trait::async_trait;
use iso_currency::Currency;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::{
    OdooClient,
    answer::Fault,
    changes::written,
    client::{About, Kind, object},
    state::decimal,
};
use crate::{
    ConnectError,
    books::{Books, Invoice, Order, OrderState, PAGE},
    line::Line,
};

const ORDER: &str = "sale.order";
const MOVE: &str = "account.move";

const OF_ORDERS: [&str; 6] = [
    "name",
    "state",
    "amount_untaxed",
    "currency_id",
    "invoice_ids",
    "write_date",
];

const OF_MOVES: [&str; 6] = [
    "name",
    "move_type",
    "amount_total",
    "amount_residual",
    "currency_id",
    "write_date",
];

/// A database whose books are compared.
pub struct OdooBooks {
    client: OdooClient,
    line: Line,
}

impl OdooBooks {
    pub(crate) fn new(client: OdooClient, line: Line) -> Self {
        Self { client, line }
    }

    async fn search<T>(
        &self,
        (model, fields): (&str, &[&str]),
        mut domain: Vec<Value>,
        after: Option<&str>,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, ConnectError> {
        if let Some(after) = after.and_then(number) {
            domain.push(json!(["id", ">", after]));
        }
        let about = About {
            model,
            external_id: "",
        };
        let query = object(json!({"domain": domain, "fields": fields, "order": "id", "limit": PAGE}));
        let turn = self.line.turn().await;
        let answer = self.client.value(about, "search_read", query, Kind::Read).await;
        turn.end(&answer);
        // one that is not understood must not be missing from a page, which would then look like the last one
        let all = match answer? {
            Value::Array(records) => records.iter().map(read).collect(),
            _ => None,
        };
        let what = || Fault::Strange("another answer than `search_read` gives".to_owned());
        all.ok_or_else(|| self.client.error(what(), about, Kind::Read))
    }

    async fn orders_where(
        &self,
        domain: Vec<Value>,
        after: Option<&str>,
    ) -> Result<Vec<Order>, ConnectError> {
        self.search((ORDER, &OF_ORDERS), domain, after, order).await
    }

    async fn moves_where(
        &self,
        mut domain: Vec<Value>,
        after: Option<&str>,
    ) -> Result<Vec<Invoice>, ConnectError> {
        domain.push(json!(["move_type", "in", ["out_invoice", "out_refund"]]));
        domain.push(json!(["state", "=", "posted"]));
        self.search((MOVE, &OF_MOVES), domain, after, invoice).await
    }
}

#[async_trait]
impl Books for OdooBooks {
    async fn orders_of(
        &self,
        (from, to): (Timestamp, Timestamp),
        after: Option<&str>,
    ) -> Result<Vec<Order>, ConnectError> {
        let domain = vec![
            json!(["date_order", ">=", moment(from)]),
            json!(["date_order", "<", moment(to)]),
        ];
        self.orders_where(domain, after).await
    }

    async fn orders(&self, ids: &[String]) -> Result<Vec<Order>, ConnectError> {
        self.orders_where(vec![json!(["id", "in", numbers(ids)])], None)
            .await
    }

    async fn billed(&self, invoices: &[String]) -> Result<Vec<Order>, ConnectError> {
        let mut all: Vec<Order> = Vec::new();
        loop {
            let after = all.last().map(|order| order.id.clone());
            let domain = vec![json!(["invoice_ids", "in", numbers(invoices)])];
            let page = self.orders_where(domain, after.as_deref()).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    async fn invoices_of(
        &self,
        (from, to): (Date, Date),
        after: Option<&str>,
    ) -> Result<Vec<Invoice>, ConnectError> {
        let domain = vec![
            json!(["invoice_date", ">=", from.to_string()]),
            json!(["invoice_date", "<", to.to_string()]),
        ];
        self.moves_where(domain, after).await
    }

    async fn invoices(&self, ids: &[String]) -> Result<Vec<Invoice>, ConnectError> {
        self.moves_where(vec![json!(["id", "in", numbers(ids)])], None)
            .await
    }
}

/// A moment as Odoo compares it: UTC, to the second.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

fn number(id: &str) -> Option<i64> {
    id.parse().ok()
}

fn numbers(ids: &[String]) -> Vec<i64> {
    ids.iter().filter_map(|id| number(id)).collect()
}

fn order(record: &Value) -> Option<Order> {
    let currency = currency(record)?;
    let invoices = record.get("invoice_ids").and_then(Value::as_array);
    Some(Order {
        id: record.get("id")?.as_i64()?.to_string(),
        name: text(record, "name"),
        state: match record.get("state")?.as_str()? {
            "sale" | "done" => OrderState::Confirmed,
            "cancel" => OrderState::Cancelled,
            _ => OrderState::Draft,
        },
        net: amount(record, "amount_untaxed", &currency)?,
        currency,
        changed: written(record),
        invoices: invoices
            .into_iter()
            .flatten()
            .filter_map(Value::as_i64)
            .map(|id| id.to_string())
            .collect(),
    })
}

fn invoice(record: &Value) -> Option<Invoice> {
    let currency = currency(record)?;
    let signed = |amount: Decimal| match record.get("move_type").and_then(Value::as_str) {
        Some("out_refund") => -amount,
        _ => amount,
    };
    Some(Invoice {
        id: record.get("id")?.as_i64()?.to_string(),
        name: text(record, "name"),
        gross: signed(amount(record, "amount_total", &currency)?),
        residual: signed(amount(record, "amount_residual", &currency)?),
        currency,
        changed: written(record),
    })
}

/// The code of a record's currency, which Odoo shows as `[id, code]`.
fn currency(record: &Value) -> Option<String> {
    let pair = record.get("currency_id")?.as_array()?;
    Some(pair.get(1)?.as_str()?.to_owned())
}

/// An amount at the digits of its currency; at two, where nobody knows it.
fn amount(record: &Value, field: &str, currency: &str) -> Option<Decimal> {
    let digits = Currency::from_code(currency)
        .and_then(Currency::exponent)
        .unwrap_or(2);
    let amount = decimal(record.get(field)?)?;
    Some(amount.round_dp_with_strategy(digits.into(), RoundingStrategy::MidpointAwayFromZero))
}

fn text(record: &Value, field: &str) -> String {
    let text = record.get(field).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_those_that_odoo_shows() {
        for (float, currency, shown) in [
            (json!(3.529_999_999_999_999_4), "EUR", "3.53"),
            (json!(1234.0), "JPY", "1234"),
            (json!(0.1255), "BHD", "0.126"),
            (json!(119.0), "EUR", "119"),
        ] {
            let record = json!({"amount": float});
            let found = amount(&record, "amount", currency).unwrap();
            assert_eq!(found, shown.parse().unwrap(), "{float} {currency}");
        }
    }

    #[test]
    fn a_credit_note_takes_away() {
        let note = |kind: &str| {
            json!({"id": 7, "name": "RINV/7", "move_type": kind, "amount_total": 11.9, "amount_residual": 1.9,
                "currency_id": [1, "EUR"], "write_date": "2026-11-21 22:42:02"})
        };
        let amounts = |kind| {
            let invoice = invoice(&note(kind)).unwrap();
            (invoice.gross.to_string(), invoice.residual.to_string())
        };
        assert_eq!(amounts("out_invoice"), ("11.9".to_owned(), "1.9".to_owned()));
        assert_eq!(amounts("out_refund"), ("-11.9".to_owned(), "-1.9".to_owned()));
    }
}
