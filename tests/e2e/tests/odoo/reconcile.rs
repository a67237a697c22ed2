//! Both sides compared: nothing differs where nothing went wrong, and what did is named, and nothing else.

use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Deal, Setup, World, odoo::Odoo, setup::RECONCILE};
use serde_json::{Value, json};

use crate::books::{Clerk, told};

/// The month in which all deals were closed.
const MONTH: &str = "2026-11";

/// The reports of a run, by what it printed, and its exit code.
fn reports(output: &Output) -> Result<(i32, Vec<Value>)> {
    let text = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    let reports = serde_json::from_str(&text).with_context(|| format!("no reports: {text}{told}"))?;
    Ok((output.status.code().unwrap_or(-1), reports))
}

async fn reconcile(world: &World) -> Result<(i32, Value)> {
    let output = world
        .cambist(&["reconcile", "--json", "--region", "de", "--period", MONTH])
        .await?;
    let (code, mut reports) = reports(&output)?;
    ensure!(reports.len() == 1, "{reports:?}");
    Ok((code, reports.remove(0)))
}

/// What is named as differing: of what, in which way, and the deal.
fn named(report: &Value) -> Vec<String> {
    let differing = report.get("differing").and_then(Value::as_array);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("-").to_owned();
    let mut all: Vec<String> = differing
        .into_iter()
        .flatten()
        .map(|it| {
            let why = text(it.pointer("/why/state"));
            [
                text(it.get("what")),
                text(it.get("kind")),
                text(it.pointer("/deal/id")),
                why,
            ]
            .join(" ")
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_is_named_and_nothing_else() -> Result<()> {
    let Some(odoo) = Odoo::fresh("reconcile")? else {
        return Ok(());
    };
    let setup = Setup {
        back: true,
        reconcile: RECONCILE,
        ..Setup::to_odoo(&odoo)
    };
    let world = World::start(setup).await?;
    let deals: Vec<Deal> = (61..68).map(Deal::german).collect();
    world.won(&deals).await?;
    for deal in &deals {
        world.wait(deal, "done").await?.done_once()?;
    }
    let clerk = Clerk {
        odoo: &odoo,
        company: odoo.fact("COMPANY_DE").parse()?,
    };
    let [lowered, cancelled, gone, billed, paid, lost, _] = deals.as_slice() else {
        anyhow::bail!("seven deals");
    };

    let (one, number, total) = clerk.bill(clerk.order(paid).await?, 30).await?;
    clerk.pay(one).await?;
    let money = |amount: f64| format!("{amount:.2}");
    told(
        &world,
        "deals",
        &paid.id.to_string(),
        "amount_paid",
        &money(total),
    )
    .await?;
    told(&world, "deals", &paid.id.to_string(), "invoice_numbers", &number).await?;
    world.settled().await?;
    let (code, report) = reconcile(&world).await?;
    assert_eq!((code, named(&report)), (0, Vec::new()), "{report}");
    // seven deals of 10 h at 120.50 and a workshop at 845.00; 30 % of one of them with 19 % VAT
    let side = |count: u64, sum: &str| json!({"count": count, "sum": sum});
    let of = |what: &str, count: u64, sum: &str| json!({"what": what, "currency": "EUR", "crm": side(count, sum), "erp": side(count, sum)});
    let sums: Vec<Value> = serde_json::from_value(report.get("sums").cloned().unwrap_or_default())?;
    let normal = |sums: &[Value]| -> Result<Vec<Value>> {
        let mut sums = sums.to_vec();
        for pointer in ["/crm/sum", "/erp/sum"] {
            for sum in &mut sums {
                let slot = sum.pointer_mut(pointer).context("no sum")?;
                let exact: rust_decimal::Decimal = slot.as_str().context("no text")?.parse()?;
                *slot = json!(exact.normalize().to_string());
            }
        }
        Ok(sums)
    };
    assert_eq!(
        normal(&sums)?,
        [
            of("orders", 7, "14350"),
            of("invoices", 1, "731.85"),
            of("payments", 1, "731.85")
        ]
    );

    world.reconciled().await?;

    // a price is changed in Odoo, an order is called off there, one is deleted, one is made by hand
    let order = clerk.order(lowered).await?;
    let line = odoo
        .records(
            "sale.order.line",
            json!([["order_id", "=", order], ["price_unit", "=", 845.0]]),
            &["id"],
        )
        .await?;
    let line = line.first().and_then(|line| line.get("id")).cloned();
    let vals = json!({"ids": [line], "vals": {"price_unit": 800.0}});
    clerk.call("sale.order.line", "write", vals, json!({})).await?;
    for deal in [cancelled, gone] {
        let order = clerk.order(deal).await?;
        let quietly = json!({"disable_cancel_warning": true});
        clerk
            .call("sale.order", "action_cancel", json!({"ids": [order]}), quietly)
            .await?;
    }
    let order = clerk.order(gone).await?;
    clerk
        .call("sale.order", "unlink", json!({"ids": [order]}), json!({}))
        .await?;
    let copied = clerk.order(billed).await?;
    let copy = clerk
        .call("sale.order", "copy", json!({"ids": [copied]}), json!({}))
        .await?;
    let copy = crate::books::first(&copy)?;
    clerk
        .call("sale.order", "action_confirm", json!({"ids": [copy]}), json!({}))
        .await?;
    let vals = json!({"ids": [copy], "vals": {"date_order": "2026-11-15 12:00:00"}});
    clerk.call("sale.order", "write", vals, json!({})).await?;
    // HubSpot loses a property, so that a bill cannot be told; a deal is lost after all; one is parked
    world.hubspot.properties("deals", &["project_status"]);
    clerk.bill(clerk.order(billed).await?, 20).await?;
    let mut objects = world.hubspot.objects("deals");
    let mut deal = objects.remove(&lost.id.to_string()).context("no deal")?;
    if let Some(stage) = deal.pointer_mut("/properties/dealstage") {
        *stage = json!("closedlost");
    }
    world.hubspot.put("deals", &lost.id.to_string(), deal);
    let order = clerk.order(lost).await?;
    let vals = json!({"ids": [order], "vals": {"date_order": "2026-11-15 12:00:00"}});
    clerk.call("sale.order", "write", vals, json!({})).await?;
    let nowhere = Deal::german(69).customer("Narnia", "", json!({}));
    world.won(std::slice::from_ref(&nowhere)).await?;
    world.wait(&nowhere, "parked").await?;
    world
        .until("the bill cannot be told", async || {
            let all = world.messages().await?;
            let is_parked = |it: &&cambist_journal::Status| {
                it.state.name() == "parked" && it.object.starts_with("account.move/")
            };
            Ok(all.iter().find(is_parked).map(drop))
        })
        .await?;

    let (code, report) = reconcile(&world).await?;
    let id = |deal: &Deal| deal.id.to_string();
    let mut expected = vec![
        format!("orders amount {} -", id(lowered)),
        format!("orders cancelled {} -", id(cancelled)),
        format!("orders gone {} -", id(gone)),
        "orders no-deal - -".to_owned(),
        format!("orders not-won {} -", id(lost)),
        format!("orders not-written {} parked", id(&nowhere)),
        format!("invoices not-told {} parked", id(billed)),
    ];
    expected.sort();
    assert_eq!((code, named(&report)), (1, expected), "{report}");
    world.verify().await
}
