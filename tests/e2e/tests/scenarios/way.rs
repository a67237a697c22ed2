//! The way of a won deal, and of what is none.

use anyhow::Result;
use cambist_contract::stage::Stage;
use cambist_doubles::hubspot::webhook::property_change;
use cambist_e2e::{Deal, Setup, World, sender};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_won_deal_is_customer_order_and_project() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deal = Deal::german(9001);
    world.won(std::slice::from_ref(&deal)).await?;
    let story = world.wait(&deal, "done").await?;
    story.done_once()?;
    assert_eq!(
        story.passed(),
        ["fetch", "read", "own", "judge", "tax", "write", "deliver"]
    );
    let commands = story.commands()?;
    assert_eq!(
        commands,
        [
            "upsert res.partner",
            "upsert res.partner",
            "ensure sale.order",
            "act sale.order write",
            "upsert sale.order",
            "ensure product.product",
            "upsert sale.order.line",
            "ensure product.product",
            "upsert sale.order.line",
            "act sale.order action_confirm",
            "upsert project.project",
            "upsert project.milestone",
            "upsert project.milestone",
        ]
    );
    assert_eq!(
        story.receipts().len(),
        commands.len(),
        "a receipt for each command"
    );
    let tax = story.output(Stage::Tax).unwrap_or_default();
    // 19 % of 10 x 120.50 + 845.00 (§12(1) UStG)
    for (pointer, amount) in [("/0/net", "2050"), ("/0/tax", "389.5"), ("/0/gross", "2439.5")] {
        let told: rust_decimal::Decimal = tax
            .pointer(pointer)
            .and_then(|it| it.as_str())
            .unwrap_or("-1")
            .parse()?;
        assert_eq!(told, amount.parse()?, "{pointer}");
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_region_has_its_own_tax() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deals = [
        (Deal::german(1), "VAT/standard/19"),
        (Deal::french(2), "VAT/reverse-charge/0"),
        (Deal::american(3), "VAT/outside-scope/0"),
        (Deal::gujarati(4), "CGST/standard/9+SGST/standard/9"),
        (Deal::maharashtrian(5), "IGST/standard/18"),
        (
            Deal::german(6).with(json!({"region": "fr"})),
            "VAT/reverse-charge/0",
        ),
    ];
    world.won(&deals.each_ref().map(|(deal, _)| deal.clone())).await?;
    for (deal, tax) in &deals {
        let story = world.wait(deal, "done").await?;
        let assessment = story.output(Stage::Tax).unwrap_or_default();
        let mut rates: Vec<String> = Vec::new();
        for rate in assessment
            .pointer("/0/lines/0/rates")
            .and_then(|it| it.as_array())
            .into_iter()
            .flatten()
        {
            let rate = rate.get("rate");
            let text = |name: &str| {
                let text = rate.and_then(|rate| rate.get(name));
                text.and_then(|it| it.as_str()).unwrap_or_default()
            };
            rates.push(format!(
                "{}/{}/{}",
                text("code"),
                text("treatment"),
                text("percent")
            ));
        }
        rates.sort();
        assert_eq!(rates.join("+"), *tax, "{}", deal.object());
    }
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_that_is_not_won_is_ignored_with_its_stage() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deal = Deal::german(9001).with(json!({"dealstage": "contractsent"}));
    world.won(std::slice::from_ref(&deal)).await?;
    let story = world.wait(&deal, "ignored").await?;
    assert!(story.reason().contains("contractsent"), "{}", story.reason());
    assert_eq!(story.count("delivered"), 0);
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_no_flow_takes_is_ignored() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let event = property_change("ticket", 5, "subject", "Help", 1, sender::OCCURRED_MS);
    assert_eq!(world.post(&[event]).await? / 100, 2);
    let stories = world.settled().await?;
    assert_eq!(stories.len(), 1);
    for story in stories {
        assert_eq!(story.state(), "ignored");
        assert_eq!(story.reason(), "no flow takes this event");
    }
    assert!(world.hubspot.seen().is_empty(), "nothing was asked of HubSpot");
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_of_an_unknown_region_is_parked() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    let deal = Deal::german(9001).with(json!({"region": "atlantis"}));
    world.won(std::slice::from_ref(&deal)).await?;
    let story = world.wait(&deal, "parked").await?;
    assert!(story.reason().contains("region"), "{}", story.reason());
    // a new region in HubSpot, then once more
    world.know(&[Deal::german(9001)]);
    world.operate(&["replay", story.id()]).await?;
    world.wait(&deal, "done").await?.done_once()?;
    world.verify().await
}
