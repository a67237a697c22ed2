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

/// A component of a plugin.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plugin {
    /// The plugin's name.
    pub name: String,
    /// Its version, as it says itself.
    pub version: Option<String>,
    /// The component.
    pub component: Digest,
}

/// Everything that a message has to do with the record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Found {
    /// The message.
    pub message: MessageId,
    /// The system that sent it, by its name in the config.
    pub system: String,
    /// What happened there, in its words.
    pub event: String,
    /// The object, in its words: `deal/7`.
    pub object: String,
    /// Who changed the objects, by the ids that the source has for its users.
    pub changed_by: Vec<String>,
    /// When it happened, as the sender says.
    pub occurred_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// Where it stands, and why.
    pub state: String,
    /// The ways it was sent.
    pub routes: Vec<Routed>,
    /// What operators did with it.
    pub people: Vec<Person>,
    /// What policy and invoicing decided.
    pub decisions: Vec<Decision>,
    /// Why its lines are taxed as they are.
    pub tax: Vec<Ground>,
    /// The commands for the record.
    pub commands: Vec<Ordered>,
    /// What the target answered to those.
    pub receipts: Vec<Kept>,
    /// Where the target did not do what it was told, whichever record it was about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refused>,
}

/// A way it was sent, and the revisions on it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Routed {
    /// The flow.
    pub flow: String,
    /// The region.
    pub region: String,
    /// The business unit; empty where there is none.
    pub unit: String,
    /// The target.
    pub target: String,
    /// What served each stage.
    pub revisions: BTreeMap<Stage, Served>,
}

/// What served a stage.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Served {
    /// The revision.
    pub revision: Digest,
    /// None where the journal does not know when it was made live.
    pub plugin: Option<Plugin>,
}

/// What an operator did with it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Person {
    /// When.
    pub at: Timestamp,
    /// What, who and why, as a sentence.
    pub what: String,
}

/// What policy or invoicing decided.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// What: `allowed`, `held for finance`.
    pub what: String,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Why a line is taxed as it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ground {
    /// The document.
    pub document: EntityRef,
    /// The line, by its id.
    pub line: String,
    /// Its net amount.
    pub net: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// The rates, such as `VAT standard 19 %`.
    pub rates: Vec<String>,
    /// Why.
    pub reason: Reason,
}

/// A command of a plan.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ordered {
    /// When the plan was made.
    pub at: Timestamp,
    /// The command.
    pub command: Command,
}

/// A receipt, with its place in the chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Kept {
    /// The entry's place.
    pub place: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The receipt.
    pub receipt: Receipt,
}

/// An attempt to deliver that failed, with its place in the chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Refused {
    /// The entry's place.
    pub place: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What the target answered, or that it did not.
    pub what: String,
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
        let why = status.why();
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
            refusals: Vec::new(),
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
            event => {
                if let Some(edit) = event.edit() {
                    person(format!("input {edit}"));
                }
                if let Some(again) = event.again() {
                    person(again);
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
        let mut refused = |what: String| {
            self.refusals.push(Refused {
                place: entry.place,
                at: entry.at,
                what,
            });
        };
        match &entry.event {
            Event::Failed {
                stage: Stage::Deliver,
                attempt,
                error,
                ..
            } => refused(format!("attempt {attempt}: {error}")),
            Event::Parked {
                stage: Stage::Deliver,
                code,
                reason,
            } => refused(format!("{code}: {reason}")),
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
    pub fn short(&self) -> String {
        let (at, key) = (self.at, self.command.key());
        match &self.command {
            Command::Ensure(record) => format!("{at}  ensure {} {key}", record.model),
            Command::Upsert(record) => format!("{at}  upsert {} {key}", record.model),
            Command::Act(action) => format!("{at}  {} {} {key}", action.name, action.model),
            Command::Remove(name) => format!("{at}  remove {} {key}", name.model),
        }
    }
}
