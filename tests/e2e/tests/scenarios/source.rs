//! HubSpot in trouble: the message is tried again, and one can see it; and nobody
//! else's messages wait for it.

use anyhow::Result;
use cambist_doubles::{fault::Fault, hubspot::HubSpotDouble};
use cambist_e2e::{Deal, Setup, World, sender, setup::OTHER_HUBSPOT};
use cambist_journal::Event;
use serde_json::json;

/// More than the messages that a host works on at once and lets go to one system.
const STUCK: u64 = 40;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_hubspot_that_never_answers_stops_its_own_messages_and_nothing_else() -> Result<()> {
    let other = HubSpotDouble::start(json!({})).await?;
    let setup = Setup {
        other_hubspot: Some(other.url()),
        read_time: "1h",
        ..Setup::default()
    };
    let world = World::start(setup).await?;
    world.hubspot.faults().always(Fault::Hang);
    let stuck: Vec<Deal> = (1..=STUCK).map(Deal::german).collect();
    world.won(&stuck).await?;
    world
        .until("the silent HubSpot is asked", async || {
            Ok((!world.hubspot.seen().is_empty()).then_some(()))
        })
        .await?;
    let moving: Vec<Deal> = (101..=105).map(Deal::german).collect();
    for (kind, id, object) in moving.iter().flat_map(Deal::objects) {
        other.put(kind, &id, object);
    }
    let events: Vec<_> = moving.iter().map(|deal| sender::won(deal.id, 1)).collect();
    let ingress = world.host()?.ingress;
    assert_eq!(
        sender::post_as(&world.client, ingress, OTHER_HUBSPOT, &events).await?,
        202
    );
    for deal in &moving {
        world.wait(deal, "done").await?.done_once()?;
    }
    for deal in &stuck {
        for story in world.stories(deal).await? {
            assert_eq!(story.state(), "due", "{}", story.reason());
        }
    }
    world.verify().await
}
