//! One host with its Odoo, from the first deal to the picture of the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use cambist_e2e::{Deal, Picture, Season, Setup, World, host::PAUSE, odoo::Odoo, sender, setup::RECONCILE};
use cambist_journal::{Journal as _, Status, journal::Filter};

use crate::extent::Extent;

/// Many short waits: what is tested is that each failure is tried again rightly, not how long that takes. More than there
/// are kills, because each counts as an attempt of whatever was under way.
const WAITS: [&str; 400] = ["100ms"; 400];

/// A call may take 5 s if it reads and the least that the config takes if it writes. More plans at once than Odoo Online
/// likes, so that those that hang do not hold up all. Its own trouble is the test's, so it is never left alone for it.
const SETTINGS: &str = "read-time = \"5s\"\nwrite-time = \"90s\"\nat-once = 24\nbreaker = { on = false }\n";

/// How long everything may take at the end: 20 min of looks. The longest wait of a message is that for an action whose
/// answer was lost, 90 s, and several may stand one behind the other.
const PATIENCE: u32 = 24_000;

/// Events in one call, as HubSpot sends them at most.
const BATCH: usize = 100;

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
    begun: Instant,
}

/// How a run ended.
pub(crate) struct End {
    pub(crate) name: &'static str,
    seconds: u64,
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
            reconcile: RECONCILE,
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
            begun: Instant::now(),
        }))
    }

    /// Does some rounds, each when the one before has ended.
    pub(crate) async fn in_peace(&mut self, rounds: &[u64]) -> Result<()> {
        for round in rounds {
            self.tell(&self.season.round(*round), *round).await?;
            self.ended().await?;
        }
        Ok(())
    }

    /// Waits until all messages have ended.
    pub(crate) async fn ended(&self) -> Result<()> {
        let look = async || {
            self.none_rests().await?;
            let due = self.due().await?;
            Ok(due.is_empty().then_some(()))
        };
        self.world
            .until(&format!("{}: all has ended", self.name), look)
            .await
    }

    /// That no message waits for a person or an entity: in a season none has a reason to.
    pub(crate) async fn none_rests(&self) -> Result<()> {
        for state in ["parked", "held", "waiting"] {
            let resting = self.messages(state).await?;
            if let Some(status) = resting.first() {
                bail!(
                    "{}: {} messages are {state}, such as {}: {:?}",
                    self.name,
                    resting.len(),
                    status.object,
                    status.state
                );
            }
        }
        Ok(())
    }

    /// The objects of the messages that have not ended.
    pub(crate) async fn due(&self) -> Result<BTreeSet<String>> {
        let due = self.messages("due").await?;
        Ok(due.into_iter().map(|status| status.object).collect())
    }

    async fn messages(&self, state: &str) -> Result<Vec<Status>> {
        let filter = Filter {
            state: Some(state.to_owned()),
            limit: 10_000,
            ..Filter::default()
        };
        Ok(self.world.journal()?.list(filter).await?)
    }

    /// Tells the host of deals until it has taken them, as a CRM does that gets no answer. A host that does not run is
    /// started.
    pub(crate) async fn tell(&mut self, deals: &[Deal], event: u64) -> Result<()> {
        self.world.know(deals);
        let events: Vec<_> = deals.iter().map(|deal| sender::won(deal.id, event)).collect();
        for batch in events.chunks(BATCH) {
            loop {
                if !self.world.is_alive() {
                    self.world.restart(None).await?;
                }
                match self.world.post(batch).await {
                    Ok(status) if (200..300).contains(&status) => break,
                    Ok(status) => ensure!(status == 503, "the host answered {status}"),
                    // nobody knows whether it was taken
                    Err(_) => {}
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    /// Waits for the end of all work, checks what must be true of every run by itself, and takes the picture.
    pub(crate) async fn end(mut self) -> Result<End> {
        if !self.world.is_alive() {
            self.world.restart(None).await?;
        }
        self.ended().await?;
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
        let reconciled = self.world.reconciled().await;
        reconciled.with_context(|| format!("{}: the two sides differ", self.name))?;
        Ok(End {
            name: self.name,
            seconds: self.begun.elapsed().as_secs(),
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
            "{} s, {} messages done once and in order, both sides reconciled; {}",
            self.seconds,
            self.messages,
            self.picture.summary()
        )
    }
}
