//! What is approved in Odoo becomes a draft of an invoice there: priced by the order, taxed by the region's plugin, its
//! totals compared with Odoo's own to the cent, and each hour on one bill.

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Setup, World, odoo::Odoo, setup::ODOO_TOKEN};
use serde_json::json;

use crate::firm::{Bill, Firm, Sold};

/// A host that bills what is approved in this Odoo.
async fn world(odoo: &Odoo) -> Result<World> {
    let setup = Setup {
        bills: true,
        ..Setup::to_odoo(odoo)
    };
    World::start(setup).await
}

/// Waits for so many bills of an order that are all marked as ended.
async fn billed(world: &World, firm: &Firm<'_>, sold: &Sold, count: usize) -> Result<Vec<Bill>> {
    world
        .until(&format!("{count} bills of order {}", sold.order), async || {
            let bills = firm.bills(sold).await?;
            let ended = bills.iter().filter(|bill| !bill.origin.is_empty()).count();
            ensure!(bills.len() <= count, "too many bills: {bills:?}");
            Ok((ended == count).then_some(bills))
        })
        .await
}

/// Hints at an order, as Odoo's webhook does.
async fn hint(world: &World, sold: &Sold) -> Result<()> {
    let address = format!("http://{}/in/odoo-de/{ODOO_TOKEN}", world.host()?.ingress);
    let body = json!({"_model": "sale.order", "_id": sold.order});
    let hint = world
        .client
        .post(address)
        .header("content-type", "application/json");
    let answer = hint.body(body.to_string()).send().await?;
    ensure!(answer.status().is_success(), "not taken: {}", answer.status());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn approved_time_is_billed_once() -> Result<()> {
    let Some(odoo) = Odoo::fresh("bills")? else {
        return Ok(());
    };
    let firm = Firm::set_up(&odoo).await?;
    let world = world(&odoo).await?;
    let customer = firm.customer("Kunde GmbH", "de", "DE136695976").await?;
    let ada = firm.worker("Ada").await?;
    let lines = [("Senior", 100.0, 120.0)];
    let sold = firm
        .quote(customer, "delivered_timesheet", json!({}), &lines)
        .await?;
    firm.confirm(&sold).await?;
    let first = firm.time(&sold, 0, ada, "2026-10-05", 7.5).await?;
    let second = firm.time(&sold, 0, ada, "2026-10-06", 3.25).await?;
    firm.time(&sold, 0, ada, "2026-10-07", 4.0).await?;
    firm.approve(&[first, second]).await?;

    // 10.75 h at 120.00, and 19 % of 1290.00
    let bills = billed(&world, &firm, &sold, 1).await?;
    let bill = bills.first().context("no bill")?;
    assert_eq!(bill.state, "draft");
    assert_eq!(bill.totals, ["1290.00", "245.10", "1535.10"]);
    assert_eq!(bill.lines, [("Senior".into(), "10.75".into(), "120.00".into())]);
    assert_eq!(bill.time, 2);
    let origin = format!("{}/2026-10-06: 1290.00 + 245.10 = 1535.10 EUR", sold.order);
    assert_eq!(bill.origin, origin);

    // told of twice more: nothing is left to bill
    hint(&world, &sold).await?;
    hint(&world, &sold).await?;
    world
        .until("the hints are followed", async || {
            let messages = world.messages().await?;
            Ok((messages.len() >= 3 && messages.iter().all(|it| it.state.name() != "due")).then_some(()))
        })
        .await?;
    assert_eq!(firm.bills(&sold).await?, bills);
    world.verify().await
}

/// Both ways in which books may round, and what two lines of 0.25 h at 100.02 come to then.
async fn by_the_terms(rounding: &'static str, method: &str, odd: [&str; 3]) -> Result<()> {
    let Some(odoo) = Odoo::fresh(&format!("terms_{method}"))? else {
        return Ok(());
    };
    odoo.round("DE", method).await?;
    let firm = Firm::set_up(&odoo).await?;
    let setup = Setup {
        bills: true,
        rounding,
        ..Setup::to_odoo(&odoo)
    };
    let world = World::start(setup).await?;
    let german = firm.customer("Kunde GmbH", "de", "DE136695976").await?;
    let french = firm.customer("Client SARL", "fr", "FR23334175221").await?;
    let ada = firm.worker("Ada").await?;

    // time and material: two lines of 25.005 each
    let lines = [("Senior", 10.0, 100.02), ("Junior", 10.0, 100.02)];
    let by_time = firm
        .quote(german, "delivered_timesheet", json!({}), &lines)
        .await?;
    firm.confirm(&by_time).await?;
    let time = [
        firm.time(&by_time, 0, ada, "2026-10-05", 0.25).await?,
        firm.time(&by_time, 1, ada, "2026-10-05", 0.25).await?,
    ];
    firm.approve(&time).await?;
    let bill = billed(&world, &firm, &by_time, 1).await?.remove(0);
    assert_eq!(bill.totals, odd, "{bill:?}");

    // a customer in another state of the union owes the tax
    let abroad = firm
        .quote(french, "delivered_timesheet", json!({}), &lines)
        .await?;
    firm.confirm(&abroad).await?;
    let time = firm.time(&abroad, 0, ada, "2026-10-05", 7.5).await?;
    firm.approve(&[time]).await?;
    let bill = billed(&world, &firm, &abroad, 1).await?.remove(0);
    assert_eq!(bill.totals, ["750.15", "0.00", "750.15"], "{bill:?}");

    // hours in quarters, filled up to a minimum of 500.00: 0.6 h are 0.75 h, 75.02 rounded
    let own = json!({"x_terms": "quarters"});
    let minimum = firm
        .quote(german, "delivered_timesheet", own, &lines[..1])
        .await?;
    firm.confirm(&minimum).await?;
    let time = firm.time(&minimum, 0, ada, "2026-10-05", 0.6).await?;
    firm.approve(&[time]).await?;
    let bill = billed(&world, &firm, &minimum, 1).await?.remove(0);
    assert_eq!(bill.totals, ["500.00", "95.00", "595.00"], "{bill:?}");
    assert_eq!(
        bill.lines.first().map(|line| line.1.as_str()),
        Some("0.75"),
        "{bill:?}"
    );

    // capped at the 1000.00 of its line: 12 h are 200.00 too many, and nothing is left for 3 h more
    let own = json!({"x_billing": "capped"});
    let capped = firm
        .quote(german, "delivered_timesheet", own, &[("Senior", 10.0, 100.0)])
        .await?;
    firm.confirm(&capped).await?;
    let time = [
        firm.time(&capped, 0, ada, "2026-10-05", 8.0).await?,
        firm.time(&capped, 0, ada, "2026-10-06", 4.0).await?,
    ];
    firm.approve(&time).await?;
    let bill = billed(&world, &firm, &capped, 1).await?.remove(0);
    assert_eq!(bill.totals, ["1000.00", "190.00", "1190.00"], "{bill:?}");
    let more = firm.time(&capped, 0, ada, "2026-10-07", 3.0).await?;
    firm.approve(&[more]).await?;
    ended(&world, &capped, "the cap of 1000.00 EUR is reached").await?;
    billed(&world, &firm, &capped, 1).await?;

    // a fixed price by thirds: the last one takes what rounding has left of 1000.01
    let fixed = firm
        .quote(
            french,
            "delivered_milestones",
            json!({}),
            &[("Project", 1.0, 1000.01)],
        )
        .await?;
    firm.confirm(&fixed).await?;
    let mut milestones = Vec::new();
    for (name, share) in [("Design", 0.3333), ("Build", 0.3333), ("Launch", 0.3334)] {
        milestones.push(firm.milestone(&fixed, name, share).await?);
    }
    for (count, (milestone, amount)) in milestones.iter().zip(["333.30", "333.30", "333.41"]).enumerate() {
        firm.write("project.milestone", &[*milestone], json!({"is_reached": true}))
            .await?;
        let bill = billed(&world, &firm, &fixed, count + 1).await?.remove(count);
        assert_eq!(bill.totals, [amount, "0.00", amount], "{bill:?}");
        assert_eq!(bill.lines.len(), 1, "{bill:?}");
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_decide_what_is_billed_rounding_globally() -> Result<()> {
    by_the_terms("per-document", "round_globally", ["50.01", "9.50", "59.51"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_decide_what_is_billed_rounding_per_line() -> Result<()> {
    by_the_terms("per-line", "round_per_line", ["50.02", "9.50", "59.52"]).await
}

/// Waits until a message about an order has ended without a bill for a reason with this word.
async fn ended(world: &World, sold: &Sold, word: &str) -> Result<()> {
    let object = format!("sale.order/{}", sold.order);
    world
        .until(&format!("{object} ends with `{word}`"), async || {
            for status in world.messages().await? {
                if status.object == object && status.state.name() == "ignored" {
                    let reason = world.story(&status.id).await?.reason();
                    if reason.contains(word) {
                        return Ok(Some(()));
                    }
                }
            }
            Ok(None)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_before_its_order_is_billed_when_that_is_confirmed() -> Result<()> {
    let Some(odoo) = Odoo::fresh("bills_order")? else {
        return Ok(());
    };
    let firm = Firm::set_up(&odoo).await?;
    let world = world(&odoo).await?;
    let customer = firm.customer("Kunde GmbH", "de", "DE136695976").await?;
    let ada = firm.worker("Ada").await?;
    let lines = [("Senior", 100.0, 120.0)];
    let sold = firm
        .quote(customer, "delivered_timesheet", json!({}), &lines)
        .await?;
    // the later day first, and each in a message of its own
    for (day, hours) in [("2026-10-06", 3.25), ("2026-10-05", 7.5)] {
        let time = firm.time(&sold, 0, ada, day, hours).await?;
        firm.approve(&[time]).await?;
        hint(&world, &sold).await?;
    }
    ended(&world, &sold, "not confirmed").await?;
    assert_eq!(firm.bills(&sold).await?, []);

    firm.confirm(&sold).await?;
    let bill = billed(&world, &firm, &sold, 1).await?.remove(0);
    assert_eq!(bill.totals, ["1290.00", "245.10", "1535.10"]);
    assert_eq!(bill.lines.len(), 1, "{bill:?}");

    // a bill that is called off gives its hours free, and the next one has a name of its own
    firm.call("account.move", "button_cancel", json!({"ids": [bill.id]}))
        .await?;
    hint(&world, &sold).await?;
    let bills = billed(&world, &firm, &sold, 2).await?;
    let states: Vec<&str> = bills.iter().map(|bill| bill.state.as_str()).collect();
    assert_eq!(states, ["cancel", "draft"]);
    assert!(
        bills
            .iter()
            .all(|bill| bill.totals == ["1290.00", "245.10", "1535.10"]),
        "{bills:?}"
    );
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_that_odoo_computes_otherwise_is_held_with_the_difference() -> Result<()> {
    let Some(odoo) = Odoo::fresh("bills_held")? else {
        return Ok(());
    };
    let firm = Firm::set_up(&odoo).await?;
    let world = world(&odoo).await?;
    // somebody changes the rate of the tax: 20 % of 1290.00 are 12.90 more than 19 %
    let tax = firm.named("account.2_tax_ust_19_skr03").await?;
    firm.write("account.tax", &[tax], json!({"amount": 20.0})).await?;
    let customer = firm.customer("Kunde GmbH", "de", "DE136695976").await?;
    let ada = firm.worker("Ada").await?;
    let lines = [("Senior", 100.0, 120.0)];
    let sold = firm
        .quote(customer, "delivered_timesheet", json!({}), &lines)
        .await?;
    firm.confirm(&sold).await?;
    let time = firm.time(&sold, 0, ada, "2026-10-05", 10.75).await?;
    firm.approve(&[time]).await?;

    let object = format!("sale.order/{}", sold.order);
    let held = world
        .until("the bill is held", async || {
            let messages = world.messages().await?;
            Ok(messages
                .into_iter()
                .find(|it| it.object == object && it.state.name() == "parked"))
        })
        .await?;
    let reason = world.story(&held.id).await?.reason();
    for part in [
        "amount_tax=258.0",
        "amount_tax=245.10",
        "amount_total=1535.10",
        "found is 12.90 more in amount_tax, 12.90 more in amount_total",
    ] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    let bills = firm.bills(&sold).await?;
    let draft = bills.first().context("no draft")?;
    assert_eq!(
        (draft.state.as_str(), draft.origin.as_str(), bills.len()),
        ("draft", "", 1)
    );

    // put right, and the draft thrown away: the same message makes it anew
    firm.write("account.tax", &[tax], json!({"amount": 19.0})).await?;
    firm.call("account.move", "unlink", json!({"ids": [draft.id]}))
        .await?;
    world.operate(&["parked", "retry", held.id.as_str()]).await?;
    let bill = billed(&world, &firm, &sold, 1).await?.remove(0);
    assert_eq!(
        (bill.totals, bill.time),
        (["1290.00", "245.10", "1535.10"].map(str::to_owned), 1)
    );
    world.verify().await
}
