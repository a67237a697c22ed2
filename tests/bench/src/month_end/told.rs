//! What the journal tells of a backlog that was worked off: when which region's messages ended, and whether keys kept their order.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use cambist_e2e::World;
use cambist_journal::{Event, Journal as _, Status, journal::Filter};
use jiff::Timestamp;

use super::region;

/// Messages on one page of a list.
const PAGE: usize = 5_000;

/// What was found.
pub(super) struct Told {
    /// How many ended.
    pub(super) ended: u64,
    /// From the first end to the last.
    pub(super) busy: Duration,
    /// From receipt to end, of urgent ones.
    pub(super) urgent: Vec<Duration>,
    pub(super) others_done: [f64; 2],
    pub(super) first_done: f64,
    pub(super) keys_in_order: usize,
}

/// Reads it of the messages that ended since the work began.
pub(super) async fn read(world: &World, began: Timestamp) -> Result<Told> {
    let journal = world.journal()?;
    let mut all: Vec<Status> = Vec::new();
    loop {
        let filter = Filter {
            limit: PAGE,
            before: all.last().map(|status| status.arrival),
            ..Filter::default()
        };
        let page = journal.list(filter).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    all.reverse();
    let mut keys: BTreeMap<&str, Vec<&Status>> = BTreeMap::new();
    let mut ends: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut urgent = Vec::new();
    for status in &all {
        ensure!(
            status.state.name() == "done",
            "{} is {}",
            status.object,
            status.state.name()
        );
        keys.entry(&status.key).or_default().push(status);
        match status.flow.as_deref() {
            Some("people") => urgent.push(between(status.received_at, status.updated_at)),
            _ if status.received_at < began => {
                let region = status.region.as_deref().unwrap_or_default();
                ends.entry(region)
                    .or_default()
                    .push(between(began, status.updated_at));
            }
            _ => {}
        }
    }
    let keys_in_order = in_order(
        world,
        keys.values().map(Vec::as_slice).filter(|of_key| of_key.len() > 1),
    )
    .await?;
    let large = region(0);
    let bounds = |of: &[Duration]| (of.iter().min().copied(), of.iter().max().copied());
    let whole: Vec<Duration> = ends.values().flatten().copied().collect();
    let (Some(first), Some(last)) = bounds(&whole) else {
        anyhow::bail!("nothing ended")
    };
    let share = |at: Duration| at.as_secs_f64() / last.as_secs_f64();
    let others = ends.iter().filter(|(region, _)| **region != large);
    let done: Vec<f64> = others.filter_map(|(_, of)| bounds(of).1.map(share)).collect();
    let begun = ends.values().filter_map(|of| bounds(of).0.map(share));
    Ok(Told {
        ended: whole.len() as u64,
        busy: last - first,
        urgent,
        others_done: [
            done.iter().copied().fold(1.0, f64::min),
            done.iter().copied().fold(0.0, f64::max),
        ],
        first_done: begun.fold(0.0, f64::max),
        keys_in_order,
    })
}

/// How many keys had no message begun before the one before it had ended.
async fn in_order<'s>(world: &World, keys: impl Iterator<Item = &'s [&'s Status]>) -> Result<usize> {
    let journal = world.journal()?;
    let mut count = 0;
    for of_key in keys {
        let mut last = 0;
        for status in of_key {
            let Some(claim) = journal.message(&status.id).await? else {
                continue;
            };
            let routed = claim
                .entries
                .iter()
                .find(|entry| matches!(entry.event, Event::Routed { .. }));
            let begun = routed.map_or(0, |entry| entry.place);
            ensure!(begun > last, "{} was begun before its turn", status.object);
            last = claim.entries.last().map_or(0, |entry| entry.place);
        }
        count += 1;
    }
    Ok(count)
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
