//! Revisions that say which one they are: the guest `marked` with another mark each, and
//! those that break.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{digest::Digest, rollout::Step, stage::Stage};
use cambist_e2e::{Story, World, plugins};
use cambist_journal::{Event, ledger::Acted};

/// Every marked component that was made, with its mark.
#[derive(Default)]
pub(crate) struct Marks {
    known: HashMap<Digest, String>,
}

impl Marks {
    /// A component that gives a mark of its own.
    pub(crate) fn next(&mut self) -> Result<Vec<u8>> {
        let number = u32::try_from(self.known.len() + 1)?;
        let bytes = plugins::marked(number)?;
        let mark = format!("mark-{number:06}");
        self.known.insert(Digest::of(&bytes), mark);
        Ok(bytes)
    }

    /// The mark that the journal says a message's policy must have given: that of the component
    /// of the revision it was pinned to when it was judged. None for one that broke.
    pub(crate) fn expected(&self, world: &World, revision: &Digest) -> Result<Option<&String>> {
        let path = world.data().join(format!("revisions/revisions/{revision}.json"));
        let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let kept: serde_json::Value = serde_json::from_slice(&text)?;
        let component = kept.get("component").and_then(|it| it.as_str());
        let component: Digest = component.context("it has a component")?.parse()?;
        Ok(self.known.get(&component))
    }

    /// That a message was pinned to what served by the steps that it says it followed, and that
    /// each of its judgements was made by the revision that it was pinned to then. Gives how
    /// many there were.
    pub(crate) fn prove(&self, world: &World, acts: &[Acted], story: &Story) -> Result<u32> {
        let (mut pinned, mut judged) = (None, 0);
        for entry in &story.0.entries {
            match &entry.event {
                Event::Routed { pins, step, .. } => {
                    let step = step.context("it says which step its pins follow")?;
                    ensure!(step < entry.place, "{}: {step} is no step before it", story.id());
                    let served = served(acts, step);
                    let stray = pins.values().find(|pin| !served.contains(pin));
                    ensure!(
                        stray.is_none(),
                        "{}: {stray:?} did not serve at {step}",
                        story.id()
                    );
                    pinned = pins.get(&Stage::Judge);
                }
                Event::Passed {
                    stage: Stage::Judge,
                    output,
                    ..
                } => {
                    let revision = pinned.context("it is pinned before it is judged")?;
                    let mark = self.expected(world, revision)?;
                    let mark = mark.context("what judged it is no revision that breaks")?;
                    ensure!(
                        output.as_str().contains(mark.as_str()),
                        "{}: judged by another than {mark}: {output:?}",
                        story.id()
                    );
                    judged += 1;
                }
                _ => {}
            }
        }
        Ok(judged)
    }
}

/// Every revision that served, all keys or a share, when the step at this place was the last.
fn served(acts: &[Acted], step: u64) -> BTreeSet<Digest> {
    let (mut live, mut share) = (BTreeMap::new(), BTreeMap::new());
    for Acted { act, .. } in acts.iter().filter(|acted| acted.place <= step) {
        let (plugin, component) = (&act.plugin, act.component);
        match &act.step {
            Step::Live { revisions } => {
                live.insert(plugin, (component, revisions));
                share.retain(|of, (shared, _)| *of != plugin || *shared != component);
            }
            Step::Share { revisions, .. } => drop(share.insert(plugin, (component, revisions))),
            Step::Shadow { .. } | Step::Withdrawn { .. } => drop(share.remove(plugin)),
            Step::Killed { .. } => {
                live.retain(|of, (killed, _)| *of != plugin || *killed != component);
                share.retain(|of, (killed, _)| *of != plugin || *killed != component);
            }
            Step::Registered { .. } | Step::Refused { .. } | Step::Passed { .. } | Step::Retired => {}
        }
    }
    let all = live.into_values().chain(share.into_values());
    all.flat_map(|(_, revisions)| revisions.values().copied())
        .collect()
}
