//! Told to stop, a host ends what is under way, and leaves the rest for the next.

use anyhow::Result;
use cambist_e2e::{Deal, Setup, World, host};

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_told_to_stop_ends_well_and_the_next_goes_on() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    let deals: Vec<Deal> = (1..=40).map(Deal::german).collect();
    world.won(&deals).await?;
    world.stop().await?;
    for status in world.messages().await? {
        // before the door of the CRM, of its flow, or of the target
        let waits = status
            .passed
            .is_none_or(|stage| ["fetch", "write"].contains(&stage.name()));
        assert!(
            waits || status.state.is_final(),
            "{}: what was at work has ended",
            status.object
        );
    }
    world.restart(None).await?;
    for story in world.settled().await? {
        story.done_once()?;
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_host_on_the_same_journal_is_refused() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let again = ["serve", "--config", "operator.toml"];
    let second = tokio::task::block_in_place(|| host::run(world.folder(), &world.setup, &again))?;
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("another host has the journal"), "{told}");
    Ok(())
}
