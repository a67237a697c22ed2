//! What a message carries on its way: its route and what the stages have made.

use std::collections::BTreeMap;

use cambist_contract::{
    context::Context, digest::Digest, message::Message, plugin::LogLine, policy::Approval, stage::Stage,
};
use cambist_journal::{Entry, Event, LinkAnswer, Status, journal::Claim};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::failure::Failure;

/// Where a message goes, and on which revisions.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) flow: String,
    pub(crate) region: String,
    pub(crate) unit: String,
    pub(crate) target: String,
    pub(crate) pins: BTreeMap<Stage, Digest>,
}

/// A message on its way.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) message: Message,
    pub(crate) status: Status,
    pub(crate) route: Option<Route>,
    outputs: BTreeMap<Stage, Value>,
    /// What plugins asked of the links on an earlier way, on the same revisions.
    links: BTreeMap<Stage, Vec<LinkAnswer>>,
    pub(crate) approvals: Vec<Approval>,
}

/// What a stage made, and what it cost.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) value: Value,
    pub(crate) fuel: Option<u64>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) links: Vec<LinkAnswer>,
}

/// How a stage ended, when it did not fail.
#[derive(Debug)]
pub(crate) enum Passed {
    /// The message goes on with this.
    On(Output),
    /// The message stops here: it ended, is held or waits.
    Stop(Event),
}

impl Output {
    /// An output of the host's own making.
    pub(crate) fn of(value: impl Serialize) -> Result<Self, Failure> {
        let value = serde_json::to_value(value)
            .map_err(|error| Failure::Implausible(format!("it cannot be kept as JSON: {error}")))?;
        Ok(Self {
            value,
            fuel: None,
            log: Vec::new(),
            links: Vec::new(),
        })
    }
}

impl Work {
    /// Takes up a message where its entries left it.
    pub(crate) fn resume(claim: Claim) -> Self {
        let mut work = Self {
            message: claim.message,
            status: claim.status,
            route: None,
            outputs: BTreeMap::new(),
            links: BTreeMap::new(),
            approvals: Vec::new(),
        };
        for entry in claim.entries {
            work.apply(entry);
        }
        work
    }

    fn apply(&mut self, entry: Entry) {
        match entry.event {
            Event::Routed {
                flow,
                region,
                unit,
                target,
                pins,
            } => {
                self.route = Some(Route {
                    flow,
                    region,
                    unit,
                    target,
                    pins,
                });
            }
            Event::Passed {
                stage, output, links, ..
            } => {
                self.outputs.insert(stage, output);
                self.links.insert(stage, links);
            }
            Event::Released { role, by } => {
                self.approvals.push(Approval {
                    role,
                    by,
                    at: entry.at,
                });
                self.outputs.retain(|stage, _| *stage < Stage::Judge);
            }
            Event::Resumed { from, live, .. } => {
                self.outputs.retain(|stage, _| *stage < from);
                if live {
                    self.route = None;
                    self.links.clear();
                }
            }
            Event::Received { .. }
            | Event::Delivered { .. }
            | Event::Failed { .. }
            | Event::Parked { .. }
            | Event::Held { .. }
            | Event::Waiting { .. }
            | Event::Ignored { .. }
            | Event::Denied { .. }
            | Event::Done => {}
        }
    }

    /// What the plugin of a stage was answered before.
    pub(crate) fn answered(&self, stage: Stage) -> Vec<LinkAnswer> {
        self.links.get(&stage).cloned().unwrap_or_default()
    }

    /// Whether a stage is done.
    pub(crate) fn has(&self, stage: Stage) -> bool {
        self.outputs.contains_key(&stage)
    }

    /// What a stage made.
    pub(crate) fn output<T: DeserializeOwned>(&self, stage: Stage) -> Result<T, Failure> {
        let unreadable = |detail: String| Failure::Unreadable {
            stage: stage.name(),
            detail,
        };
        let value = self
            .outputs
            .get(&stage)
            .ok_or_else(|| unreadable("it is not there".to_owned()))?;
        // by way of the text, because some types read JSON as text
        serde_json::from_str(&value.to_string()).map_err(|error| unreadable(error.to_string()))
    }

    /// Keeps what a stage made.
    pub(crate) fn keep(&mut self, stage: Stage, output: Value) {
        self.outputs.insert(stage, output);
    }

    /// The route, which `fetch` decides.
    pub(crate) fn route(&self) -> Result<&Route, Failure> {
        self.route
            .as_ref()
            .ok_or_else(|| Failure::Unroutable("the message has no route yet".to_owned()))
    }

    /// The context of plugin calls, but for the settings of the revision.
    pub(crate) fn context(&self, settings: &Value) -> Result<Context, Failure> {
        let route = self.route()?;
        Ok(Context {
            message: self.message.id.clone(),
            flow: route.flow.clone(),
            region: route.region.clone(),
            unit: route.unit.clone(),
            time: self.message.occurred_at,
            settings: settings.into(),
        })
    }
}
