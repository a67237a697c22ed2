//! Killed between every two stages, and in the middle of a plan: Odoo ends with
//! the deal once.

use anyhow::Result;
use cambist_doubles::{Proxy, Trouble};
use cambist_e2e::{Deal, Setup, World, odoo::Odoo, setup::RECONCILE};

use crate::witness::{exactly_once, picture};

/// Every stage that records something, and the moment between Odoo's last answer
/// and the record of it.
const POINTS: [&str; 8] = [
    "fetch",
    "read",
    "own",
    "judge",
    "tax",
    "write",
    "delivered",
    "deliver",
];

/// The calls of a plan, in its order, and where each is cut.
const CALLS: [(&str, Trouble); 8] = [
    ("/res.partner/load", Trouble::HeldAfter),
    ("/sale.order/load", Trouble::HeldBefore),
    ("/sale.order/load", Trouble::HeldAfter),
    ("/sale.order.line/load", Trouble::HeldAfter),
    ("/sale.order/action_confirm", Trouble::HeldBefore),
    ("/sale.order/action_confirm", Trouble::HeldAfter),
    ("/project.project/load", Trouble::HeldAfter),
    ("/project.milestone/load", Trouble::HeldAfter),
];

/// To this Odoo, with both sides compared in the end.
fn compared(odoo: &Odoo) -> Setup {
    Setup {
        reconcile: RECONCILE,
        ..Setup::to_odoo(odoo)
    }
}

/// The deal is done, once, and its records bear the same ids after it has come
/// again.
async fn ends_well(world: &World, odoo: &Odoo, deal: &Deal, where_: &str) -> Result<()> {
    let story = world.wait(deal, "done").await?;
    story.done_once()?;
    exactly_once(odoo, deal).await?;
    let before = picture(odoo).await?;
    world.operate(&["replay", story.id()]).await?;
    world
        .until("the replay is done", async || {
            let again = world.stories(deal).await?;
            Ok(again
                .iter()
                .any(|it| it.state() == "done" && it.count("done") == 2)
                .then_some(()))
        })
        .await?;
    assert_eq!(picture(odoo).await?, before, "sent again after {where_}");
    world.verify().await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_stage_odoo_has_the_deal_once() -> Result<()> {
    let Some(odoo) = Odoo::fresh("stages")? else {
        return Ok(());
    };
    let mut world = World::quiet(compared(&odoo)).await?;
    for (id, point) in (21..).zip(POINTS) {
        let deal = Deal::german(id);
        world.killed_at(point, &deal).await?;
        world.restart(None).await?;
        ends_well(&world, &odoo, &deal, point).await?;
    }
    world.reconciled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_plan_odoo_has_the_deal_once() -> Result<()> {
    let Some(odoo) = Odoo::fresh("plan")? else {
        return Ok(());
    };
    // what a host was at when it was killed is left alone for so long, where it was an action
    let setup = Setup {
        odoo_settings: "write-time = \"90s\"\n",
        ..compared(&odoo)
    };
    let mut world = World::quiet(setup.clone()).await?;
    world.patience *= 3;
    for (id, (call, trouble)) in (31..).zip(CALLS) {
        let proxy = Proxy::start(odoo.fact("URL")).await?;
        proxy.arm(trouble, move |request| request.path.ends_with(call));
        world.setup.odoo_address = Some(proxy.url());
        world.restart(None).await?;
        let deal = Deal::german(id);
        world.won(std::slice::from_ref(&deal)).await?;
        world
            .until(&format!("{call} is held"), async || {
                Ok((proxy.armed() == 0).then_some(()))
            })
            .await?;
        proxy.held().await;
        world.kill()?;
        world.setup = setup.clone();
        world.restart(None).await?;
        ends_well(&world, &odoo, &deal, &format!("{trouble:?} {call}")).await?;
    }
    world.reconciled().await
}
