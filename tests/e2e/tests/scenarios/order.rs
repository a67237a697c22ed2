//! One order per key, and none across keys.

use anyhow::Result;
use cambist_e2e::{Deal, Setup, World, sender};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_message_holds_back_its_deal_and_no_other() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let bad = Deal::german(1).with(json!({"closedate": null}));
    world.won(std::slice::from_ref(&bad)).await?;
    let first = world.wait(&bad, "parked").await?;
    // a second event of the same deal, and one of another
    assert_eq!(world.post(&[sender::won(1, 2)]).await?, 202);
    let other = Deal::german(2);
    world.won(std::slice::from_ref(&other)).await?;
    world.wait(&other, "done").await?;
    let stories = world.stories(&bad).await?;
    let states: Vec<_> = stories
        .iter()
        .map(|story| (story.state(), story.events().len()))
        .collect();
    assert_eq!(
        states,
        [("parked", first.events().len()), ("due", 1)],
        "the second has not begun"
    );

    world.know(&[Deal::german(1)]);
    world.operate(&["replay", first.id()]).await?;
    let all = world.settled().await?;
    assert_eq!(all.len(), 3);
    for story in &all {
        story.done_once()?;
    }
    let places = world.stories(&bad).await?;
    let ended: Vec<_> = places
        .iter()
        .filter_map(|story| story.0.entries.last().map(|it| it.place))
        .collect();
    assert!(
        ended.is_sorted(),
        "they ended in the order of their receipt: {ended:?}"
    );
    world.verify().await
}
