//! Killed between every two stages: the end is that of an undisturbed run.

use anyhow::Result;
use cambist_e2e::{Deal, Setup, World, host::Halt, sender};

/// Every stage that records something.
const STAGES: [&str; 7] = ["fetch", "read", "own", "judge", "tax", "write", "deliver"];

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_stage_it_ends_as_if_undisturbed() -> Result<()> {
    let undisturbed = World::start(Setup::default()).await?;
    let deals: Vec<Deal> = (1..).zip(STAGES).map(|(id, _)| Deal::german(id)).collect();
    undisturbed.won(&deals).await?;
    undisturbed.settled().await?;

    let mut world = World::quiet(Setup::default()).await?;
    for (deal, stage) in deals.iter().zip(STAGES) {
        world.restart(Some(Halt(stage))).await?;
        world.won(std::slice::from_ref(deal)).await?;
        world.halted().await?;
        world.kill()?;
        let story = world.wait(deal, "due").await?;
        assert_eq!(
            story.passed().last(),
            Some(&stage),
            "it was killed where it should"
        );
        world.verify().await?;

        world.restart(None).await?;
        let story = world.wait(deal, "done").await?;
        story.done_once()?;
        assert_eq!(story.passed(), STAGES, "no stage twice after `{stage}`");
        assert_eq!(story.count("delivered"), 1);
        let wanted = undisturbed.wait(deal, "done").await?;
        assert_eq!(story.plan()?, wanted.plan()?, "the same plan after `{stage}`");
        assert_eq!(story.pins(), wanted.pins());
        // and its sender, who was never answered or asks again, changes nothing
        assert_eq!(world.post(&[sender::won(deal.id, 1)]).await?, 202);
        assert_eq!(world.stories(deal).await?.len(), 1);
        world.verify().await?;
    }
    Ok(())
}
