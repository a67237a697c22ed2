//! Bad data parks with a reason a person understands; corrected, it goes on.

use anyhow::{Result, bail};
use cambist_contract::{delivery::Effect, stage::Stage};
use cambist_e2e::{Deal, Setup, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn bad_data_is_parked_by_its_field_and_done_once_corrected() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let line = |fields| vec![fields];
    // what is wrong with it, and the word that leads a person there
    let bad = [
        (
            Deal::german(1).customer("Absurdistan", "DE136695976", json!({})),
            "country",
        ),
        (
            Deal::german(2).lines(line(json!({"name": "A", "quantity": "1", "price": "1.200,00"}))),
            "price",
        ),
        (
            Deal::french(3).customer("France", "FR00334175221", json!({})),
            "tax-id",
        ),
        (Deal::german(4).with(json!({"closedate": null})), "closedate"),
        (
            Deal::german(5).with(json!({"deal_currency_code": "CHF"})),
            "threshold for CHF",
        ),
        (
            Deal::german(6).lines(line(
                json!({"name": "A", "quantity": "1", "price": "10", "tax_class": "submarines"}),
            )),
            "tax-class",
        ),
        (
            Deal::german(7).lines(line(
                json!({"name": "A", "quantity": "1", "price": "10", "recurringbillingfrequency": "monthly"}),
            )),
            "recurring",
        ),
    ];
    world.won(&bad.each_ref().map(|(deal, _)| deal.clone())).await?;
    for story in world.settled().await? {
        assert!(
            matches!(story.state(), "parked" | "held"),
            "{} is {}",
            story.0.status.object,
            story.state()
        );
        assert_eq!(story.count("delivered"), 0);
    }
    for (deal, field) in &bad {
        for story in world.stories(deal).await? {
            let reason = story.reason();
            assert!(
                reason.contains(field),
                "{} should name {field}: {reason}",
                deal.object()
            );
            world.know(&[Deal::german(deal.id)]);
            world.operate(&["replay", story.id()]).await?;
        }
        world.wait(deal, "done").await?.done_once()?;
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_that_is_gone_is_parked_and_says_so() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deal = Deal::german(9001);
    assert_eq!(world.post(&[cambist_e2e::sender::won(deal.id, 1)]).await?, 202);
    let story = world.wait(&deal, "parked").await?;
    assert!(story.reason().contains("9001"), "{}", story.reason());
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_on_the_same_revisions_makes_the_same_bytes_in_every_stage() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deals = [Deal::german(1), Deal::french(2), Deal::gujarati(3)];
    world.won(&deals).await?;
    for deal in &deals {
        let first = world.wait(deal, "done").await?;
        world.operate(&["replay", first.id(), "--begin", "read"]).await?;
        let again = world
            .until("the replay is done", async || {
                let again = world.wait(deal, "done").await?;
                Ok((again.count("done") == 2).then_some(again))
            })
            .await?;
        for stage in [Stage::Read, Stage::Own, Stage::Judge, Stage::Tax, Stage::Write] {
            let made: Vec<&str> = again.outputs(stage);
            let [before, after] = made.as_slice() else {
                bail!("{} passed {stage} {} times", deal.object(), made.len());
            };
            assert_eq!(before, after, "{} in {stage}", deal.object());
        }
        let effects = again.receipts();
        let of_replay = effects.get(effects.len() / 2..).unwrap_or_default();
        assert!(
            of_replay.iter().all(|it| it.effect != Effect::Written),
            "nothing is written where nothing differs: {of_replay:?}"
        );
    }
    world.verify().await
}
