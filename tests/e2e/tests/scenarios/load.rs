//! Killed at any moment under load: what was acknowledged ends done, once.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use cambist_e2e::{Deal, Setup, World, sender};

const DEALS: u64 = 50;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_under_load_everything_acknowledged_is_done_once() -> Result<()> {
    let mut world = World::quiet(Setup::default()).await?;
    let deals: Vec<Deal> = (1..=DEALS).map(Deal::german).collect();
    world.know(&deals);
    let mut acknowledged: BTreeSet<u64> = BTreeSet::new();
    // moments that are spread over the work; which stage each of them hits does not matter
    for moment in [3, 11, 29, 47, 83, 140, 230] {
        world.restart(None).await?;
        let ingress = world.host()?.ingress;
        let mut calls = tokio::task::JoinSet::new();
        // what was not acknowledged is sent again, as HubSpot would; in batches of five
        let missing: Vec<u64> = (1..=DEALS).filter(|id| !acknowledged.contains(id)).collect();
        for batch in missing.chunks(5).map(<[u64]>::to_vec) {
            let client = world.client.clone();
            calls.spawn(async move {
                let events: Vec<_> = batch.iter().map(|id| sender::won(*id, 1)).collect();
                let answer = sender::post(&client, ingress, &sender::signed(&events)).await;
                (batch, answer)
            });
        }
        tokio::time::sleep(Duration::from_millis(moment)).await;
        world.kill()?;
        while let Some(call) = calls.join_next().await {
            let (batch, answer) = call?;
            if answer.is_ok_and(|status| status == 202) {
                acknowledged.extend(batch);
            }
        }
        world.verify().await?;
        let kept: BTreeSet<String> = world.messages().await?.into_iter().map(|it| it.object).collect();
        for id in &acknowledged {
            assert!(
                kept.contains(&format!("deal/{id}")),
                "deal {id} was acknowledged and is lost"
            );
        }
    }
    world.restart(None).await?;
    let missing: Vec<_> = (1..=DEALS).map(|id| sender::won(id, 1)).collect();
    assert_eq!(world.post(&missing).await?, 202);
    let stories = world.settled().await?;
    assert_eq!(stories.len() as u64, DEALS, "each deal is one message");
    for story in &stories {
        story.done_once()?;
        assert_eq!(story.commands()?.len(), story.plan()?.commands.len());
    }
    world.verify().await
}
