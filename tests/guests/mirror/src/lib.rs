//! Every function and every record of the contract, there and back: it answers what its
//! settings say, and writes down what it was handed, as JSON in the contract's words. For
//! the unit `looks-up` it asks the host's functions too, and for `panics` it has last words.
//!
//! Built once and kept as a file of its generation: see `../../frozen/README.md`. It
//! decides nothing, so there is nothing in it to keep up to date.

use cambist_sdk::prelude::*;

/// The plugin.
pub struct Mirror;

/// What the settings say: `{"ok": …}` or `{"fault": …}`.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Told<T> {
    Ok(T),
    Fault(Fault),
}

fn told<T: serde::de::DeserializeOwned>(context: &Context) -> Result<T> {
    match context.settings()? {
        Told::Ok(answer) => Ok(answer),
        Told::Fault(fault) => Err(fault),
    }
}

/// What was handed over, for whoever compares it with what was to be.
fn seen(input: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(input).map_err(|error| broken(error.to_string()))
}

/// What each of the host's functions answers, granted and not.
fn looked_up() -> Vec<Reason> {
    use log::Level;
    for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
        log::write(level, "seen");
    }
    let account = EntityRef::new(EntityKind::Account, "hubspot-eu", "1");
    let tables = ["granted", "other"].map(|table| format!("{:?}", reference::find(table, "DE")));
    let links = ["granted", "other"].map(|system| format!("{:?}", links::find(&account, system)));
    let answers = tables.into_iter().chain(links);
    answers.map(|answer| reason("looked-up", answer)).collect()
}

#[expect(clippy::panic, reason = "its last words are what is tested")]
fn panic_with_a_reason() {
    panic!("these are its last words");
}

impl Mapping for Mirror {
    fn read(context: &Context, input: Inbound) -> Result<Vec<Change>> {
        let mut changes: Vec<Change> = told(context)?;
        for change in &mut changes {
            change.changed_by = Some(seen(&input)?);
        }
        Ok(changes)
    }

    fn write(context: &Context, input: Outbound) -> Result<Plan> {
        let mut plan: Plan = told(context)?;
        plan.commands.push(Command::Ensure(Record {
            model: "seen".into(),
            key: RecordKey::External(context.message.clone()),
            values: seen(&input)?,
            stands_for: None,
        }));
        Ok(plan)
    }
}

impl Policy for Mirror {
    fn judge(context: &Context, proposal: Proposal) -> Result<Verdict> {
        let mut verdict: Verdict = told(context)?;
        match context.unit.as_str() {
            "looks-up" => verdict.reasons.extend(looked_up()),
            "panics" => panic_with_a_reason(),
            _ => {}
        }
        verdict.reasons.push(reason("seen", seen(&proposal)?));
        Ok(verdict)
    }
}

impl Tax for Mirror {
    fn assess(context: &Context, document: Document) -> Result<Assessment> {
        let mut assessment: Assessment = told(context)?;
        assessment.notes.push(seen(&document)?);
        Ok(assessment)
    }
}

impl Invoicing for Mirror {
    fn draft_invoice(context: &Context, billable: Billable) -> Result<Draft> {
        let mut draft: Draft = told(context)?;
        draft.reasons.push(reason("seen", seen(&billable)?));
        Ok(draft)
    }
}

cambist_sdk::export!(Mirror: mapping, policy, tax, invoicing);
