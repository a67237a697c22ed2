//! A new policy beside the live one at a running host: as a shadow, which decides nothing and
//! is compared, and for a share of the deals, which goes back by itself when it traps or is too slow.

use anyhow::{Context as _, Result, ensure};
use cambist_contract::digest::Digest;
use cambist_e2e::{Deal, Setup, World};
use cambist_journal::Ledger as _;
use serde_json::{Value, json};

const PLUGIN: &str = "policy-deal-desk";

/// Sends a component in, which waits then.
async fn push(world: &World, component: &[u8]) -> Result<Digest> {
    let file = world.folder().join("sent.wasm");
    std::fs::write(&file, component)?;
    let file = file.display().to_string();
    world
        .operate(&["plugin", "push", &file, "--as", PLUGIN, "--by", "ci"])
        .await?;
    Ok(Digest::of(component))
}

/// What a command of the plugin's says as JSON.
async fn told(world: &World, command: &[&str]) -> Result<Value> {
    let output = world
        .cambist(&[&["plugin"], command, &[PLUGIN, "--json"]].concat())
        .await?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{text}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Where a component stands.
async fn standing(world: &World, component: &Digest) -> Result<Value> {
    let status = told(world, &["status"]).await?;
    let all = status
        .pointer("/plugins/0/components")
        .and_then(Value::as_array)
        .cloned();
    let mut all = all.unwrap_or_default().into_iter();
    all.find(|it| it.get("component") == Some(&json!(component)))
        .context("the component is not known")
}

fn expensive(id: u64) -> Deal {
    Deal::german(id).lines(vec![
        json!({"name": "Rollout", "quantity": "1", "price": "50000.01"}),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_decides_nothing_and_its_differences_are_told() -> Result<()> {
    let mut world = World::start(Setup::default()).await?;
    // allows whatever it is asked
    let lax = push(&world, &cambist_guests::by_hand("good")?).await?;
    world
        .operate(&["plugin", "shadow", PLUGIN, "--by", "b.keller"])
        .await?;
    assert_eq!(standing(&world, &lax).await?.get("state"), Some(&json!("shadow")));
    let (small, large) = (Deal::german(1), expensive(2));
    world.won(std::slice::from_ref(&small)).await?;
    world.wait(&small, "done").await?.done_once()?;
    world.won(std::slice::from_ref(&large)).await?;
    let held = world.wait(&large, "held").await?;

    let compared = async |world: &World| -> Result<Option<Value>> {
        let diff = told(world, &["diff"]).await?;
        let count = diff.pointer("/tallies/0/compared").and_then(Value::as_u64);
        Ok((count == Some(2)).then_some(diff))
    };
    let diff = world
        .until("both are compared", async || compared(&world).await)
        .await?;
    let calls = diff.get("calls").and_then(Value::as_array).cloned();
    let calls = calls.context("no calls are told of")?;
    let of_held = calls
        .iter()
        .find(|call| call.get("message") == Some(&json!(held.id())));
    let of_held = of_held.context("the one that was held differs")?;
    let differences = of_held.get("differences").and_then(Value::as_array).cloned();
    let decision = differences
        .unwrap_or_default()
        .into_iter()
        .find(|it| it.get("path") == Some(&json!("decision")));
    let decision = decision.context("it differs in the decision")?;
    assert_eq!(decision.get("shadow"), Some(&json!("\"allow\"")));
    let output = world.cambist(&["plugin", "diff", PLUGIN]).await?;
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains("judge: 2 messages, 2 differ"), "{text}");
    assert!(text.contains("decision"), "{text}");

    // it is still there after a restart, and what was compared too
    world.stop().await?;
    world.restart(None).await?;
    let third = Deal::german(3);
    world.won(std::slice::from_ref(&third)).await?;
    world.wait(&third, "done").await?.done_once()?;
    let three = async |world: &World| -> Result<Option<()>> {
        let diff = told(world, &["diff"]).await?;
        let count = diff.pointer("/tallies/0/compared").and_then(Value::as_u64);
        Ok((count == Some(3)).then_some(()))
    };
    world
        .until("the third is compared", async || three(&world).await)
        .await?;
    world
        .operate(&[
            "plugin", "withdraw", PLUGIN, "--reason", "too lax", "--by", "b.keller",
        ])
        .await?;
    let known = standing(&world, &lax).await?;
    assert_eq!(known.get("state"), Some(&json!("candidate")));
    assert_eq!(known.get("withdrawn"), Some(&json!("too lax")));
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_traps_goes_back_by_itself_and_its_messages_go_on_with_the_live_one() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let bad = push(&world, &cambist_guests::by_hand("trap")?).await?;
    world
        .operate(&["plugin", "share", PLUGIN, "40", "--by", "b.keller"])
        .await?;
    let deals: Vec<Deal> = (1..=40).map(Deal::german).collect();
    world.won(&deals).await?;
    world.settled().await?;
    let known = standing(&world, &bad).await?;
    let why = known.get("withdrawn").and_then(Value::as_str);
    assert!(
        why.is_some_and(|why| why.contains("calls broke, and 5 % may")),
        "{known}"
    );
    let acts = world.journal()?.acts().await?;
    let withdrawn = acts.iter().find(|acted| acted.act.step.name() == "withdrawn");
    let withdrawn = withdrawn.context("the step is in the evidence")?;
    assert_eq!(withdrawn.act.by, "host");
    let mut parked = Vec::new();
    for deal in &deals {
        for story in world.stories(deal).await? {
            match story.state() {
                "parked" => parked.push((deal, story)),
                _ => story.done_once()?,
            }
        }
    }
    assert!(parked.len() >= 3, "{}", parked.len());
    for (deal, story) in &parked {
        assert_eq!(story.count("delivered"), 0);
        world.operate(&["replay", story.id(), "--live"]).await?;
        world.wait(deal, "done").await?.done_once()?;
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_slow_goes_back_by_itself_and_nothing_is_lost_by_it() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let first = Deal::german(1);
    world.won(std::slice::from_ref(&first)).await?;
    let before = world.wait(&first, "done").await?.pins();
    // breaks on nothing, and computes a hundred times as long as the deal desk
    let slow = push(&world, &cambist_guests::by_hand("slow")?).await?;
    world
        .operate(&["plugin", "share", PLUGIN, "50", "--by", "b.keller"])
        .await?;
    // more than the fifty calls of each side that it takes
    let deals: Vec<Deal> = (2..=161).map(Deal::german).collect();
    world.won(&deals).await?;
    world.settled().await?;
    let known = standing(&world, &slow).await?;
    assert_eq!(known.get("pinned"), Some(&json!(0)), "{known}");
    let why = known.get("withdrawn").and_then(Value::as_str);
    assert!(
        why.is_some_and(|why| why.contains("and 3 times as long may be")),
        "{known}"
    );
    let acts = world.journal()?.acts().await?;
    let withdrawn: Vec<_> = acts
        .iter()
        .filter(|acted| acted.act.step.name() == "withdrawn")
        .map(|acted| (acted.act.by.as_str(), acted.act.component))
        .collect();
    assert_eq!(withdrawn, [("host", slow)]);

    // those that were pinned to it have finished on it
    let mut elsewhere = 0;
    for deal in &deals {
        let story = world.wait(deal, "done").await?;
        story.done_once()?;
        elsewhere += usize::from(story.pins() != before);
    }
    assert!(elsewhere >= 50, "{elsewhere}");
    // of those that come now some would be in the share
    let later: Vec<Deal> = (162..=181).map(Deal::german).collect();
    world.won(&later).await?;
    for deal in &later {
        assert_eq!(world.wait(deal, "done").await?.pins(), before);
    }
    world.verify().await
}
