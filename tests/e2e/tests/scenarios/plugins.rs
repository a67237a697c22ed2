//! Plugins are exchanged while messages pass, and one that is broken stops its own.

use anyhow::{Context as _, Result};
use cambist_contract::{digest::Digest, stage::Stage};
use cambist_e2e::{Deal, Setup, World, plugins};
use cambist_journal::{Event, State};
use serde_json::{Value, json};

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
    let deal = Deal::german(1);
    world.killed_at("judge", &deal).await?;
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

/// A policy for the French region that complains and traps.
const UNRULY: &str = r#"
[[bindings]]
stage = "judge"
plugin = "unruly"
region = "fr"
grants = ["log", "reference:rates", "links:dry"]
settings.do = "log-and-panic"

[tables.rates]
DE = "19"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_traps_stops_its_own_messages_and_says_why() -> Result<()> {
    let setup = Setup {
        bindings: UNRULY,
        ..Setup::default()
    };
    let mut world = World::quiet(setup).await?;
    plugins::put(&world.plugins(), "unruly", &cambist_guests::component("unruly")?)?;
    world.restart(None).await?;
    let (french, german) = (Deal::german(1).with(json!({"region": "fr"})), Deal::german(2));
    world.won(&[french.clone(), german.clone()]).await?;
    world.wait(&german, "done").await?.done_once()?;
    let parked = world.wait(&french, "parked").await?;
    let why = &parked.0.status.state;
    assert!(
        matches!(why, State::Parked { code, reason } if code == "plugin-trapped" && reason.contains("order has no partner")),
        "the plugin's own words: {why:?}"
    );
    assert_eq!(parked.output(Stage::Write), None, "nothing is sent unjudged");
    let called = parked.0.entries.iter().find_map(|entry| match &entry.event {
        Event::Called { stage, fuel, log, .. } => Some((*stage, *fuel > 0, log.clone())),
        _ => None,
    });
    let (stage, counted, log) = called.context("nothing is kept of the call")?;
    assert_eq!((stage, counted), (Stage::Judge, true));
    assert!(
        log.iter().any(|line| line.text == "this will not end well"),
        "{log:?}"
    );
    let shown = world.cambist(&["show", parked.id()]).await?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("this will not end well"), "{shown}");

    // the way out: another plugin judges, and the message takes it
    world.setup.bindings = "";
    world.restart(None).await?;
    world.operate(&["replay", parked.id(), "--live"]).await?;
    world.wait(&french, "done").await?.done_once()?;
    world.verify().await
}
