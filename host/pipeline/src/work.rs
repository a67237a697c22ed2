//! What a message carries on its way: its route and what the stages have made.

use std::collections::BTreeMap;

use cambist_contract::{
    Json, context::Context, digest::Digest, message::Message, plugin::LogLine, policy::Approval, stage::Stage,
};
use cambist_journal::{Entry, Event, LinkAnswer, Status, entry::DEEPEST, journal::Claim, under_way::Mark};
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
    /// The step of a plugin's life that the pins follow, where it is known.
    pub(crate) step: Option<u64>,
}

/// A message on its way.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) message: Message,
    pub(crate) status: Status,
    pub(crate) route: Option<Route>,
    /// The route it had before it was resumed on the live revisions.
    earlier: Option<Route>,
    /// What it goes on with was put in the place of what was fetched, by an operator.
    is_edited: bool,
    outputs: BTreeMap<Stage, Json>,
    /// What plugins asked of the links on an earlier way, on the same revisions.
    links: BTreeMap<Stage, Vec<LinkAnswer>>,
    pub(crate) approvals: Vec<Approval>,
    /// It is computed again to be compared: nothing of it is recorded, counted or sent.
    pub(crate) is_rehearsal: bool,
    /// What has happened and is recorded together with how the stage ends.
    pub(crate) happened: Vec<Event>,
    /// That a stage is at it.
    pub(crate) mark: Option<Mark>,
}

/// What a stage made, and what it cost.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) value: Json,
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

impl Route {
    /// Whether both lead the same way, whatever the revisions on it.
    pub(crate) fn is_same_way(&self, other: &Self) -> bool {
        self.flow == other.flow
            && self.region == other.region
            && self.unit == other.unit
            && self.target == other.target
    }
}

impl From<Route> for Event {
    fn from(route: Route) -> Self {
        let Route {
            flow,
            region,
            unit,
            target,
            pins,
            step,
        } = route;
        Self::Routed {
            flow,
            region,
            unit,
            target,
            pins,
            step,
        }
    }
}

/// Refuses what the journal could not read again.
pub(crate) fn shallow(json: &Json) -> Result<(), Failure> {
    if json.fits(DEEPEST) {
        Ok(())
    } else {
        Err(Failure::TooDeep { limit: DEEPEST })
    }
}

impl Output {
    /// An output of the host's own making.
    pub(crate) fn of(value: impl Serialize) -> Result<Self, Failure> {
        let value = Json::of(&value)
            .map_err(|error| Failure::Implausible(format!("it cannot be kept as JSON: {error}")))?;
        shallow(&value)?;
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
            earlier: None,
            is_edited: false,
            outputs: BTreeMap::new(),
            links: BTreeMap::new(),
            approvals: Vec::new(),
            is_rehearsal: false,
            happened: Vec::new(),
            mark: None,
        };
        for entry in claim.entries {
            work.apply(entry);
        }
        work
    }

    /// The same message behind `fetch`, to be computed again: with what was fetched, asked of the
    /// links and approved then.
    pub(crate) fn rehearsal(&self) -> Self {
        let fetched = self.outputs.get_key_value(&Stage::Fetch);
        Self {
            message: self.message.clone(),
            status: self.status.clone(),
            route: self.route.clone(),
            earlier: None,
            is_edited: self.is_edited,
            outputs: fetched
                .map(|(stage, made)| (*stage, made.clone()))
                .into_iter()
                .collect(),
            links: self.links.clone(),
            approvals: self.approvals.clone(),
            is_rehearsal: true,
            happened: Vec::new(),
            mark: None,
        }
    }

    fn apply(&mut self, entry: Entry) {
        if let Event::Passed {
            stage: Stage::Fetch, ..
        } = &entry.event
        {
            self.is_edited = entry.event.edit().is_some();
            if self.is_edited {
                // they were answered for another input
                self.links.clear();
            }
        }
        match entry.event {
            Event::Routed {
                flow,
                region,
                unit,
                target,
                pins,
                step,
            } => self.take(Route {
                flow,
                region,
                unit,
                target,
                pins,
                step,
            }),
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
                // who approved has seen what is now made again
                if from < Stage::Judge {
                    self.approvals.clear();
                }
                if live {
                    self.earlier = self.route.take().or(self.earlier.take());
                    self.links.clear();
                }
            }
            // what is fetched anew is asked anew
            Event::Waiting {
                stage: Stage::Fetch, ..
            } => self.links.clear(),
            Event::Received { .. }
            | Event::Called { .. }
            | Event::Delivered { .. }
            | Event::Merged { .. }
            | Event::Failed { .. }
            | Event::Parked { .. }
            | Event::Held { .. }
            | Event::Waiting { .. }
            | Event::Ignored { .. }
            | Event::Denied { .. }
            | Event::Done
            | Event::Erased { .. } => {}
        }
    }

    /// Takes a route. Where it leads another way than the one before, what plugins
    /// made and people approved on that way does not count any more.
    pub(crate) fn take(&mut self, route: Route) {
        let before = self.route.take().or(self.earlier.take());
        if before.is_some_and(|before| !before.is_same_way(&route)) {
            self.outputs.retain(|stage, _| *stage < Stage::Read);
            self.links.clear();
            self.approvals.clear();
        }
        self.route = Some(route);
    }

    /// It is to be routed as if it began now.
    pub(crate) fn leave_route(&mut self) {
        self.earlier = self.route.take().or(self.earlier.take());
    }

    /// Whether it is to have a route for the object that is there: it had one and is to have
    /// another, or the object is an operator's, which no source would tell again.
    pub(crate) fn is_to_be_routed_again(&self) -> bool {
        self.route.is_none() && (self.earlier.is_some() || self.is_edited) && self.has(Stage::Fetch)
    }

    /// The first stage that is not done.
    pub(crate) fn next(&self) -> Stage {
        let mut stages = Stage::ALL.into_iter();
        stages.find(|stage| !self.has(*stage)).unwrap_or(Stage::Deliver)
    }

    /// What the plugin of a stage was answered before.
    pub(crate) fn answered(&self, stage: Stage) -> Vec<LinkAnswer> {
        self.links.get(&stage).cloned().unwrap_or_default()
    }

    /// Whether a stage is done.
    pub(crate) fn has(&self, stage: Stage) -> bool {
        self.outputs.contains_key(&stage)
    }

    /// What a stage made, as it was written.
    pub(crate) fn made(&self, stage: Stage) -> Option<&Json> {
        self.outputs.get(&stage)
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
        serde_json::from_str(value.as_str()).map_err(|error| unreadable(error.to_string()))
    }

    /// Keeps what a stage made. The next one's attempts are counted anew, as the
    /// journal does.
    pub(crate) fn keep(&mut self, stage: Stage, output: Json) {
        self.outputs.insert(stage, output);
        self.status.attempts = 0;
    }

    /// The route, which `fetch` decides.
    pub(crate) fn route(&self) -> Result<&Route, Failure> {
        self.route
            .as_ref()
            .ok_or_else(|| Failure::Unroutable("the message has no route yet".to_owned()))
    }

    /// Whether the message goes back to the system that it came from, as a draft does that is made of what the books say:
    /// then what was read is the ground for what is made, and nothing that anybody is told.
    pub(crate) fn is_at_home(&self) -> bool {
        let target = self.route.as_ref().map(|route| &route.target);
        target == Some(&self.message.system)
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_contract::message::MessageId;
    use cambist_journal::State;
    use jiff::Timestamp;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// A message to which this has happened.
    fn work(events: impl IntoIterator<Item = Event>) -> Work {
        let message = Message {
            id: MessageId::of("crm", "1"),
            system: "crm".to_owned(),
            event: "deal.changed".to_owned(),
            object_kind: "deal".to_owned(),
            object_id: "1".to_owned(),
            dedupe: "1".to_owned(),
            key: "crm/deal/1".to_owned(),
            occurred_at: NOW,
            received_at: NOW,
            headers: BTreeMap::new(),
            body: "{}".to_owned(),
        };
        let status = Status {
            id: message.id.clone(),
            arrival: 1,
            system: message.system.clone(),
            event: message.event.clone(),
            object: "deal/1".to_owned(),
            key: message.key.clone(),
            flow: None,
            region: None,
            received_at: NOW,
            updated_at: NOW,
            passed: None,
            attempts: 0,
            erased: None,
            behind: None,
            holds: 0,
            state: State::Due { at: NOW },
        };
        let entries = events.into_iter().map(|event| Entry {
            place: 1,
            message: message.id.clone(),
            at: NOW,
            event,
            event_digest: Digest::default(),
            digest: Digest::default(),
        });
        Work::resume(Claim {
            entries: entries.collect(),
            message,
            status,
        })
    }

    fn passed(stage: Stage) -> Event {
        passed_with(stage, Value::Null)
    }

    fn passed_with(stage: Stage, output: Value) -> Event {
        Event::Passed {
            stage,
            output: output.into(),
            took_us: 1,
            fuel: None,
            log: Vec::new(),
            links: Vec::new(),
        }
    }

    fn routed(region: &str) -> Event {
        Event::Routed {
            flow: "deals".to_owned(),
            region: region.to_owned(),
            unit: String::new(),
            target: "odoo".to_owned(),
            pins: BTreeMap::new(),
            step: None,
        }
    }

    fn resumed(from: Stage, live: bool) -> Event {
        let by = "ada".to_owned();
        let (why, order) = (None, None);
        Event::Resumed {
            by,
            from,
            live,
            why,
            order,
        }
    }

    /// Judged, held and approved by finance.
    fn approved() -> Vec<Event> {
        let (role, by) = ("finance".to_owned(), "ada".to_owned());
        vec![
            passed(Stage::Fetch),
            routed("de"),
            passed(Stage::Read),
            passed(Stage::Own),
            Event::Released { role, by },
        ]
    }

    #[test]
    fn an_approval_counts_for_what_was_judged_and_not_for_what_is_fetched_again() {
        for (from, approvals) in [
            (Stage::Fetch, 0),
            (Stage::Read, 0),
            (Stage::Own, 0),
            (Stage::Judge, 1),
            (Stage::Deliver, 1),
        ] {
            let mut events = approved();
            events.push(resumed(from, false));
            assert_eq!(work(events).approvals.len(), approvals, "from {from}");
        }
    }

    #[test]
    fn another_way_forgets_what_was_made_and_approved_on_the_one_before() {
        for (region, stages) in [("de", 3), ("fr", 1)] {
            let mut events = approved();
            events.push(resumed(Stage::Judge, true));
            assert!(work(events.clone()).is_to_be_routed_again());
            events.push(routed(region));
            let work = work(events);
            let kept = [Stage::Fetch, Stage::Read, Stage::Own].map(|stage| work.has(stage));
            assert_eq!(kept.iter().filter(|has| **has).count(), stages, "{region}");
            assert!(work.has(Stage::Fetch));
            assert_eq!(work.approvals.is_empty(), region == "fr");
        }
    }

    #[test]
    fn a_stage_that_is_passed_begins_the_count_of_attempts_anew() {
        let mut work = work([]);
        work.status.attempts = 3;
        work.keep(Stage::Fetch, Value::Null.into());
        assert_eq!(work.status.attempts, 0);
    }

    #[test]
    fn the_deepest_output_that_is_taken_can_be_read_from_an_entry() {
        let nested = |levels: usize| (0..levels).fold(Value::Null, |inner, _| serde_json::json!([inner]));
        let output = Output::of(nested(DEEPEST)).unwrap();
        let text = serde_json::to_string(&passed_with(Stage::Fetch, output.value.value())).unwrap();
        assert!(serde_json::from_str::<Event>(&text).is_ok());
        assert!(matches!(
            Output::of(nested(DEEPEST + 1)),
            Err(Failure::TooDeep { .. })
        ));
    }
}
