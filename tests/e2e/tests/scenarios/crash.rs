//! Killed between every two stages: the end is that of an undisturbed run.

use anyhow::Result;
use cambist_e2e::{Deal, Setup, World, sender};

/// Every stage that records something.
const STAGES: [&str; 7] = ["fetch", "read", "own", "judge", "tax", "write", "deliver"];

/// Where the host is killed: behind each stage, and between the target's answer and
/// the record of it. With the last stage that is recorded there.
const POINTS: [(&str, &str); 8] = [
    ("fetch", "fetch"),
    ("read", "read"),
    ("own", "own"),
    ("judge", "judge"),
    ("tax", "tax"),
    ("write", "write"),
    ("delivered", "write"),
    ("deliver", "deliver"),
];

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_stage_it_ends_as_if_undisturbed() -> Result<()> {
    let undisturbed = World::start(Setup::default()).await?;
    let deals: Vec<Deal> = (1..).zip(POINTS).map(|(id, _)| Deal::german(id)).collect();
    undisturbed.won(&deals).await?;
    undisturbed.settled().await?;

    let mut world = World::quiet(Setup::default()).await?;
    for (deal, (point, passed)) in deals.iter().zip(POINTS) {
        world.killed_at(point, deal).await?;
        // the record of the last stage is the record of the end
        let state = if point == "deliver" { "done" } else { "due" };
        let story = world.wait(deal, state).await?;
        assert_eq!(
            story.passed().last(),
            Some(&passed),
            "it was killed where it should"
        );
        world.verify().await?;

        world.restart(None).await?;
        let story = world.wait(deal, "done").await?;
        story.done_once()?;
        assert_eq!(story.passed(), STAGES, "no stage twice after `{point}`");
        assert_eq!(story.count("delivered"), 1);
        let wanted = undisturbed.wait(deal, "done").await?;
        assert_eq!(story.plan()?, wanted.plan()?, "the same plan after `{point}`");
        assert_eq!(story.pins(), wanted.pins());
        // and its sender, who was never answered or asks again, changes nothing
        assert_eq!(world.post(&[sender::won(deal.id, 1)]).await?, 202);
        assert_eq!(world.stories(deal).await?.len(), 1);
        world.verify().await?;
    }
    Ok(())
}
