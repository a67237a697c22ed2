//! Whatever is sent again, and however, Odoo has each deal once.

use anyhow::Result;
use cambist_e2e::{Deal, Setup, World, odoo::Odoo, sender, setup::RECONCILE};

use crate::witness::{all_exactly_once, picture};

#[tokio::test(flavor = "multi_thread")]
async fn deals_of_every_region_are_in_odoo_once_however_often_they_are_sent() -> Result<()> {
    let Some(odoo) = Odoo::fresh("once")? else {
        return Ok(());
    };
    let setup = Setup {
        reconcile: RECONCILE,
        ..Setup::to_odoo(&odoo)
    };
    let mut world = World::start(setup).await?;
    let deals = [
        Deal::german(11),
        Deal::french(12),
        Deal::american(13),
        Deal::gujarati(14),
        Deal::maharashtrian(15),
    ];
    world.won(&deals).await?;
    all_exactly_once(&world, &odoo, &deals).await?;
    let first = picture(&odoo).await?;

    // the same events in another order, and twice at once
    let events: Vec<_> = deals.iter().rev().map(|deal| sender::won(deal.id, 1)).collect();
    let (one, other) = tokio::join!(world.post(&events), world.post(&events));
    assert_eq!((one?, other?), (202, 202));
    all_exactly_once(&world, &odoo, &deals).await?;
    assert_eq!(picture(&odoo).await?, first, "the same events");

    // new events of the same deals, in another order and twice at once: new messages
    for again in [2, 3] {
        let events: Vec<_> = deals
            .iter()
            .rev()
            .map(|deal| sender::won(deal.id, again))
            .collect();
        assert_eq!(world.post(&events).await?, 202);
    }
    all_exactly_once(&world, &odoo, &deals).await?;
    assert_eq!(world.messages().await?.len(), 3 * deals.len());
    assert_eq!(picture(&odoo).await?, first, "new events");

    // a host that has forgotten all: what it does not know it looks up
    world.kill()?;
    std::fs::remove_dir_all(world.data())?;
    world.restart(None).await?;
    world.won(&deals).await?;
    all_exactly_once(&world, &odoo, &deals).await?;
    assert_eq!(picture(&odoo).await?, first, "an empty journal");
    world.reconciled().await
}
