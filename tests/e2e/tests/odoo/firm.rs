//! What the people of a firm do in Odoo, as administrators of its German company: sell, work, approve, reach.

use anyhow::{Context as _, Result};
use cambist_e2e::odoo::Odoo;
use serde_json::{Value, json};

/// A firm that bills services.
pub(crate) struct Firm<'a> {
    odoo: &'a Odoo,
    company: u64,
}

/// An order with the project that delivers it.
#[derive(Clone, Debug)]
pub(crate) struct Sold {
    /// The order.
    pub(crate) order: u64,
    /// Its lines.
    pub(crate) lines: Vec<u64>,
    /// The project.
    pub(crate) project: u64,
}

/// A bill as Odoo has it.
#[derive(Debug, PartialEq)]
pub(crate) struct Bill {
    /// Odoo's id of it.
    pub(crate) id: u64,
    /// `draft`, `posted` or `cancel`.
    pub(crate) state: String,
    /// Net, tax and total, with two digits.
    pub(crate) totals: [String; 3],
    /// Where it comes from; empty where it is not marked as ended.
    pub(crate) origin: String,
    /// Text, quantity and price of each line.
    pub(crate) lines: Vec<(String, String, String)>,
    /// How many pieces of time stand on it.
    pub(crate) time: usize,
}

/// The id in an answer: of the only one that was made.
fn first(answer: &Value) -> Result<u64> {
    let id = answer.as_array().and_then(|ids| ids.first()).unwrap_or(answer);
    id.as_u64().context("no id")
}

impl<'a> Firm<'a> {
    /// What the README asks for: fields of the firm's own, and the rights of the integration's user.
    pub(crate) async fn set_up(odoo: &'a Odoo) -> Result<Self> {
        let company = odoo.fact("COMPANY_DE").parse()?;
        let firm = Self { odoo, company };
        firm.field("account.analytic.line", "x_approved", "boolean")
            .await?;
        firm.field("sale.order", "x_billing", "char").await?;
        firm.field("sale.order", "x_terms", "char").await?;
        firm.field("sale.order", "x_cap", "float").await?;
        let login = json!([["login", "=", odoo.fact("LOGIN")]]);
        let user = first(
            &odoo
                .call("res.users", "search", json!({ "domain": login }))
                .await?,
        )?;
        let mut groups = Vec::new();
        for right in [
            "account.group_account_invoice",
            "hr_timesheet.group_hr_timesheet_approver",
        ] {
            groups.push(json!([4, firm.named(right).await?]));
        }
        firm.write("res.users", &[user], json!({ "group_ids": groups }))
            .await?;
        Ok(firm)
    }

    /// Calls a method in the German company.
    pub(crate) async fn call(&self, model: &str, method: &str, mut body: Value) -> Result<Value> {
        if let Some(body) = body.as_object_mut() {
            body.insert(
                "context".to_owned(),
                json!({"allowed_company_ids": [self.company]}),
            );
        }
        self.odoo.call(model, method, body).await
    }

    pub(crate) async fn create(&self, model: &str, values: Value) -> Result<u64> {
        first(&self.call(model, "create", json!({ "vals_list": values })).await?)
    }

    pub(crate) async fn write(&self, model: &str, ids: &[u64], values: Value) -> Result<()> {
        self.call(model, "write", json!({"ids": ids, "vals": values}))
            .await?;
        Ok(())
    }

    /// Odoo's id of a record with an external id.
    pub(crate) async fn named(&self, external_id: &str) -> Result<u64> {
        let (module, name) = external_id.split_once('.').context("no dot")?;
        let body = json!({"module": module, "xml_id": name});
        let found = self.call("ir.model.data", "check_object_reference", body).await?;
        found.get(1).and_then(Value::as_u64).context("no such record")
    }

    async fn field(&self, model: &str, name: &str, kind: &str) -> Result<()> {
        let of = json!({"domain": [["model", "=", model]]});
        let model = first(&self.odoo.call("ir.model", "search", of).await?)?;
        let values = json!({"model_id": model, "name": name, "ttype": kind, "field_description": name});
        self.create("ir.model.fields", values).await?;
        Ok(())
    }

    /// A customer, by country and tax number.
    pub(crate) async fn customer(&self, name: &str, country: &str, vat: &str) -> Result<u64> {
        let country = self.named(&format!("base.{country}")).await?;
        let values = json!({"name": name, "is_company": true, "country_id": country, "vat": vat});
        self.create("res.partner", values).await
    }

    /// Somebody who works.
    pub(crate) async fn worker(&self, name: &str) -> Result<u64> {
        self.create("hr.employee", json!({"name": name, "company_id": self.company}))
            .await
    }

    /// An order, as a quotation, with a project; each line with its text, quantity and price, and how it may be invoiced:
    /// `delivered_timesheet` or `delivered_milestones`.
    pub(crate) async fn quote(
        &self,
        customer: u64,
        policy: &str,
        own: Value,
        lines: &[(&str, f64, f64)],
    ) -> Result<Sold> {
        let unit = match policy {
            "delivered_timesheet" => "uom.product_uom_hour",
            _ => "uom.product_uom_unit",
        };
        let product = json!({
            "name": "Services", "type": "service", "service_policy": policy, "service_tracking": "no",
            "uom_id": self.named(unit).await?,
        });
        let product = self.create("product.product", product).await?;
        let lines: Vec<Value> = lines
            .iter()
            .map(|(name, quantity, price)| {
                json!([0, 0, {
                    "product_id": product, "name": name, "product_uom_qty": quantity, "price_unit": price,
                }])
            })
            .collect();
        let mut order = json!({
            "partner_id": customer, "order_line": lines,
            "pricelist_id": self.named("testbed.pricelist_eur").await?,
        });
        if let (Some(order), Some(own)) = (order.as_object_mut(), own.as_object()) {
            order.extend(own.clone());
        }
        let order = self.create("sale.order", order).await?;
        let found = self
            .odoo
            .records("sale.order.line", json!([["order_id", "=", order]]), &["id"])
            .await?;
        let lines: Vec<u64> = found.iter().filter_map(|line| line.get("id")?.as_u64()).collect();
        let project = json!({
            "name": "Delivery", "partner_id": customer, "allow_billable": true, "allow_timesheets": true,
            "allow_milestones": true,
        });
        let project = self.create("project.project", project).await?;
        Ok(Sold {
            order,
            lines,
            project,
        })
    }

    /// Confirms an order, and has its project deliver it: Odoo confirms an order itself that a project is tied to.
    pub(crate) async fn confirm(&self, sold: &Sold) -> Result<()> {
        self.call("sale.order", "action_confirm", json!({"ids": [sold.order]}))
            .await?;
        let line = json!({"sale_line_id": sold.lines.first()});
        self.write("project.project", &[sold.project], line).await
    }

    /// Time on a line of an order, not approved.
    pub(crate) async fn time(
        &self,
        sold: &Sold,
        line: usize,
        worker: u64,
        day: &str,
        hours: f64,
    ) -> Result<u64> {
        let line = sold.lines.get(line).context("no such line")?;
        let values = json!({
            "project_id": sold.project, "so_line": line, "is_so_line_edited": true, "employee_id": worker, "date": day,
            "unit_amount": hours, "name": format!("Work of {day}"),
        });
        self.create("account.analytic.line", values).await
    }

    /// Approves time, all of it at once.
    pub(crate) async fn approve(&self, time: &[u64]) -> Result<()> {
        self.write("account.analytic.line", time, json!({"x_approved": true}))
            .await
    }

    /// A milestone of an order's first line, not reached.
    pub(crate) async fn milestone(&self, sold: &Sold, name: &str, share: f64) -> Result<u64> {
        let values = json!({
            "name": name, "project_id": sold.project, "sale_line_id": sold.lines.first(),
            "quantity_percentage": share,
        });
        self.create("project.milestone", values).await
    }

    /// The bills of an order, the oldest first.
    pub(crate) async fn bills(&self, sold: &Sold) -> Result<Vec<Bill>> {
        let domain = json!([["line_ids.sale_line_ids.order_id", "=", sold.order]]);
        let fields = [
            "state",
            "amount_untaxed",
            "amount_tax",
            "amount_total",
            "invoice_origin",
            "timesheet_ids",
        ];
        let mut bills = Vec::new();
        for record in self.odoo.records("account.move", domain, &fields).await? {
            let id = record.get("id").and_then(Value::as_u64).context("no id")?;
            let domain = json!([["move_id", "=", id], ["display_type", "=", "product"]]);
            let lines = self
                .odoo
                .records("account.move.line", domain, &["name", "quantity", "price_unit"])
                .await?;
            let text = |record: &Value, field: &str| {
                record
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let number = |record: &Value, field: &str| {
                format!(
                    "{:.2}",
                    record.get(field).and_then(Value::as_f64).unwrap_or_default()
                )
            };
            bills.push(Bill {
                id,
                state: text(&record, "state"),
                totals: ["amount_untaxed", "amount_tax", "amount_total"].map(|field| number(&record, field)),
                origin: text(&record, "invoice_origin"),
                lines: lines
                    .iter()
                    .map(|line| {
                        (
                            text(line, "name"),
                            number(line, "quantity"),
                            number(line, "price_unit"),
                        )
                    })
                    .collect(),
                time: record
                    .get("timesheet_ids")
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len),
            });
        }
        Ok(bills)
    }
}
