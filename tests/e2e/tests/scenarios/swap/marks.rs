//! Revisions that say which one they are, of a policy, a tax and a mapping: each with another
//! mark in its data, which stands in all that it makes; and those that break, which have none.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{digest::Digest, rollout::Step, stage::Stage};
use cambist_e2e::{Story, World, plugins};
use cambist_journal::{Event, ledger::Acted};

/// A plugin that is swapped: its name in the config.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Swapped {
    /// The guest `marked` in the place of the shipped policy: it gives its mark as the reason.
    Policy,
    /// The shipped plugin, with another name of the law that each of its reasons rests on.
    Tax,
    /// The shipped plugin, with another name of the column that each order's customer is in.
    Mapping,
}

impl Swapped {
    pub(crate) const ALL: [Self; 3] = [Self::Policy, Self::Tax, Self::Mapping];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy-deal-desk",
            Self::Tax => "tax-eu-vat",
            Self::Mapping => "map-odoo",
        }
    }

    /// The component with a mark, and the mark.
    fn marked(self, number: u32) -> Result<(Vec<u8>, String)> {
        let (mark, bytes) = match self {
            Self::Policy => (format!("mark-{number:06}"), plugins::marked(number)?),
            Self::Tax => {
                let mark = format!("mark-{number:06}");
                let bytes = plugins::patched(self.name(), "2006/112/EC", &mark)?;
                (mark, bytes)
            }
            Self::Mapping => {
                let mark = format!("mark{number:06}");
                let bytes = plugins::patched(self.name(), "partner_id", &mark)?;
                (mark, bytes)
            }
        };
        Ok((bytes, mark))
    }
}

/// Every marked component that was made, with its mark.
#[derive(Default)]
pub(crate) struct Marks {
    known: HashMap<Digest, String>,
}

impl Marks {
    /// A component that gives a mark of its own.
    pub(crate) fn next(&mut self, plugin: Swapped) -> Result<Vec<u8>> {
        let number = u32::try_from(self.known.len() + 1)?;
        let (bytes, mark) = plugin.marked(number)?;
        self.known.insert(Digest::of(&bytes), mark);
        Ok(bytes)
    }

    /// The mark that the journal says a stage must have left: that of the component of the
    /// revision that the message was pinned to. None where that is no plugin that is swapped.
    ///
    /// # Errors
    ///
    /// It is one that breaks.
    fn expected(&self, world: &World, revision: &Digest) -> Result<Option<&String>> {
        let path = world.data().join(format!("revisions/revisions/{revision}.json"));
        let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let kept: serde_json::Value = serde_json::from_slice(&text)?;
        let of = |name: &str| kept.get(name).and_then(|it| it.as_str()).context("it says it");
        let plugin = of("plugin")?;
        if !Swapped::ALL.iter().any(|swapped| swapped.name() == plugin) {
            return Ok(None);
        }
        let component: Digest = of("component")?.parse()?;
        let mark = self.known.get(&component);
        mark.map(Some).context("it is no revision that breaks")
    }

    /// That a message was pinned to what served by the steps that it says it followed, and that
    /// each of its stages was made by the revision that it was pinned to then. Gives how many of
    /// each plugin's there were.
    pub(crate) fn prove(
        &self,
        world: &World,
        acts: &[Acted],
        story: &Story,
    ) -> Result<BTreeMap<Stage, usize>> {
        let (mut pinned, mut proved) = (None, BTreeMap::new());
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
                    pinned = Some(pins);
                }
                Event::Passed { stage, output, .. } => {
                    let Some(revision) = pinned.and_then(|pins| pins.get(stage)) else {
                        continue;
                    };
                    let mark = self.expected(world, revision);
                    let mark = mark.with_context(|| format!("{}: `{stage}`", story.id()))?;
                    let Some(mark) = mark else { continue };
                    ensure!(
                        output.as_str().contains(mark.as_str()),
                        "{}: `{stage}` was made by another than {mark}: {output:?}",
                        story.id()
                    );
                    *proved.entry(*stage).or_default() += 1;
                }
                _ => {}
            }
        }
        Ok(proved)
    }
}

/// Every revision that served, all keys or a share, when the step at this place was the last.
fn served(acts: &[Acted], step: u64) -> BTreeSet<Digest> {
    let (mut live, mut share) = (BTreeMap::new(), BTreeMap::new());
    for Acted { act, .. } in acts.iter().filter(|acted| acted.place <= step) {
        let (plugin, component) = (&act.plugin, act.component);
        match &act.step {
            Step::Live { revisions, .. } => {
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
