//! Replays on a real Odoo: where nothing differs nothing is written, and a record there leads back
//! to everything that made it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Deal, Setup, World, odoo::Odoo};
use serde_json::{Value, json};

/// When each record of ours was last written, by Odoo's own word: `write_date` has microseconds
/// there, and changes with every write, also of the same values.
async fn written(odoo: &Odoo) -> Result<BTreeMap<(String, u64), Value>> {
    let mut written = BTreeMap::new();
    for (model, named) in odoo.ours().await? {
        let ids: Vec<u64> = named.iter().map(|(_, id)| *id).collect();
        let found = odoo
            .records(&model, json!([["id", "in", ids]]), &["write_date", "write_uid"])
            .await?;
        for record in found {
            let id = record.get("id").and_then(Value::as_u64).context("no id")?;
            written.insert((model.clone(), id), record);
        }
    }
    Ok(written)
}

async fn told(world: &World, arguments: &[&str]) -> Result<Value> {
    let output = world.cambist(arguments).await?;
    let refused = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "refused: {refused}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_for_real_writes_nothing_where_nothing_differs() -> Result<()> {
    let Some(odoo) = Odoo::fresh("replay")? else {
        return Ok(());
    };
    let world = World::start(Setup::to_odoo(&odoo)).await?;
    let mut deals = [
        Deal::german(21),
        Deal::french(22),
        Deal::gujarati(23),
        Deal::american(24),
    ];
    world.won(&deals).await?;
    for deal in &deals {
        world.wait(deal, "done").await?.done_once()?;
    }
    let before = written(&odoo).await?;
    ensure!(before.len() > 20, "only {} records are ours", before.len());

    let order = ["replay", "--state", "done", "--why", "month-end", "--json"];
    let replay = told(&world, &order).await?;
    let came_to = replay.pointer("/progress/came-to");
    assert_eq!(came_to, Some(&json!({"unchanged": deals.len()})), "{replay}");
    assert_eq!(written(&odoo).await?, before, "nothing was written");

    // one deal is another now: that alone is written
    let renamed = deals.last_mut().context("no deal")?;
    *renamed = renamed.clone().with(json!({"dealname": "Another name"}));
    world.know(std::slice::from_ref(renamed));
    let dry = told(&world, &["replay", "--dry", "--json"]).await?;
    assert_eq!(dry.pointer("/progress/report/differ"), Some(&json!(0)), "{dry}");
    let replay = told(&world, &order).await?;
    let came_to = replay.pointer("/progress/came-to");
    assert_eq!(
        came_to,
        Some(&json!({"unchanged": deals.len() - 1, "written": 1})),
        "{replay}"
    );
    let after = written(&odoo).await?;
    let changed: Vec<_> = before
        .iter()
        .filter(|(record, date)| after.get(record) != Some(date))
        .collect();
    ensure!(!changed.is_empty() && changed.len() < 8, "{changed:?}");
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_in_odoo_leads_back_to_all_that_made_it() -> Result<()> {
    let Some(odoo) = Odoo::fresh("traced")? else {
        return Ok(());
    };
    let world = World::start(Setup::to_odoo(&odoo)).await?;
    let deal = Deal::german(31);
    world.won(std::slice::from_ref(&deal)).await?;
    let story = world.wait(&deal, "done").await?;
    let orders = odoo.records("sale.order", json!([]), &["id"]).await?;
    let id = orders
        .first()
        .and_then(|order| order.get("id"))
        .context("no order")?;

    let (status, page) = world.page(&format!("/api/trace/odoo-de:sale.order:{id}")).await?;
    ensure!(status == 200, "{status}: {page}");
    let page: Value = serde_json::from_str(&page)?;
    let found = page.pointer("/messages/0").context("no message")?;
    let text = |pointer: &str| {
        found
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("-")
            .to_owned()
    };
    // message and sender
    assert_eq!(text("/message"), story.id());
    assert_eq!(
        (text("/system"), text("/object")),
        ("hubspot".into(), deal.object())
    );
    assert_eq!(text("/event"), "deal.propertyChange");
    // revisions: those it was pinned to, with the plugin of each
    for (stage, pin) in story.pins() {
        let served = format!("/routes/0/revisions/{}", stage.name());
        assert_eq!(text(&format!("{served}/revision")), pin);
        assert_ne!(text(&format!("{served}/plugin/name")), "-", "{stage}");
        assert_ne!(text(&format!("{served}/plugin/component")), "-", "{stage}");
    }
    // decisions with reasons
    assert_eq!(text("/decisions/0/what"), "allowed");
    assert_ne!(text("/decisions/0/reasons/0/text"), "-");
    // tax grounds: 19 % by §12(1) UStG
    assert_eq!(text("/tax/0/rates/0"), "VAT standard 19 %");
    assert_ne!(text("/tax/0/reason/basis"), "-");
    // commands, with what they held, and Odoo's replies, with its id
    let commands = found
        .pointer("/commands")
        .and_then(Value::as_array)
        .context("no commands")?;
    let upsert = commands.iter().find_map(|it| it.pointer("/command/upsert"));
    assert_eq!(
        upsert.and_then(|it| it.pointer("/model")),
        Some(&json!("sale.order"))
    );
    let receipts = found
        .pointer("/receipts")
        .and_then(Value::as_array)
        .context("no receipts")?;
    assert!(
        receipts
            .iter()
            .any(|it| it.pointer("/receipt/target-id") == Some(&json!(id.to_string()))),
        "{receipts:?}"
    );
    assert!(found.get("refusals").is_none(), "{found}");
    world.verify().await
}
