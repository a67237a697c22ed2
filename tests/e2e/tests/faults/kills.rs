//! The host is killed, as `kill -9` does: at each append to its journal, at each request that it makes, and then at random
//! under load.
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
};

use anyhow::{Context as _, Result, ensure};
use cambist_doubles::{Proxy, Trouble};
use cambist_e2e::{Deal, disk::Disk, host::PAUSE, sender};
use cambist_journal::State;

use crate::{
    extent::Extent,
    run::{End, Run},
    under_load,
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

impl Moment {
    /// In words, for the report.
    fn words(self) -> &'static str {
        match self {
            Self::Append("write") => "before an append",
            Self::Append("torn") => "in the middle of an append",
            Self::Append("sync") => "before an append is synced",
            Self::Append(_) => "after an append, before anybody is told",
            Self::HubSpot(Trouble::HeldBefore) | Self::Odoo(Trouble::HeldBefore) => "before a request",
            Self::HubSpot(_) | Self::Odoo(_) => "after a request, before its answer",
        }
    }
}

/// A message that is to wait for longer than this is put off: all other waits are of some 100 ms.
const PUT_OFF: i64 = 60;

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
    let begun = killed.at_each_point(extent).await?;
    let Killed { mut run, hits, .. } = killed;
    let at_points: usize = hits.values().sum();
    let at_random = under_load::run(&mut run, extent, begun).await?;
    run.happened = vec![format!("{at_points} kills at points, {at_random} at random")];
    run.happened
        .extend(hits.into_iter().map(|(hit, times)| format!("{hit}: {times}")));
    run.end().await.map(Some)
}

impl Killed {
    /// One deal after the other, each killed once on its way, one point further each time. Gives the number of deals.
    async fn at_each_point(&mut self, extent: &Extent) -> Result<usize> {
        let mut deals = self.run.season.round(1).into_iter();
        for moment in MOMENTS {
            let mut number = 1;
            loop {
                let deal = deals
                    .next()
                    .context("the season has fewer deals than there are points")?;
                if !self.at(moment, number, &deal).await? {
                    // it came to its end before the point: there is none further
                    break;
                }
                number += extent.every;
            }
        }
        Ok(usize::try_from(extent.keys)? - deals.len())
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
        let _ = self.run.world.post(&[sender::won(deal.id, 1)]).await;
        let hit = self.hit(moment, deal).await?;
        self.disk.heal()?;
        self.hubspot.disarm();
        self.odoo.disarm();
        if let Some(hit) = &hit {
            *self.hits.entry(hit.clone()).or_default() += 1;
        }
        self.run.tell(std::slice::from_ref(deal), 1).await?;
        self.on_its_way(deal).await?;
        Ok(hit.is_some())
    }

    /// Waits until a deal has ended, or is put off for as long as Odoo may be at an action that was asked for.
    async fn on_its_way(&self, deal: &Deal) -> Result<()> {
        let what = format!("{} has ended or is put off", deal.object());
        self.run
            .world
            .until(&what, async || {
                self.run.none_rests().await?;
                let stories = self.run.world.stories(deal).await?;
                ensure!(stories.len() <= 1, "{} has several messages", deal.object());
                let through = stories.first().is_some_and(|story| match story.0.status.state {
                    State::Due { at } => at.duration_since(story.0.status.updated_at).as_secs() > PUT_OFF,
                    State::Done => true,
                    _ => false,
                });
                Ok(through.then_some(()))
            })
            .await
    }

    /// Waits until the host is dead, and tells where it was hit; none if the deal ended before.
    async fn hit(&mut self, moment: Moment, deal: &Deal) -> Result<Option<String>> {
        loop {
            let held = match moment {
                Moment::Append(_) if !self.run.world.is_alive() => {
                    return self.recorded(moment, deal).await.map(Some);
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
                let hit = format!("{}: {kind}", moment.words());
                self.run.world.kill()?;
                return Ok(Some(hit));
            }
            let stories = self.run.world.stories(deal).await?;
            if stories.last().is_some_and(|story| story.state() == "done") {
                // what is written can be read before it is synced
                tokio::time::sleep(PAUSE * 5).await;
                let dead = matches!(moment, Moment::Append(_)) && !self.run.world.is_alive();
                return match dead {
                    true => self.recorded(moment, deal).await.map(Some),
                    false => Ok(None),
                };
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Where a host was hit at an append: what the journal has of the deal.
    async fn recorded(&self, moment: Moment, deal: &Deal) -> Result<String> {
        let stories = self.run.world.stories(deal).await?;
        let last = stories.last().and_then(|story| story.0.entries.last());
        let last = last.map_or("nothing", |entry| entry.event.name());
        let passed = stories.last().and_then(|story| story.0.status.passed);
        let stage = passed.map_or("", |stage| stage.name());
        Ok(format!("{}: recorded was {last} {stage}", moment.words()))
    }
}
