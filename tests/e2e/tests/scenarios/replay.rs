//! Replays by order: a dry one tells what would be written otherwise, to the cent; one for real goes
//! the ordinary way and survives the host; and a record's whole story is told by the API as well.

use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Deal, Setup, World};
use cambist_journal::{Event, Journal as _, Ledger as _};
use serde_json::Value;

/// What a command told, which must not have been refused.
fn words(output: &Output) -> Result<String> {
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "refused: {told}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn told(world: &World, arguments: &[&str]) -> Result<Value> {
    let text = words(&world.cambist(arguments).await?)?;
    serde_json::from_str(&text).with_context(|| text)
}

fn at<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("-")
}

fn count(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// How many entries the journal has.
async fn entries(world: &World) -> Result<u64> {
    Ok(world.journal()?.verify().await?.entries)
}

/// From now on, what has no tax class is taxed as books are: 7 % and not 19 % (§12(2) UStG).
async fn tax_as_books(world: &World) -> Result<()> {
    let file = world.folder().join("cambist.toml");
    let config = std::fs::read_to_string(&file)?;
    let books = r#"tax-classes = { books = "reduced" }"#;
    ensure!(config.contains(books), "the config has no books");
    std::fs::write(
        &file,
        config.replace(books, &format!("{books}\nusual-class = \"books\"")),
    )?;
    world.operate(&["reload"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_replay_tells_by_how_much_money_and_sends_nothing() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deals = [Deal::german(1), Deal::german(2), Deal::gujarati(3)];
    world.won(&deals).await?;
    world.settled().await?;
    let before = entries(&world).await?;

    let same = told(&world, &["replay", "--dry", "--json"]).await?;
    assert_eq!(count(&same, "/progress/messages"), 3, "{same}");
    assert_eq!(count(&same, "/progress/report/differ"), 0, "{same}");
    assert_eq!(entries(&world).await?, before, "nothing was written");

    tax_as_books(&world).await?;
    // the other config is a step of that plugin's life, and all that is written here
    let acts = world.journal()?.acts().await?;
    let last = acts.last().map(|acted| &acted.act).context("no step was taken")?;
    assert_eq!((last.by.as_str(), last.plugin.as_str()), ("config", "tax-eu-vat"));
    let before = before + 1;
    assert_eq!(entries(&world).await?, before, "{acts:?}");

    let text = words(&world.cambist(&["replay", "--dry", "--live"]).await?)?;
    // 2050.00 net: 389.50 of tax become 143.50, twice
    let sentence = "3 messages, 2 differ, 2 change a total, by EUR -492.00 in all";
    assert!(text.contains(sentence), "{text}");
    assert!(text.contains("EUR 2439.50 -> 2193.50 (-246.00)"), "{text}");
    let german = told(&world, &["replay", "--dry", "--live", "--region", "in", "--json"]).await?;
    assert_eq!(count(&german, "/progress/messages"), 1, "{german}");
    assert_eq!(count(&german, "/progress/report/differ"), 0, "{german}");

    // all of it again, as programs read it
    let (status, page) = world.page("/api/replays/2?limit=1").await?;
    ensure!(status == 200, "{status}: {page}");
    let page: Value = serde_json::from_str(&page)?;
    let down: rust_decimal::Decimal = at(&page, "/progress/report/money/EUR/down").parse()?;
    assert_eq!(down, "492".parse()?, "{page}");
    assert_eq!(
        page.pointer("/differing").and_then(Value::as_array).map(Vec::len),
        Some(1)
    );
    assert_eq!(at(&page, "/differing/0/begins-at"), "tax", "{page}");

    assert_eq!(entries(&world).await?, before, "nothing was written");
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_a_kill_breaks_off_replays_each_message_once() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    let deals: Vec<Deal> = (1..=80).map(Deal::german).collect();
    world.won(&deals).await?;
    world.settled().await?;
    let refused = world.cambist(&["replay", "--state", "done"]).await?;
    assert!(!refused.status.success(), "a replay for real says why");

    let order = [
        "replay", "--state", "done", "--why", "to see", "--by", "ada", "--detach",
    ];
    words(&world.cambist(&order).await?)?;
    world
        .until("some are replayed", async || {
            let entries = resumed(&world).await?;
            Ok((entries.len() >= 20).then_some(()))
        })
        .await?;
    world.kill()?;
    world.restart(None).await?;
    let replay = world
        .until("the order is over", async || {
            let told = told(&world, &["replays", "1", "--json"]).await?;
            Ok(told.pointer("/progress/ended-at").is_some().then_some(told))
        })
        .await?;
    assert_eq!(count(&replay, "/progress/messages"), 80, "{replay}");
    // the target only shows
    assert_eq!(count(&replay, "/progress/came-to/shown"), 80, "{replay}");
    let mut all = resumed(&world).await?;
    assert_eq!(all.len(), 80);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 80, "none was replayed twice");
    for deal in &deals {
        let story = world.wait(deal, "done").await?;
        assert_eq!(story.count("done"), 2);
    }
    let shown = words(&world.cambist(&["show", all.first().context("none")?]).await?)?;
    assert!(shown.contains("asked by ada, replay 1: to see"), "{shown}");
    world.verify().await
}

/// The messages that order 1 has resumed, one for each time.
async fn resumed(world: &World) -> Result<Vec<String>> {
    let journal = world.journal()?;
    let mut all = Vec::new();
    for status in world.messages().await? {
        let story = journal.message(&status.id).await?;
        let entries = story.into_iter().flat_map(|story| story.entries);
        let by = entries.filter(|entry| matches!(entry.event, Event::Resumed { order: Some(1), .. }));
        all.extend(by.map(|_| status.id.to_string()));
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_traced_by_the_api_as_by_the_command() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deal = Deal::german(5);
    world.won(std::slice::from_ref(&deal)).await?;
    let story = world.wait(&deal, "done").await?;
    let receipts = story.receipts();
    let order = receipts.iter().find(|receipt| receipt.model == "sale.order");
    let order = order.context("the deal became an order")?;
    let record = format!("dry:sale.order:{}", order.external_id);

    let (status, page) = world.page(&format!("/api/trace/{record}")).await?;
    ensure!(status == 200, "{status}: {page}");
    let page: Value = serde_json::from_str(&page)?;
    assert_eq!(page, told(&world, &["trace", &record, "--json"]).await?);
    assert_eq!(at(&page, "/messages/0/message"), story.id());
    for (wrong, code) in [("dry:sale.order:none", 404), ("nonsense", 422)] {
        let (status, page) = world.page(&format!("/api/trace/{wrong}")).await?;
        assert_eq!(status, code, "{page}");
    }
    world.verify().await
}
