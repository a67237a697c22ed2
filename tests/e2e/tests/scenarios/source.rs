//! HubSpot in trouble: the message is tried again, and one can see it.

use anyhow::Result;
use cambist_doubles::fault::Fault;
use cambist_e2e::{Deal, Setup, World};
use cambist_journal::Event;

async fn recovers_from(setup: Setup, faults: &[Fault]) -> Result<()> {
    let world = World::start(setup).await?;
    let deal = Deal::german(9001);
    for fault in faults {
        world.hubspot.faults().next(fault.clone());
    }
    world.won(std::slice::from_ref(&deal)).await?;
    let story = world.wait(&deal, "done").await?;
    story.done_once()?;
    let failures: Vec<_> = story
        .0
        .entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Failed { attempt, error, .. } => Some((*attempt, error.clone())),
            _ => None,
        })
        .collect();
    let attempts: Vec<_> = failures.iter().map(|(attempt, _)| *attempt).collect();
    let wanted: Vec<_> = (1..=faults.len() as u32).collect();
    assert_eq!(attempts, wanted, "{failures:?}");
    assert!(
        failures.iter().all(|(_, error)| error.contains("hubspot")),
        "{failures:?}"
    );
    let shown = world.cambist(&["show", story.id()]).await?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("attempt 1"), "the attempts are visible:\n{shown}");
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_error_a_cut_and_half_an_answer_are_tried_again() -> Result<()> {
    let faults = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Cut,
        Fault::Truncated,
    ];
    recovers_from(Setup::default(), &faults).await
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_tried_again_when_the_wait_is_over() -> Result<()> {
    let faults = [
        Fault::TooMany { retry_after: None },
        Fault::TooMany { retry_after: Some(1) },
    ];
    recovers_from(Setup::default(), &faults).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_answer_is_given_up_and_tried_again() -> Result<()> {
    let setup = Setup {
        read_time: "300ms",
        ..Setup::default()
    };
    recovers_from(setup, &[Fault::Hang]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn spent_attempts_park_and_a_replay_goes_on() -> Result<()> {
    let setup = Setup {
        waits: &["20ms", "20ms"],
        ..Setup::default()
    };
    let world = World::start(setup).await?;
    let deal = Deal::german(9001);
    world.hubspot.faults().always(Fault::Status(502));
    world.won(std::slice::from_ref(&deal)).await?;
    let parked = world.wait(&deal, "parked").await?;
    assert_eq!(parked.count("failed"), 2);
    assert!(parked.reason().contains("3 attempts"), "{}", parked.reason());
    world.hubspot.faults().clear();
    world.operate(&["replay", parked.id()]).await?;
    world.wait(&deal, "done").await?.done_once()?;
    world.verify().await
}
