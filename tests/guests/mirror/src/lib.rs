//! Every function and every record of the contract, there and back: it answers what its
//! settings say, and writes down what it was handed, as JSON in the contract's words.
//!
//! Built once and kept as a file of its generation: see `../../frozen/README.md`. It
//! decides nothing, so there is nothing in it to keep up to date.

use cambist_sdk::prelude::*;

struct Mirror;

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
            external_id: context.message.clone(),
            values: seen(&input)?,
            stands_for: None,
        }));
        Ok(plan)
    }
}

impl Policy for Mirror {
    fn judge(context: &Context, proposal: Proposal) -> Result<Verdict> {
        let mut verdict: Verdict = told(context)?;
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
