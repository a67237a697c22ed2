//! Plugins are exchanged while messages pass.

use anyhow::Result;
use cambist_contract::{digest::Digest, stage::Stage};
use cambist_e2e::{Deal, Setup, World, host::Halt, plugins};
use serde_json::Value;

/// What the operators' side says of a plugin.
async fn status(world: &World, plugin: &str) -> Result<Value> {
    let (_, text) = world.page("/api/plugins").await?;
    let answer: Value = serde_json::from_str(&text)?;
    let all = answer
        .get("plugins")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    Ok(all
        .into_iter()
        .find(|it| it.get("plugin") == Some(&plugin.into()))
        .unwrap_or_default())
}

fn revision(story: &cambist_e2e::Story, stage: Stage) -> Option<String> {
    story
        .pins()
        .into_iter()
        .find(|(of, _)| *of == stage)
        .map(|(_, id)| id)
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_leaves_the_old_live_and_a_good_one_serves_the_next_message() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deals: Vec<Deal> = (1..=3).map(Deal::german).collect();
    world.won(deals.get(..1).unwrap_or_default()).await?;
    let first = world.settled().await?.remove(0);

    plugins::put(&world.plugins(), "map-odoo", b"this is no component")?;
    world
        .until("the garbage is refused", async || {
            let status = status(&world, "map-odoo").await?;
            Ok(status.get("refused").filter(|why| why.is_string()).cloned())
        })
        .await?;
    world.won(deals.get(1..2).unwrap_or_default()).await?;
    let second = world.wait(&Deal::german(2), "done").await?;
    assert_eq!(revision(&first, Stage::Write), revision(&second, Stage::Write));
    let (ready, _) = world.page("/readyz").await?;
    assert_eq!(ready, 200, "the old one is live");

    let good = plugins::another(&cambist_guests::component("map-odoo")?);
    plugins::put(&world.plugins(), "map-odoo", &good)?;
    let live = Value::from(Digest::of(&good).to_string());
    world
        .until("the good one is live", async || {
            Ok((status(&world, "map-odoo").await?.get("live") == Some(&live)).then_some(()))
        })
        .await?;
    world.won(deals.get(2..).unwrap_or_default()).await?;
    let third = world.wait(&Deal::german(3), "done").await?;
    assert_ne!(revision(&first, Stage::Write), revision(&third, Stage::Write));
    assert_eq!(
        revision(&first, Stage::Tax),
        revision(&third, Stage::Tax),
        "others stay"
    );
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_finishes_on_the_revision_it_began_on() -> Result<()> {
    let mut world = World::quiet(Setup::default()).await?;
    world.restart(Some(Halt("judge"))).await?;
    let deal = Deal::german(1);
    world.won(std::slice::from_ref(&deal)).await?;
    world.halted().await?;
    world.kill()?;
    let pinned = world.wait(&deal, "due").await?.pins();
    let good = plugins::another(&cambist_guests::component("map-odoo")?);
    plugins::put(&world.plugins(), "map-odoo", &good)?;
    world.restart(None).await?;
    let story = world.wait(&deal, "done").await?;
    story.done_once()?;
    assert_eq!(story.pins(), pinned);
    let next = Deal::german(2);
    world.won(std::slice::from_ref(&next)).await?;
    let next = world.wait(&next, "done").await?;
    assert_ne!(revision(&next, Stage::Write), revision(&story, Stage::Write));
    // an operator may choose the live ones for the old message
    world.operate(&["replay", story.id(), "--live"]).await?;
    let again = world
        .until("the replay is done", async || {
            let again = world.wait(&deal, "done").await?;
            Ok((again.count("done") == 2).then_some(again))
        })
        .await?;
    assert_eq!(again.pins(), next.pins());
    assert_eq!(
        again.plan()?,
        story.plan()?,
        "the same plan: only the digest differs"
    );
    world.verify().await
}
