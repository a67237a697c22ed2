//! The config file, changed while the host runs.

use anyhow::{Context as _, Result};
use cambist_contract::stage::Stage;
use cambist_e2e::{Deal, Setup, Story, World};
use cambist_journal::Ledger as _;

fn pin(story: &Story, stage: Stage) -> Result<String> {
    let mut pins = story.pins().into_iter();
    let pin = pins.find(|(of, _)| *of == stage);
    Ok(pin.context("it is pinned")?.1)
}

/// Changes the config's text in place.
fn edit(world: &World, from: &str, to: &str) -> Result<()> {
    let path = world.folder().join("cambist.toml");
    let text = std::fs::read_to_string(&path)?;
    assert!(text.contains(from), "the config has `{from}`: {text}");
    let aside = world.folder().join("cambist.toml.new");
    std::fs::write(&aside, text.replacen(from, to, 1))?;
    Ok(std::fs::rename(aside, path)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_limit_holds_for_the_next_message_and_a_bad_file_changes_nothing() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let lines = |price: &str| vec![serde_json::json!({"name": "Rollout", "quantity": "1", "price": price})];
    let first = Deal::german(1).lines(lines("50000.01"));
    world.won(std::slice::from_ref(&first)).await?;
    let before = world.wait(&first, "held").await?;

    // seen by itself, without a word from anybody
    edit(&world, "50000", "60000")?;
    let is_config = |by: &str| by == "config";
    world
        .until("the new limit holds", async || {
            let acts = world.journal()?.acts().await?;
            Ok(acts.iter().any(|acted| is_config(&acted.act.by)).then_some(()))
        })
        .await?;
    let second = Deal::german(2).lines(lines("50000.01"));
    world.won(std::slice::from_ref(&second)).await?;
    let after = world.wait(&second, "done").await?;
    after.done_once()?;
    assert_ne!(pin(&before, Stage::Judge)?, pin(&after, Stage::Judge)?);
    assert_eq!(
        pin(&before, Stage::Write)?,
        pin(&after, Stage::Write)?,
        "others stay"
    );

    // a file that does not pass: everything is told, and the old one holds
    edit(&world, "60000", "many")?;
    let output = world.cambist(&["reload"]).await?;
    let text = String::from_utf8(output.stderr)?;
    assert!(!output.status.success() && text.contains("line "), "{text}");
    assert!(text.contains("policy-deal-desk"), "{text}");
    let third = Deal::german(3).lines(lines("50000.01"));
    world.won(std::slice::from_ref(&third)).await?;
    let story = world.wait(&third, "done").await?;
    assert_eq!(pin(&after, Stage::Judge)?, pin(&story, Stage::Judge)?);

    // what cannot change says so
    edit(&world, "many", "60000")?;
    edit(&world, "[host]\n", "[host]\nat-once = 3\n")?;
    let output = world.cambist(&["reload"]).await?;
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains("[host] at-once holds after a restart"), "{text}");
    world.verify().await
}
