//! The host is killed, as `kill -9` does: at each append to its journal, at each request that it makes, and at random under
//! load.
//!
//! The host has no part in it. Appends are watched by a library under its system calls (`faults/disk.c`), requests by
//! proxies before the systems: so a point is where it is, costs nothing where nobody kills, and cannot be switched on by
//! mistake.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use cambist_doubles::{Proxy, Trouble};
use cambist_e2e::{Deal, disk::Disk, host::PAUSE};

use crate::{
    extent::Extent,
    run::{End, Run},
};

/// A kind of moment; each happens several times on a deal's way.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// An append to the journal: the word of `disk.c`.
    Append(&'static str),
    /// A request to HubSpot.
    HubSpot(Trouble),
    /// A request to Odoo.
    Odoo(Trouble),
}

const MOMENTS: [Moment; 8] = [
    Moment::Append("write"),
    Moment::Append("torn"),
    Moment::Append("sync"),
    Moment::Append("synced"),
    Moment::HubSpot(Trouble::HeldBefore),
    Moment::HubSpot(Trouble::HeldAfter),
    Moment::Odoo(Trouble::HeldBefore),
    Moment::Odoo(Trouble::HeldAfter),
];

/// Of the short form, which one of so many points is tried.
const EVERY: u32 = 9;

/// A host that is killed, and what it is killed by.
struct Killed {
    run: Run,
    disk: Disk,
    hubspot: Proxy,
    odoo: Proxy,
    /// Kills, by where they hit.
    hits: BTreeMap<String, usize>,
}

/// The run that is killed all the while.
pub(crate) async fn run(extent: &Extent) -> Result<Option<End>> {
    let Some(mut run) = Run::new("killed", extent).await? else {
        return Ok(None);
    };
    let Some(disk) = Disk::new()? else {
        return Ok(None);
    };
    let hubspot = Proxy::start(&run.world.hubspot.url()).await?;
    let odoo = Proxy::start(run.odoo.fact("URL")).await?;
    run.world.setup.environment = disk.environment();
    run.world.setup.hubspot_address = Some(hubspot.url());
    run.world.setup.odoo_address = Some(odoo.url());
    let mut killed = Killed {
        run,
        disk,
        hubspot,
        odoo,
        hits: BTreeMap::new(),
    };
    killed.at_each_point(extent).await?;
    killed.at_random(extent).await?;
    let Killed { mut run, hits, .. } = killed;
    let sum: usize = hits.values().sum();
    run.happened = vec![format!("{sum} kills")];
    run.happened
        .extend(hits.into_iter().map(|(hit, times)| format!("{hit}: {times}")));
    run.end().await.map(Some)
}

impl Killed {
    /// One deal after the other, each killed once on its way, one point further each time.
    async fn at_each_point(&mut self, extent: &Extent) -> Result<()> {
        let mut deals = self.run.season.round(1).into_iter();
        for moment in MOMENTS {
            let step = if extent.all { 1 } else { EVERY };
            let mut number = 1;
            loop {
                let deal = deals
                    .next()
                    .context("the season has fewer deals than there are points")?;
                if !self.at(moment, number, &deal).await? {
                    // it came to its end before the point: there is none further
                    break;
                }
                number += step;
            }
        }
        let rest: Vec<Deal> = deals.collect();
        self.run.tell(&rest, 1).await?;
        self.run.world.settled().await?;
        Ok(())
    }

    /// Sends a deal on its way and kills the host at this point of it. False if the deal came to its end before.
    async fn at(&mut self, moment: Moment, number: u32, deal: &Deal) -> Result<bool> {
        if !self.run.world.is_alive() {
            self.run.world.restart(None).await?;
        }
        let passed = Arc::new(AtomicU32::new(0));
        let count = move || passed.fetch_add(1, Ordering::SeqCst) + 1 == number;
        match moment {
            Moment::Append(word) => self.disk.fault(&format!("{word} {number}"))?,
            Moment::HubSpot(trouble) => self.hubspot.arm(trouble, move |_| count()),
            Moment::Odoo(trouble) => self.odoo.arm(trouble, move |_| count()),
        }
        self.run.world.know(std::slice::from_ref(deal));
        // its sender may see the host die
        let _ = self.run.world.post(&[cambist_e2e::sender::won(deal.id, 1)]).await;
        let hit = self.hit(moment, deal).await?;
        self.disk.heal()?;
        self.hubspot.disarm();
        self.odoo.disarm();
        if let Some(hit) = &hit {
            *self.hits.entry(hit.clone()).or_default() += 1;
        }
        self.run.tell(std::slice::from_ref(deal), 1).await?;
        self.run.world.wait(deal, "done").await?;
        Ok(hit.is_some())
    }

    /// Waits until the host is dead, and tells where it was hit; none if the deal ended before.
    async fn hit(&mut self, moment: Moment, deal: &Deal) -> Result<Option<String>> {
        loop {
            let held = match moment {
                Moment::Append(_) if !self.run.world.is_alive() => {
                    let stories = self.run.world.stories(deal).await?;
                    let last = stories.last().and_then(|story| story.0.entries.last());
                    let last = last.map_or("nothing", |entry| entry.event.name());
                    let passed = stories.last().and_then(|story| story.0.status.passed);
                    let stage = passed.map_or("", |stage| stage.name());
                    return Ok(Some(format!("{moment:?}, recorded was {last} {stage}")));
                }
                Moment::Append(_) => None,
                Moment::HubSpot(_) => Some(&self.hubspot),
                Moment::Odoo(_) => Some(&self.odoo),
            };
            if let Some(proxy) = held
                && proxy.armed() == 0
            {
                proxy.held().await;
                let seen = proxy.seen();
                let path = &seen.last().context("nothing came by")?.path;
                let kind = path.trim_end_matches(|end: char| end.is_ascii_digit());
                let hit = format!("{moment:?} {kind}");
                self.run.world.kill()?;
                return Ok(Some(hit));
            }
            let stories = self.run.world.stories(deal).await?;
            if stories.last().is_some_and(|story| story.state() == "done") {
                return Ok(None);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// All deals of a round at once, and kills at moments of no plan.
    async fn at_random(&mut self, extent: &Extent) -> Result<()> {
        let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
        let mut kills = 0;
        for round in 2..=extent.rounds {
            let wanted = extent.kills * usize::try_from(round - 1)? / usize::try_from(extent.rounds - 1)?;
            let deals = self.run.season.round(round);
            for deals in deals.chunks(100) {
                self.run.tell(deals, round).await?;
            }
            while kills < wanted {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                tokio::time::sleep(Duration::from_millis(dice % 1_200)).await;
                let due = |status: &cambist_journal::Status| status.state.name() == "due";
                if !self.run.world.messages().await?.iter().any(due) {
                    // the same once more, so that there is something to do
                    self.run
                        .tell(&deals, round * 1_000 + u64::try_from(kills)?)
                        .await?;
                }
                self.run.world.kill()?;
                kills += 1;
                self.run.world.restart(None).await?;
            }
            self.run.world.settled().await?;
        }
        *self.hits.entry("at random".to_owned()).or_default() += kills;
        Ok(())
    }
}
