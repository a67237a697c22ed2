//! What the journal tells of one message.

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{
    delivery::Receipt,
    mapping::{Command, Plan},
    stage::Stage,
};
use cambist_journal::{Event, State, journal::Claim};
use serde_json::Value;

/// A message with all that happened to it.
#[derive(Clone, Debug)]
pub struct Story(pub Claim);

impl Story {
    /// Where it stands, by the state's name.
    pub fn state(&self) -> &'static str {
        self.0.status.state.name()
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.0.message.id.as_str()
    }

    /// Why it stands there, as a person reads it; empty where nothing stops it.
    pub fn reason(&self) -> String {
        match &self.0.status.state {
            State::Parked { reason, .. }
            | State::Held { reason, .. }
            | State::Ignored { reason }
            | State::Denied { reason } => reason.clone(),
            State::Due { .. } | State::Waiting { .. } | State::Done => String::new(),
        }
    }

    /// The names of what happened, in order.
    pub fn events(&self) -> Vec<&'static str> {
        self.0.entries.iter().map(|entry| entry.event.name()).collect()
    }

    /// How often something happened.
    pub fn count(&self, event: &str) -> usize {
        self.events().into_iter().filter(|name| *name == event).count()
    }

    /// What a stage made, the last time it was passed.
    pub fn output(&self, wanted: Stage) -> Option<Value> {
        self.0.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Passed { stage, output, .. } if *stage == wanted => Some(output.value()),
            _ => None,
        })
    }

    /// What a stage made, as the journal has it, each time it was passed.
    pub fn outputs(&self, wanted: Stage) -> Vec<&str> {
        let outputs = self.0.entries.iter().filter_map(|entry| match &entry.event {
            Event::Passed { stage, output, .. } if *stage == wanted => Some(output.as_str()),
            _ => None,
        });
        outputs.collect()
    }

    /// The stages that were passed, in order, as often as they were.
    pub fn passed(&self) -> Vec<&'static str> {
        let passed = self.0.entries.iter().filter_map(|entry| match &entry.event {
            Event::Passed { stage, .. } => Some(stage.name()),
            _ => None,
        });
        passed.collect()
    }

    /// Every receipt, in order.
    pub fn receipts(&self) -> Vec<&Receipt> {
        let receipts = self.0.entries.iter().filter_map(|entry| match &entry.event {
            Event::Delivered { receipts, .. } => Some(receipts),
            _ => None,
        });
        receipts.flatten().collect()
    }

    /// The component's pins: stage and revision.
    pub fn pins(&self) -> Vec<(Stage, String)> {
        let pins = self.0.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Routed { pins, .. } => Some(pins),
            _ => None,
        });
        let pins = pins.into_iter().flatten();
        pins.map(|(stage, digest)| (*stage, digest.to_string())).collect()
    }

    /// The plan that `write` made.
    ///
    /// # Errors
    ///
    /// It has made none.
    pub fn plan(&self) -> Result<Plan> {
        let output = self.output(Stage::Write).context("there is no plan")?;
        Ok(serde_json::from_str(&output.to_string())?)
    }

    /// The plan in short: verb and model of each command.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn commands(&self) -> Result<Vec<String>> {
        let plan = self.plan()?;
        let short = plan.commands.iter().map(|command| match command {
            Command::Ensure(record) => format!("ensure {}", record.model),
            Command::Upsert(record) => format!("upsert {}", record.model),
            Command::Act(action) => format!("act {} {}", action.model, action.name),
            Command::Remove(name) => format!("remove {}", name.model),
        });
        Ok(short.collect())
    }

    /// That it is done, and once: one `done`, behind everything else.
    ///
    /// # Errors
    ///
    /// It is not; the error tells its story.
    pub fn done_once(&self) -> Result<()> {
        let events = self.events();
        ensure!(
            self.state() == "done" && self.count("done") == 1 && events.last() == Some(&"done"),
            "{} is {} ({}): {events:?}",
            self.0.status.object,
            self.state(),
            self.reason()
        );
        Ok(())
    }
}
