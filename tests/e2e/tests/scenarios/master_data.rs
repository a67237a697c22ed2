//! A company or a contact that changes after its deal was won.

use anyhow::{Context as _, Result};
use cambist_doubles::hubspot::webhook::property_change;
use cambist_e2e::{Deal, Setup, Story, World, sender};
use serde_json::{Value, json};

/// The world after a won deal, and what became of an event of another object.
async fn after(kind: &str, id: String, deal: &Deal) -> Result<Story> {
    let world = World::start(Setup::default()).await?;
    world.won(std::slice::from_ref(deal)).await?;
    world.wait(deal, "done").await?.done_once()?;
    let event = property_change(kind, id.parse()?, "phone", "+49 30 1", 2, sender::OCCURRED_MS);
    assert_eq!(world.post(&[event]).await?, 202);
    let object = format!("{kind}/{id}");
    let mut stories = world.settled().await?.into_iter();
    let story = stories.find(|story| story.0.status.object == object);
    world.verify().await?;
    story.with_context(|| format!("{object} has no message"))
}

/// What the plan writes into each record, by the id that we gave it.
fn written(story: &Story) -> Result<Value> {
    let plan = serde_json::to_value(story.plan()?)?;
    let commands = plan.pointer("/commands").and_then(Value::as_array).cloned();
    let commands = commands.unwrap_or_default();
    let records = commands.iter().filter_map(|command| {
        let record = command.get("upsert")?;
        Some((
            record.pointer("/key/external")?.as_str()?.to_owned(),
            record.get("values")?.clone(),
        ))
    });
    Ok(records.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_company_is_told_to_the_target() -> Result<()> {
    let deal = Deal::german(9001);
    let story = after("company", deal.company_id(), &deal).await?;
    story.done_once()?;
    assert_eq!(story.commands()?, ["upsert res.partner"]);
    let values = written(&story)?;
    let account = format!("/cambist.hubspot_account_{}/name", deal.company_id());
    assert_eq!(values.pointer(&account), Some(&json!("Kunde 9001 GmbH")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_contact_is_told_to_the_target_below_its_company() -> Result<()> {
    let deal = Deal::german(9001);
    let story = after("contact", deal.contact_id(), &deal).await?;
    story.done_once()?;
    assert_eq!(story.commands()?, ["upsert res.partner", "upsert res.partner"]);
    let values = written(&story)?;
    let parent = format!("/cambist.hubspot_contact_{}/parent_id~1id", deal.contact_id());
    let account = format!("cambist.hubspot_account_{}", deal.company_id());
    assert_eq!(values.pointer(&parent), Some(&json!(account)));
    Ok(())
}
