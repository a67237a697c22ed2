//! What policy holds, and who can let it go.

use anyhow::Result;
use cambist_contract::stage::Stage;
use cambist_e2e::{Deal, Setup, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_deal_waits_for_its_role_and_ends_when_released() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let large = Deal::german(9001).lines(vec![
        json!({"name": "Rollout", "quantity": "1", "price": "50000.01"}),
    ]);
    let fits = Deal::german(9002).lines(vec![
        json!({"name": "Rollout", "quantity": "1", "price": "50000.00"}),
    ]);
    world.won(&[large.clone(), fits.clone()]).await?;
    world.wait(&fits, "done").await?;
    let held = world.wait(&large, "held").await?;
    assert!(held.output(Stage::Write).is_none(), "nothing is planned");
    assert!(held.reason().contains("50000"), "{}", held.reason());

    let refused = world
        .cambist(&["release", held.id(), "--role", "deal-desk"])
        .await?;
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("409") || told.contains("held"), "{told}");
    assert_eq!(world.wait(&large, "held").await?.count("released"), 0);

    world
        .operate(&["release", held.id(), "--role", "finance", "--by", "ada"])
        .await?;
    let story = world.wait(&large, "done").await?;
    story.done_once()?;
    assert_eq!(story.count("released"), 1);
    assert_eq!(story.count("delivered"), 1);
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_without_prerequisites_is_held_and_says_what_is_missing() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deal =
        Deal::german(9001).with(json!({"contract_terms": "by handshake", "delivery_owner_email": null}));
    world.won(std::slice::from_ref(&deal)).await?;
    let held = world.wait(&deal, "held").await?;
    assert!(held.reason().contains("terms"), "{}", held.reason());
    assert!(held.reason().contains("owner"), "{}", held.reason());
    // the other way out: the deal is completed, and goes its way again
    world.know(&[Deal::german(9001)]);
    world.operate(&["replay", held.id()]).await?;
    world.wait(&deal, "done").await?.done_once()?;
    world.verify().await
}
