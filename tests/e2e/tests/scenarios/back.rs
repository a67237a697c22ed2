//! Going back whole at a running host: after a change of settings alone the old ones answer
//! again, all can see that the config says otherwise, and it ends as it is said to.

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{rollout::Step, stage::Stage};
use cambist_e2e::{Deal, Setup, Story, World, host};
use cambist_journal::Ledger as _;

const PLUGIN: &str = "policy-deal-desk";

fn deal(id: u64) -> Deal {
    Deal::german(id).lines(vec![
        serde_json::json!({"name": "Rollout", "quantity": "1", "price": "50000.01"}),
    ])
}

/// What decided a deal of 50 000.01 that comes now, which comes to this state.
async fn judged(world: &World, id: u64, state: &str) -> Result<String> {
    let deal = deal(id);
    world.won(std::slice::from_ref(&deal)).await?;
    let story: Story = world.wait(&deal, state).await?;
    let mut pins = story.pins().into_iter();
    Ok(pins
        .find(|(of, _)| *of == Stage::Judge)
        .context("it is pinned")?
        .1)
}

/// What a command prints.
async fn said(world: &World, command: &[&str]) -> Result<String> {
    let output = match command {
        // needs the systems' secrets as well
        ["check"] => tokio::task::block_in_place(|| host::run(world.folder(), &world.setup, command))?,
        _ => world.cambist(command).await?,
    };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{command:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Changes the config's text, in one moment.
fn edit(world: &World, from: &str, to: &str) -> Result<()> {
    let path = world.folder().join("cambist.toml");
    let text = std::fs::read_to_string(&path)?;
    ensure!(text.contains(from), "the config has `{from}`: {text}");
    let aside = world.folder().join("cambist.toml.new");
    std::fs::write(&aside, text.replacen(from, to, 1))?;
    Ok(std::fs::rename(aside, path)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_were_changed_are_gone_back_from_whole() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    let first = judged(&world, 1, "held").await?;
    edit(&world, "50000", "60000")?;
    said(&world, &["reload"]).await?;
    let second = judged(&world, 2, "done").await?;
    assert_ne!(first, second);
    edit(&world, "60000", "50000")?;
    said(&world, &["reload"]).await?;
    assert_eq!(judged(&world, 3, "held").await?, first);

    let text = said(&world, &["plugin", "back", PLUGIN, "--whole", "--by", "b.keller"]).await?;
    let told = "held by b.keller since ";
    assert!(text.contains("is live again") && text.contains(told), "{text}");
    assert!(text.contains("other than the config's in settings"), "{text}");
    let back = judged(&world, 4, "done").await?;
    assert_eq!(back, second, "as before, to the revision");
    // who looks sees it, since the same moment
    let at = text.find(told).context("not told")?;
    let told = text.get(at..).and_then(|text| text.split(" UTC").next());
    let told = told.context("no time")?;
    for command in [&["plugin", "status", PLUGIN][..], &["check"], &["reload"]] {
        let text = said(&world, command).await?;
        let way_out = format!("`cambist plugin live {PLUGIN}` ends it");
        assert!(
            text.contains(told) && text.contains(&way_out),
            "{command:?}: {text}"
        );
    }
    let (_, metrics) = world.page("/metrics").await?;
    let gauge = |held: u8| format!("cambist_plugin_held{{plugin=\"{PLUGIN}\"}} {held}");
    assert!(metrics.contains(&gauge(1)), "{metrics}");

    // the host that starts again has it still, though its config says the other
    world.stop().await?;
    world.restart(None).await?;
    assert_eq!(judged(&world, 5, "done").await?, second);
    let (_, metrics) = world.page("/metrics").await?;
    assert!(metrics.contains(&gauge(1)), "{metrics}");

    said(&world, &["plugin", "live", PLUGIN, "--by", "b.keller"]).await?;
    assert_eq!(judged(&world, 6, "held").await?, first);
    let (_, metrics) = world.page("/metrics").await?;
    assert!(metrics.contains(&gauge(0)), "{metrics}");

    // the evidence: who held it and who ended it, by steps of the one chain
    let acts = world.journal()?.acts().await?.into_iter();
    let steps = acts.filter_map(|acted| match acted.act.step {
        Step::Live { held, .. } if acted.act.plugin == PLUGIN => Some((acted.act.by, held)),
        _ => None,
    });
    let steps: Vec<_> = steps.skip_while(|(by, _)| by != "b.keller").collect();
    let by = "b.keller".to_owned();
    assert_eq!(steps, [(by.clone(), true), (by, false)]);
    world.verify().await
}
