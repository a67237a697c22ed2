//! Work that waits for a person: listed by cause, edited, skipped, retried in bulk, and traced back
//! from the record it became.

use std::{fs, process::Output};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::stage::Stage;
use cambist_e2e::{Deal, Setup, World, sender};
use serde_json::{Value, json};
use tokio::net::TcpListener;

fn parsed(output: &Output) -> Result<Value> {
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it ended with {}: {told}", output.status);
    serde_json::from_slice(&output.stdout).context("it is no JSON")
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_with_bad_data_is_edited_and_delivered_with_both_inputs_in_its_story() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deal = Deal::german(1).customer("Absurdistan", "DE136695976", json!({}));
    world.won(std::slice::from_ref(&deal)).await?;
    let id = world.wait(&deal, "parked").await?.id().to_owned();

    let causes = parsed(&world.cambist(&["parked", "--json"]).await?)?;
    assert_eq!(text(&causes, "/causes/0/code"), "invalid", "{causes}");
    assert_eq!(text(&causes, "/causes/0/example"), id);
    assert!(text(&causes, "/causes/0/reason").contains("country"), "{causes}");
    assert!(words(&world.cambist(&["parked"]).await?).contains("way out: put the field right"));
    let listed = parsed(
        &world
            .cambist(&["parked", "list", "--code", "invalid", "--json"])
            .await?,
    )?;
    assert_eq!(text(&listed, "/messages/0/status/id"), id, "{listed}");
    let (status, page) = world.page("/api/parked?code=invalid").await?;
    assert_eq!((status, serde_json::from_str::<Value>(&page)?), (200, listed));
    let shown = words(&world.cambist(&["parked", "show", &id]).await?);
    assert!(shown.contains("country") && shown.contains("way out"), "{shown}");

    // the file that a person puts right
    let input = words(&world.cambist(&["parked", "show", &id, "--input"]).await?);
    let file = world.folder().join("deal.json");
    fs::write(&file, input.replace("Absurdistan", "Germany"))?;
    let file = file.to_string_lossy().into_owned();
    let edit = [
        "parked",
        "edit",
        &id,
        "--body",
        &file,
        "--reason",
        "the country was misspelt",
        "--by",
        "ada",
    ];
    world.operate(&edit).await?;
    let story = world.wait(&deal, "done").await?;
    story.done_once()?;
    let inputs = story.outputs(Stage::Fetch);
    ensure!(
        inputs.len() == 2
            && inputs.first().is_some_and(|input| input.contains("Absurdistan"))
            && inputs.last().is_some_and(|input| !input.contains("Absurdistan")),
        "both inputs are kept"
    );
    let shown = words(&world.cambist(&["show", &id, "--full"]).await?);
    assert!(
        shown.contains("input edited by ada: the country was misspelt"),
        "{shown}"
    );
    assert!(shown.contains("Absurdistan"), "{shown}");
    let again = world.cambist(&edit).await?;
    assert!(!again.status.success(), "what has ended is not edited");
    assert!(words(&world.cambist(&["parked"]).await?).contains("nothing waits"));

    // and from the record back to all of it; a dry run gives no ids of its own
    let receipts = story.receipts();
    let order = receipts.iter().find(|receipt| receipt.model == "sale.order");
    let order = order.context("the deal became an order")?;
    let record = format!("dry:sale.order:{}", order.external_id);
    let traced = parsed(&world.cambist(&["trace", &record, "--json"]).await?)?;
    assert_eq!(text(&traced, "/messages/0/message"), id, "{traced}");
    assert_eq!(
        text(&traced, "/messages/0/people/1/what"),
        "input edited by ada: the country was misspelt"
    );
    assert_eq!(
        text(&traced, "/messages/0/routes/0/revisions/tax/plugin/name"),
        "tax-eu-vat",
        "{traced}"
    );
    assert_eq!(
        text(&traced, "/messages/0/decisions/0/what"),
        "allowed",
        "{traced}"
    );
    assert!(
        !text(&traced, "/messages/0/tax/0/reason/basis").is_empty(),
        "{traced}"
    );
    let count = |of: &str| {
        traced
            .pointer(&format!("/messages/0/{of}"))
            .and_then(Value::as_array)
            .map(Vec::len)
    };
    assert!(
        count("commands") >= Some(1) && count("receipts") >= Some(1),
        "{traced}"
    );
    let told = words(&world.cambist(&["trace", &record]).await?);
    for word in [
        id.as_str(),
        "ada",
        "allowed",
        "taxed",
        "VAT",
        "upsert sale.order",
        "receipt",
        "tax-eu-vat",
    ] {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    let nothing = world.cambist(&["trace", "dry:sale.order:no-such"]).await?;
    let told = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert!(!nothing.status.success() && told.contains("no message"), "{told}");
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_message_lets_the_next_of_its_key_go_on() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let bad = Deal::german(1).with(json!({"closedate": null}));
    world.won(std::slice::from_ref(&bad)).await?;
    let first = world.wait(&bad, "parked").await?.id().to_owned();
    // it is right in HubSpot by now, and stands behind the first
    world.know(&[Deal::german(1)]);
    assert!((200..300).contains(&world.post(&[sender::won(1, 2)]).await?));
    let second = world
        .until("the second event is there", async || {
            let stories = world.stories(&bad).await?;
            Ok(stories.into_iter().find(|story| story.id() != first))
        })
        .await?;
    assert_eq!(second.state(), "due");
    let skip = [
        "parked",
        "skip",
        &first,
        "--reason",
        "the next one has it right",
        "--by",
        "ada",
    ];
    world.operate(&skip).await?;
    for story in world.settled().await? {
        if story.id() == first {
            assert_eq!(story.state(), "ignored");
            assert_eq!(story.reason(), "skipped by ada: the next one has it right");
            assert_eq!(story.count("delivered"), 0);
        } else {
            story.done_once()?;
        }
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn all_whose_target_was_away_go_on_by_one_call_when_it_is_back() -> Result<()> {
    // a port that was free a moment ago, and refuses
    let away = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let setup = Setup {
        broken_odoo: Some(format!("http://{away}")),
        waits: &["10ms"],
        ..Setup::default()
    };
    let mut world = World::start(setup).await?;
    let french: Vec<Deal> = (1..=3)
        .map(|id| Deal::german(id).with(json!({"region": "fr"})))
        .collect();
    world.won(&french).await?;
    for story in world.settled().await? {
        assert_eq!(story.state(), "parked", "{}", story.reason());
    }
    let causes = parsed(&world.cambist(&["parked", "--json"]).await?)?;
    assert_eq!(text(&causes, "/causes/0/code"), "attempts-spent", "{causes}");
    assert_eq!(causes.pointer("/causes/0/messages"), Some(&json!(3)));
    let listed = parsed(
        &world
            .cambist(&["parked", "--code", "attempts-spent", "--json"])
            .await?,
    )?;
    assert_eq!(text(&listed, "/messages/0/customer"), "Kunde 3 GmbH", "{listed}");
    // what the tax plugin said: a French supplier, a German business, so no VAT
    assert_eq!(text(&listed, "/messages/0/amount/amount"), "2050.00", "{listed}");
    assert_eq!(text(&listed, "/messages/0/amount/of"), "assessment");
    assert_eq!(text(&listed, "/messages/0/amount/currency"), "EUR");

    world.setup.broken_odoo = None;
    world.setup.mended_odoo = true;
    world.restart(None).await?;
    let retry = [
        "parked",
        "retry",
        "--code",
        "attempts-spent",
        "--all",
        "--by",
        "ada",
    ];
    let told = words(&world.cambist(&retry).await?);
    assert_eq!(told.trim(), "3 go on");
    for deal in &french {
        let story = world.wait(deal, "done").await?;
        assert_eq!(story.outputs(Stage::Fetch).len(), 1, "what was made counts");
        assert_eq!(story.count("routed"), 1, "on the revisions it had");
    }
    let id = world.wait(&Deal::german(1), "done").await?.id().to_owned();
    let again = world.cambist(&["parked", "retry", &id]).await?;
    let told = words(&again);
    assert!(!again.status.success() && told.contains("has ended"), "{told}");
    world.verify().await
}
