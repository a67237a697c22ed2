//! A target in trouble stops deliveries to it, and nothing else.

use anyhow::Result;
use cambist_e2e::{Deal, Setup, World};
use serde_json::json;
use tokio::net::TcpListener;

/// More than the messages that a host works on at once.
const STUCK: u64 = 24;

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_down_stops_deliveries_to_it_and_nothing_else() -> Result<()> {
    // a port that was free a moment ago, and refuses
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    stuck(format!("http://{address}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_never_answers_stops_deliveries_to_it_and_nothing_else() -> Result<()> {
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let address = silent.local_addr()?;
    let task = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = silent.accept().await {
            held.push(connection);
        }
    });
    let outcome = stuck(format!("http://{address}")).await;
    task.abort();
    outcome
}

async fn stuck(address: String) -> Result<()> {
    let setup = Setup {
        broken_odoo: Some(address),
        waits: &["1h"],
        ..Setup::default()
    };
    let world = World::start(setup).await?;
    let french: Vec<Deal> = (1..=STUCK)
        .map(|id| Deal::german(id).with(json!({"region": "fr"})))
        .collect();
    world.won(&french).await?;
    // all of them have been begun, as far as the host takes them
    world
        .until("the broken target is asked", async || {
            let messages = world.messages().await?;
            let written = messages
                .iter()
                .filter(|it| it.passed.is_some_and(|stage| stage.name() == "write"));
            Ok((written.count() >= 8).then_some(()))
        })
        .await?;
    let german: Vec<Deal> = (101..=105).map(Deal::german).collect();
    world.won(&german).await?;
    for deal in &german {
        world.wait(deal, "done").await?.done_once()?;
    }
    for deal in &french {
        for story in world.stories(deal).await? {
            assert_eq!(story.state(), "due", "{}", story.reason());
        }
    }
    world.verify().await
}
