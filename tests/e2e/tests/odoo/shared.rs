//! Deals of one customer, won at the same moment: each is a message of its own, and
//! nothing but Odoo stands between two that write the same partner.

use anyhow::{Result, ensure};
use cambist_e2e::{Deal, Setup, World, odoo::Odoo, sender};
use serde_json::{Value, json};

use crate::witness::picture;

#[tokio::test(flavor = "multi_thread")]
async fn deals_of_one_customer_at_once_make_one_partner_and_an_order_each() -> Result<()> {
    let Some(odoo) = Odoo::fresh("shared")? else {
        return Ok(());
    };
    let world = World::start(Setup::to_odoo(&odoo)).await?;
    let first = Deal::german(21);
    let mut deals = vec![first.clone()];
    deals.extend((22..29).map(|id| Deal::german(id).customer_of(&first)));
    world.won(&deals).await?;
    each_once(&world, &odoo, &deals).await?;
    let before = picture(&odoo).await?;

    // again, from the last to the first, as new messages
    let events: Vec<_> = deals.iter().rev().map(|deal| sender::won(deal.id, 2)).collect();
    assert_eq!(world.post(&events).await?, 202);
    each_once(&world, &odoo, &deals).await?;
    assert_eq!(picture(&odoo).await?, before);
    Ok(())
}

/// One partner with one contact below it; for each deal an order of its own lines
/// and a project.
async fn each_once(world: &World, odoo: &Odoo, deals: &[Deal]) -> Result<()> {
    for story in world.settled().await? {
        story.done_once()?;
    }
    let name = deals.first().and_then(|deal| deal.company.get("legal_name"));
    let partners = odoo
        .records("res.partner", json!([["name", "=", name]]), &["id", "child_ids"])
        .await?;
    let [partner] = partners.as_slice() else {
        anyhow::bail!("{} partners", partners.len());
    };
    ensure!(count(partner, "child_ids") == 1, "contacts: {partner}");
    let of_partner = json!([["partner_id", "=", partner.get("id")]]);
    let orders = odoo
        .records("sale.order", of_partner.clone(), &["state", "order_line"])
        .await?;
    ensure!(orders.len() == deals.len(), "{} orders", orders.len());
    for order in &orders {
        ensure!(
            order.get("state") == Some(&"sale".into()),
            "not confirmed: {order}"
        );
        ensure!(count(order, "order_line") == 2, "lines: {order}");
    }
    let projects = odoo
        .records("project.project", of_partner, &["milestone_ids"])
        .await?;
    ensure!(projects.len() == deals.len(), "{} projects", projects.len());
    for project in &projects {
        ensure!(count(project, "milestone_ids") == 2, "milestones: {project}");
    }
    world.verify().await
}

fn count(record: &Value, field: &str) -> usize {
    record.get(field).and_then(Value::as_array).map_or(0, Vec::len)
}
