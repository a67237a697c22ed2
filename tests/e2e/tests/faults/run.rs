//! One host with its Odoo, from the first deal to the picture of the end.

use std::{collections::BTreeMap, ops::RangeInclusive};

use anyhow::{Result, ensure};
use cambist_e2e::{Deal, Picture, Season, Setup, World, odoo::Odoo, sender};

use crate::extent::Extent;

/// Many short waits: what is tested is that each failure is tried again rightly, not how long that takes.
const WAITS: [&str; 60] = ["100ms"; 60];

/// A call may take 3 s if it reads and the least that the config takes if it writes. More plans at once than Odoo Online
/// likes, so that one that hangs does not hold up all. Its own trouble is the test's, so it is never left alone for it.
const SETTINGS: &str = "read-time = \"3s\"\nwrite-time = \"90s\"\nat-once = 6\nbreaker = { on = false }\n";

/// How long everything may take at the end: 20 min of looks. The longest wait of a message is that for an action whose
/// answer was lost, 90 s, and several may stand one behind the other.
const PATIENCE: u32 = 24_000;

/// The id of the first deal.
const FIRST: u64 = 1_000;

/// One host with its Odoo.
pub(crate) struct Run {
    name: &'static str,
    pub(crate) odoo: Odoo,
    pub(crate) world: World,
    pub(crate) season: Season,
    /// What went wrong, for the report.
    pub(crate) happened: Vec<String>,
}

/// How a run ended.
pub(crate) struct End {
    pub(crate) name: &'static str,
    messages: usize,
    pub(crate) picture: Picture,
    pub(crate) happened: Vec<String>,
}

impl Run {
    /// A world that does not run yet; none, said loudly, without an Odoo.
    pub(crate) async fn new(name: &'static str, extent: &Extent) -> Result<Option<Self>> {
        let Some(odoo) = Odoo::fresh(&format!("faults_{}", name.replace(' ', "_")))? else {
            return Ok(None);
        };
        odoo.watch()?;
        let setup = Setup {
            waits: &WAITS,
            odoo_settings: SETTINGS,
            ..Setup::to_odoo(&odoo)
        };
        let mut world = World::quiet(setup).await?;
        world.patience = PATIENCE;
        Ok(Some(Self {
            name,
            odoo,
            world,
            season: Season::new(FIRST, extent.keys),
            happened: Vec::new(),
        }))
    }

    /// Does some rounds, each when the one before has ended.
    pub(crate) async fn in_peace(&mut self, rounds: RangeInclusive<u64>) -> Result<()> {
        for round in rounds {
            let deals = self.season.round(round);
            for deals in deals.chunks(100) {
                self.tell(deals, round).await?;
            }
            self.world.settled().await?;
        }
        Ok(())
    }

    /// Tells the host of deals until it has taken them, as a CRM does that gets no answer. A host that does not run is
    /// started.
    pub(crate) async fn tell(&mut self, deals: &[Deal], event: u64) -> Result<()> {
        self.world.know(deals);
        let events: Vec<_> = deals.iter().map(|deal| sender::won(deal.id, event)).collect();
        loop {
            if !self.world.is_alive() {
                self.world.restart(None).await?;
            }
            match self.world.post(&events).await {
                Ok(status) if (200..300).contains(&status) => return Ok(()),
                // nobody knows whether it was taken
                _ => tokio::time::sleep(cambist_e2e::host::PAUSE).await,
            }
        }
    }

    /// Waits for the end of all work, checks what must be true of every run by itself, and takes the picture.
    pub(crate) async fn end(self) -> Result<End> {
        let stories = self.world.settled().await?;
        let mut ended: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for story in &stories {
            story.done_once()?;
            let last = story.0.entries.last().map_or(0, |entry| entry.place);
            ended.entry(&story.0.status.key).or_default().push(last);
        }
        let astray: Vec<_> = ended.iter().filter(|(_, places)| !places.is_sorted()).collect();
        ensure!(
            astray.is_empty(),
            "{}: not in the order of their receipt: {astray:?}",
            self.name
        );
        let picture = Picture::of(&self.odoo)?;
        let back = picture.went_back();
        ensure!(
            back.is_empty(),
            "{}: Odoo was told something older after something newer: {back:?}",
            self.name
        );
        self.world.verify().await?;
        Ok(End {
            name: self.name,
            messages: stories.len(),
            picture,
            happened: self.happened,
        })
    }
}

impl End {
    /// In short, for people.
    pub(crate) fn summary(&self) -> String {
        format!(
            "{} messages done once and in order; {}",
            self.messages,
            self.picture.summary()
        )
    }
}
