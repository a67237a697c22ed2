//! What must be in Odoo of a deal, asked of Odoo itself.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Deal, World, odoo::Odoo};
use serde_json::{Value, json};

/// Models that a deal makes records of.
const MODELS: [&str; 6] = [
    "res.partner",
    "product.product",
    "sale.order",
    "sale.order.line",
    "project.project",
    "project.milestone",
];

/// All that a resend could change: how many records there are of each model, ours
/// or not, and the ids behind our names.
pub(crate) async fn picture(
    odoo: &Odoo,
) -> Result<(BTreeMap<&'static str, u64>, BTreeMap<String, Vec<(String, u64)>>)> {
    let mut counts = BTreeMap::new();
    for model in MODELS {
        counts.insert(model, odoo.count(model).await?);
    }
    Ok((counts, odoo.ours().await?))
}

/// That a deal is in Odoo exactly once: customer, contact, confirmed order with
/// its lines, project, milestones.
pub(crate) async fn exactly_once(odoo: &Odoo, deal: &Deal) -> Result<()> {
    let name = deal
        .company
        .get("legal_name")
        .and_then(Value::as_str)
        .context("no name")?;
    let one = |what: &str, found: &[Value]| -> Result<Value> {
        ensure!(found.len() == 1, "{}: {} of {what}", deal.object(), found.len());
        found.first().cloned().context("none")
    };
    let partner = odoo
        .records("res.partner", json!([["name", "=", name]]), &["id", "child_ids"])
        .await?;
    let partner = one("the partner", &partner)?;
    let people = partner
        .get("child_ids")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    ensure!(people == 1, "{}: {people} contacts", deal.object());

    let of_partner = json!([["partner_id", "=", partner.get("id")]]);
    let orders = odoo
        .records("sale.order", of_partner.clone(), &["id", "state", "order_line"])
        .await?;
    let order = one("the order", &orders)?;
    ensure!(
        order.get("state") == Some(&"sale".into()),
        "{}: not confirmed",
        deal.object()
    );
    let lines = order
        .get("order_line")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    ensure!(lines == deal.lines.len(), "{}: {lines} lines", deal.object());

    let projects = odoo
        .records("project.project", of_partner, &["id", "milestone_ids"])
        .await?;
    let project = one("the project", &projects)?;
    let milestones = project
        .get("milestone_ids")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    ensure!(milestones == 2, "{}: {milestones} milestones", deal.object());
    Ok(())
}

/// That every message is done, and each deal is in Odoo exactly once.
pub(crate) async fn all_exactly_once(world: &World, odoo: &Odoo, deals: &[Deal]) -> Result<()> {
    for story in world.settled().await? {
        story.done_once()?;
    }
    for deal in deals {
        exactly_once(odoo, deal).await?;
    }
    world.verify().await
}
