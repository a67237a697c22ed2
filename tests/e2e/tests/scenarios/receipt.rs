//! What may come in, and that it comes in once.

use anyhow::Result;
use cambist_e2e::{Deal, Setup, World, sender};
use jiff::Timestamp;

fn deals() -> Vec<Deal> {
    vec![
        Deal::german(1),
        Deal::french(2),
        Deal::gujarati(3),
        Deal::american(4),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_again_in_any_way_changes_nothing() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deals = deals();
    world.won(&deals).await?;
    let before = world.settled().await?;
    assert_eq!(before.len(), deals.len());

    let events: Vec<_> = deals.iter().map(|deal| sender::won(deal.id, 1)).collect();
    // the same batch
    assert_eq!(world.post(&events).await?, 202);
    // in another order
    let turned: Vec<_> = events.iter().rev().cloned().collect();
    assert_eq!(world.post(&turned).await?, 202);
    // split, and each event as another attempt
    for event in &events {
        let mut event = event.clone();
        if let Some(attempt) = event.get_mut("attemptNumber") {
            *attempt = 3.into();
        }
        assert_eq!(world.post(&[event]).await?, 202);
    }
    // one batch that names each twice
    let doubled: Vec<_> = events.iter().chain(&turned).cloned().collect();
    assert_eq!(world.post(&doubled).await?, 202);

    let after = world.settled().await?;
    assert_eq!(after.len(), before.len(), "no message more");
    for (one, other) in before.iter().zip(&after) {
        assert_eq!(one.events(), other.events(), "nothing more has happened");
        assert_eq!(one.plan()?, other.plan()?);
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_many_times_at_once_is_one_message() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deals = deals();
    world.know(&deals);
    let events: Vec<_> = deals.iter().map(|deal| sender::won(deal.id, 1)).collect();
    let ingress = world.host()?.ingress;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (client, batch) = (world.client.clone(), sender::signed(&events));
        calls.spawn(async move { sender::post(&client, ingress, &batch).await });
    }
    while let Some(status) = calls.join_next().await {
        assert_eq!(status??, 202);
    }
    let stories = world.settled().await?;
    assert_eq!(stories.len(), deals.len());
    for story in stories {
        story.done_once()?;
        assert_eq!(story.count("received"), 1);
        assert_eq!(story.count("delivered"), 1);
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_or_stale_is_refused_and_leaves_nothing() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let ingress = world.host()?.ingress;
    let events = [sender::won(1, 1)];

    let mut changed = sender::signed(&events);
    changed.body = sender::signed(&[sender::won(2, 1)]).body;
    assert_eq!(
        sender::post(&world.client, ingress, &changed).await?,
        401,
        "another body"
    );

    let mut unsigned = sender::signed(&events);
    unsigned.headers.retain(|(name, _)| !name.contains("signature"));
    assert_eq!(
        sender::post(&world.client, ingress, &unsigned).await?,
        401,
        "no signature"
    );

    #[expect(clippy::disallowed_methods, reason = "a stale call is one of a while ago")]
    let now = Timestamp::now().as_millisecond();
    for minutes in [-6, 6] {
        let stale = sender::signed_at(&events, now + minutes * 60_000);
        assert_eq!(
            sender::post(&world.client, ingress, &stale).await?,
            401,
            "{minutes} minutes off"
        );
    }
    assert!(world.messages().await?.is_empty());
    assert!(world.hubspot.seen().is_empty());
    // and the true one passes
    assert_eq!(world.post(&events).await?, 202);
    assert_eq!(world.messages().await?.len(), 1);
    world.verify().await
}
