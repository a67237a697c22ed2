//! Revisions that say which one they are: the guest `marked` with another mark each, and
//! those that break.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use cambist_contract::digest::Digest;
use cambist_e2e::{Story, World, plugins};
use cambist_journal::Event;

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

    /// That each judgement of a message was made by the revision that it was pinned to then.
    /// Gives how many there were.
    pub(crate) fn prove(&self, world: &World, story: &Story) -> Result<u32> {
        let (mut pinned, mut judged) = (None, 0);
        for entry in &story.0.entries {
            match &entry.event {
                Event::Routed { pins, .. } => pinned = pins.get(&cambist_contract::stage::Stage::Judge),
                Event::Passed {
                    stage: cambist_contract::stage::Stage::Judge,
                    output,
                    ..
                } => {
                    let revision = pinned.context("it is pinned before it is judged")?;
                    let mark = self.expected(world, revision)?;
                    let mark = mark.context("what judged it is no revision that breaks")?;
                    anyhow::ensure!(
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
