//! A deal that is amended after its order was confirmed: people decide, and until
//! then Odoo keeps what was agreed on.

use anyhow::{Context as _, Result};
use cambist_e2e::{Deal, Setup, Story, World, odoo::Odoo, sender};
use serde_json::{Value, json};

/// The only order, with its state, its total and its lines.
async fn order(odoo: &Odoo) -> Result<Value> {
    let fields = ["state", "amount_total", "order_line"];
    let orders = odoo.records("sale.order", json!([]), &fields).await?;
    orders.into_iter().next().context("no order")
}

fn total(order: &Value) -> Option<&Value> {
    order.get("amount_total")
}

/// Tells the host that a deal has changed, and gives what became of that.
async fn change(world: &World, deal: &Deal, event: u64) -> Result<Story> {
    world.know(std::slice::from_ref(deal));
    assert_eq!(world.post(&[sender::won(deal.id, event)]).await?, 202);
    world.settled().await?;
    world.stories(deal).await?.pop().context("no message")
}

/// Sets the order back to a quotation, as people do in Odoo.
async fn reopen(odoo: &Odoo) -> Result<()> {
    let ids = json!({"ids": [order(odoo).await?.get("id")]});
    odoo.call("sale.order", "action_cancel", ids.clone()).await?;
    odoo.call("sale.order", "action_draft", ids).await?;
    Ok(())
}

async fn replay(world: &World, story: &Story) -> Result<Story> {
    world.operate(&["replay", story.id()]).await?;
    world.settled().await?;
    world.story(&story.0.message.id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_order_waits_for_people_when_its_deal_is_amended() -> Result<()> {
    let Some(odoo) = Odoo::fresh("amended")? else {
        return Ok(());
    };
    let world = World::start(Setup::to_odoo(&odoo)).await?;
    let mut deal = Deal::german(41);
    world.won(std::slice::from_ref(&deal)).await?;
    world.wait(&deal, "done").await?.done_once()?;
    let agreed = order(&odoo).await?;
    assert_eq!(total(&agreed), Some(&json!(2439.5)));

    // 10 x 140.00 + 845.00 at 19 %: 2671.55
    let price = json!({"name": "Implementation", "quantity": "10", "price": "140.00", "hs_sku": "IMPL"});
    let before = std::mem::replace(deal.lines.first_mut().context("no line")?, price);
    let parked = change(&world, &deal, 2).await?;
    assert_eq!(parked.state(), "parked", "{}", parked.reason());
    for amount in ["2439.50 EUR", "2671.55 EUR"] {
        assert!(
            parked.reason().contains(amount),
            "both are shown: {}",
            parked.reason()
        );
    }
    assert_eq!(order(&odoo).await?, agreed, "nothing was written to the order");

    // the one way out: people open the order again
    reopen(&odoo).await?;
    let story = replay(&world, &parked).await?;
    assert_eq!(story.state(), "done", "{}", story.reason());
    let amended = order(&odoo).await?;
    assert_eq!(total(&amended), Some(&json!(2671.55)));
    assert_eq!(amended.get("state"), Some(&json!("sale")));

    // a line that the deal has no longer: not in the confirmed order, and not in the draft either
    let removed = deal.lines.pop().context("no line")?;
    let parked = change(&world, &deal, 3).await?;
    assert_eq!(parked.state(), "parked", "{}", parked.reason());
    reopen(&odoo).await?;
    let parked = replay(&world, &parked).await?;
    assert_eq!(parked.state(), "parked", "{}", parked.reason());
    assert!(parked.reason().contains("2671.55"), "Odoo's: {}", parked.reason());
    assert!(
        parked.reason().contains("1666.00"),
        "the deal's: {}",
        parked.reason()
    );

    // the other way out: the deal is put back as it was
    deal.lines = vec![before, removed];
    world.know(std::slice::from_ref(&deal));
    let story = replay(&world, &parked).await?;
    assert_eq!(story.state(), "done", "{}", story.reason());
    assert_eq!(total(&order(&odoo).await?), Some(&json!(2439.5)));
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_changed_in_odoo_waits_for_people() -> Result<()> {
    let Some(odoo) = Odoo::fresh("changed")? else {
        return Ok(());
    };
    let world = World::start(Setup::to_odoo(&odoo)).await?;
    let deal = Deal::german(42);
    world.won(std::slice::from_ref(&deal)).await?;
    world.wait(&deal, "done").await?.done_once()?;
    let line = json!({"order_id": order(&odoo).await?.get("id"), "name": "Travel", "price_unit": 100,
        "tax_ids": [[5, 0, 0]], "product_id": product(&odoo).await?});
    odoo.call("sale.order.line", "create", json!({"vals_list": [line]}))
        .await?;
    let parked = change(&world, &deal, 2).await?;
    assert_eq!(parked.state(), "parked", "{}", parked.reason());
    for amount in ["2439.50", "2539.5"] {
        assert!(
            parked.reason().contains(amount),
            "both are shown: {}",
            parked.reason()
        );
    }
    world.verify().await
}

async fn product(odoo: &Odoo) -> Result<Option<Value>> {
    let products = odoo
        .records("product.product", json!([["default_code", "=", "WORK"]]), &["id"])
        .await?;
    Ok(products.first().and_then(|product| product.get("id").cloned()))
}
