//! What the entries of a message tell of one record: pure, from entries to facts.
//!
//! A message that went its way more than once is told whole: what was decided the first time is
//! evidence too.

use std::collections::{BTreeMap, BTreeSet};

use cambist_contract::{
    Decimal,
    canonical::{Change, EntityRef},
    delivery::Receipt,
    digest::Digest,
    fault::Reason,
    mapping::{Command, Plan},
    message::MessageId,
    stage::Stage,
    tax::{AppliedRate, Assessment},
};
use cambist_journal::{Entry, Event, journal::Claim};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::commands::messages;

/// A component of a plugin.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) component: Digest,
}

/// Everything that a message has to do with the record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Found {
    pub(super) message: MessageId,
    pub(super) system: String,
    pub(super) event: String,
    pub(super) object: String,
    /// Who changed the objects, by the ids that the source has for its users.
    pub(super) changed_by: Vec<String>,
    pub(super) occurred_at: Timestamp,
    pub(super) received_at: Timestamp,
    pub(super) state: String,
    pub(super) routes: Vec<Routed>,
    pub(super) people: Vec<Person>,
    pub(super) decisions: Vec<Decision>,
    pub(super) tax: Vec<Ground>,
    /// Those for the record.
    pub(super) commands: Vec<Ordered>,
    /// Those for the record.
    pub(super) receipts: Vec<Kept>,
}

/// A way it was sent, and the revisions on it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Routed {
    pub(super) flow: String,
    pub(super) region: String,
    pub(super) unit: String,
    pub(super) target: String,
    pub(super) revisions: BTreeMap<Stage, Served>,
}

/// What served a stage.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Served {
    pub(super) revision: Digest,
    /// None where the journal does not know when it was made live.
    pub(super) plugin: Option<Plugin>,
}

/// What an operator did with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Person {
    pub(super) at: Timestamp,
    pub(super) what: String,
}

/// What policy or invoicing decided.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Decision {
    pub(super) at: Timestamp,
    pub(super) what: String,
    pub(super) reasons: Vec<Reason>,
}

/// Why a line is taxed as it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Ground {
    pub(super) document: EntityRef,
    pub(super) line: String,
    pub(super) net: Decimal,
    pub(super) currency: String,
    pub(super) rates: Vec<String>,
    pub(super) reason: Reason,
}

/// A command of a plan.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Ordered {
    pub(super) at: Timestamp,
    pub(super) command: Command,
}

/// A receipt, with its place in the chain.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Kept {
    pub(super) place: u64,
    pub(super) at: Timestamp,
    pub(super) receipt: Receipt,
}

/// What `judge` and `draft` make, as far as it is told.
#[derive(Deserialize)]
struct Reasoned {
    reasons: Vec<Reason>,
    #[serde(default)]
    amended: bool,
}

/// Everything the record is called in receipts of these messages, and `id`.
pub(super) fn names(claims: &[Claim], system: &str, model: &str, id: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::from([id.to_owned()]);
    for receipt in claims
        .iter()
        .flat_map(|claim| &claim.entries)
        .flat_map(|entry| receipts(entry, system))
    {
        if receipt.is_for(model, id) {
            names.insert(receipt.external_id.clone());
            names.extend(receipt.target_id.clone());
        }
    }
    names
}

fn receipts<'e>(entry: &'e Entry, system: &str) -> &'e [Receipt] {
    match &entry.event {
        Event::Delivered { target, receipts } if target == system => receipts,
        _ => &[],
    }
}

impl Found {
    /// What a message tells of a record of this system and model, which has these names.
    pub(super) fn of(
        claim: &Claim,
        plugins: &BTreeMap<Digest, Plugin>,
        (system, model, names): (&str, &str, &BTreeSet<String>),
    ) -> Self {
        let Claim {
            message,
            status,
            entries,
        } = claim;
        let why = messages::why(status);
        let mut found = Self {
            message: message.id.clone(),
            system: message.system.clone(),
            event: message.event.clone(),
            object: status.object.clone(),
            changed_by: Vec::new(),
            occurred_at: message.occurred_at,
            received_at: message.received_at,
            state: format!("{}  {why}", status.state.name()).trim_end().to_owned(),
            routes: Vec::new(),
            people: Vec::new(),
            decisions: Vec::new(),
            tax: Vec::new(),
            commands: Vec::new(),
            receipts: Vec::new(),
        };
        let is_for = |receipt: &&Receipt| names.iter().any(|name| receipt.is_for(model, name));
        for entry in entries {
            found.happened(entry, plugins);
            let kept = receipts(entry, system).iter().filter(is_for);
            found.receipts.extend(kept.map(|receipt| Kept {
                place: entry.place,
                at: entry.at,
                receipt: receipt.clone(),
            }));
            let plan = made::<Plan>(entry, Stage::Write).unwrap_or_default();
            let commands = plan.commands.into_iter().filter(|command| {
                let text = command.key().to_string();
                command.model() == model && (names.contains(&text) || names.contains(command.key().id()))
            });
            found.commands.extend(commands.map(|command| Ordered {
                at: entry.at,
                command,
            }));
        }
        found
    }

    fn happened(&mut self, entry: &Entry, plugins: &BTreeMap<Digest, Plugin>) {
        let mut person = |what: String| self.people.push(Person { at: entry.at, what });
        match &entry.event {
            Event::Released { role, by } => person(format!("released for {role} by {by}")),
            Event::Resumed { by, from, .. } => person(format!("again from {from}, asked by {by}")),
            event => {
                if let Some(edit) = event.edit() {
                    person(format!("input {edit}"));
                }
            }
        }
        let mut decided = |what: String, reasons: &[Reason]| {
            self.decisions.push(Decision {
                at: entry.at,
                what,
                reasons: reasons.to_vec(),
            });
        };
        match &entry.event {
            Event::Held { role, reasons } => decided(format!("held for {role}"), reasons),
            Event::Denied { reasons } => decided("denied".to_owned(), reasons),
            Event::Routed {
                flow,
                region,
                unit,
                target,
                pins,
                ..
            } => self.routes.push(Routed {
                flow: flow.clone(),
                region: region.clone(),
                unit: unit.clone(),
                target: target.clone(),
                revisions: pins
                    .iter()
                    .map(|(stage, revision)| {
                        let plugin = plugins.get(revision).cloned();
                        let revision = *revision;
                        (*stage, Served { revision, plugin })
                    })
                    .collect(),
            }),
            _ => {}
        }
        if let Some(judged) = made::<Reasoned>(entry, Stage::Judge) {
            let what = if judged.amended {
                "allowed, with changes"
            } else {
                "allowed"
            };
            decided(what.to_owned(), &judged.reasons);
        }
        if let Some(drafted) = made::<Reasoned>(entry, Stage::Draft).filter(|it| !it.reasons.is_empty()) {
            decided("drafted".to_owned(), &drafted.reasons);
        }
        for assessment in made::<Vec<Assessment>>(entry, Stage::Tax).unwrap_or_default() {
            self.tax.extend(grounds(assessment));
        }
        for change in made::<Vec<Change>>(entry, Stage::Read).unwrap_or_default() {
            self.changed_by.extend(change.changed_by);
        }
        self.changed_by.sort_unstable();
        self.changed_by.dedup();
    }
}

/// What a stage made, where the entry is of it and can be read.
fn made<T: for<'de> Deserialize<'de>>(entry: &Entry, of: Stage) -> Option<T> {
    match &entry.event {
        Event::Passed { stage, output, .. } if *stage == of => serde_json::from_str(output.as_str()).ok(),
        _ => None,
    }
}

fn grounds(assessment: Assessment) -> impl Iterator<Item = Ground> {
    let Assessment {
        entity,
        currency,
        lines,
        ..
    } = assessment;
    lines.into_iter().map(move |line| Ground {
        document: entity.clone(),
        line: line.line,
        net: line.net,
        currency: currency.clone(),
        rates: line.rates.iter().map(rate).collect(),
        reason: line.reason,
    })
}

/// A rate in short, such as `VAT standard 19 %`.
fn rate(applied: &AppliedRate) -> String {
    let rate = &applied.rate;
    let treatment = serde_json::to_value(rate.treatment).unwrap_or_default();
    let treatment = treatment.as_str().unwrap_or_default().to_owned();
    let percent = rate
        .percent
        .map_or(String::new(), |percent| format!(" {percent} %"));
    format!("{} {treatment}{percent}", rate.code)
}

impl Ordered {
    /// The command as a line.
    pub(super) fn short(&self) -> String {
        let (at, key) = (self.at, self.command.key());
        match &self.command {
            Command::Ensure(record) => format!("{at}  ensure {} {key}", record.model),
            Command::Upsert(record) => format!("{at}  upsert {} {key}", record.model),
            Command::Act(action) => format!("{at}  {} {} {key}", action.name, action.model),
            Command::Remove(name) => format!("{at}  remove {} {key}", name.model),
        }
    }
}
