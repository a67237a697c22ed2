//! What a plugin must pass before it becomes live: its own cases, twice, and its
//! bindings' settings.
//!
//! # How settings are tried
//!
//! A plugin reads its settings by itself, within a call, and the contract has no
//! function that does only that. Its cases are enough to find out: each is an
//! input that the plugin can answer. If it *breaks* on that input (`broken`, a
//! trap, a limit, an answer outside the contract) when nothing but the settings is
//! another, then the settings are what it cannot work with. Every other answer is
//! the plugin's to give, `invalid` too: one region may well refuse what the
//! region of the case takes. A plugin without a case for the stage cannot be
//! tried; its settings are found out by the first message, and its owner is warned
//! (`untried`).

use std::sync::Arc;

use cambist_contract::{
    fault::Fault,
    json::Json,
    plugin::{CallError, Called, Case, Cost, Expectation, Function, NoLinks, Plugin},
    stage::Stage,
};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{cost::CaseCost, difference};

/// A plugin does not do what its case says.
#[derive(Debug, Error)]
#[error("its case `{name}` {what}")]
pub struct CaseFailed {
    /// The case.
    pub name: String,
    /// What is wrong, with no more of the case's data than the value that differs.
    pub what: String,
}

/// A plugin cannot work with the settings of a binding.
#[derive(Debug, Error)]
#[error(
    "it does not take the settings of its binding to stage `{stage}`: {what} (tried on its case `{case}`)"
)]
pub struct SettingsRefused {
    /// The stage it is bound to.
    pub stage: Stage,
    /// The case whose input it was tried on.
    pub case: String,
    /// What it says.
    pub what: String,
}

/// Runs a plugin's cases, and tells what each cost. Each is called twice: a pure function
/// gives the same answer both times. Of a plugin whose instances are kept, one of the two
/// calls at least is made in an instance that has served before, unless the answer is a
/// fault.
///
/// # Errors
///
/// The first case that fails.
pub fn cases(plugin: &dyn Plugin, cases: &[Case]) -> Result<Vec<CaseCost>, CaseFailed> {
    let run = |case: &Case| match run(plugin, case) {
        Ok(Cost { fuel, elapsed, .. }) => Ok(CaseCost {
            case: case.name.clone(),
            fuel,
            elapsed,
        }),
        Err(what) => Err(CaseFailed {
            name: case.name.clone(),
            what,
        }),
    };
    cases.iter().map(run).collect()
}

/// Tries a binding's settings on the inputs of the plugin's cases for its stage.
///
/// # Errors
///
/// The first case that the plugin breaks on.
pub fn settings(
    plugin: &dyn Plugin,
    stage: Stage,
    settings: &serde_json::Value,
    cases: &[Case],
) -> Result<(), SettingsRefused> {
    for case in tried(stage, cases) {
        let mut bound = case.clone();
        bound.context.settings = Json::from(settings);
        if let Some(what) = breaks(plugin, &bound) {
            return Err(SettingsRefused {
                stage,
                case: case.name.clone(),
                what,
            });
        }
    }
    Ok(())
}

/// The cases that a binding's settings are tried on: those of its stage whose input the plugin can
/// answer.
pub(crate) fn tried(stage: Stage, cases: &[Case]) -> impl Iterator<Item = &Case> {
    let breaks = |case: &Case| matches!(case.expect, Expectation::Fault(Fault::Broken(_)));
    let served = cases.iter().filter(move |case| serves(stage, case.call));
    served.filter(move |case| !breaks(case))
}

/// Whether a stage calls this function.
fn serves(stage: Stage, function: Function) -> bool {
    let called = match stage {
        Stage::Read => Function::Read,
        Stage::Write => Function::Write,
        Stage::Judge => Function::Judge,
        Stage::Tax => Function::Assess,
        Stage::Draft => Function::DraftInvoice,
        Stage::Fetch | Stage::Own | Stage::Deliver => return false,
    };
    called == function
}

/// How the plugin breaks on a case's input; none if it gives an answer of its own.
fn breaks(plugin: &dyn Plugin, case: &Case) -> Option<String> {
    let answered = |error: Option<CallError>| match error {
        None | Some(CallError::Fault(Fault::Invalid(_) | Fault::Waiting(_) | Fault::Unhandled(_))) => None,
        // not the plugin's doing, and not the settings'
        Some(CallError::Host(_)) => None,
        Some(error) => Some(error.to_string()),
    };
    let (context, links) = (&case.context, Arc::new(NoLinks));
    // an input that cannot be read fails as a case before it comes here
    let input = &case.input;
    answered(match case.call {
        Function::Read => plugin.read(context, &parse(input).ok()?, links).answer.err(),
        Function::Write => plugin.write(context, &parse(input).ok()?, links).answer.err(),
        Function::Judge => plugin.judge(context, &parse(input).ok()?, links).answer.err(),
        Function::Assess => plugin.assess(context, &parse(input).ok()?, links).answer.err(),
        Function::DraftInvoice => plugin
            .draft_invoice(context, &parse(input).ok()?, links)
            .answer
            .err(),
    })
}

/// Tells what the dearer of the two calls cost.
fn run(plugin: &dyn Plugin, case: &Case) -> Result<Cost, String> {
    let context = &case.context;
    let links = || Arc::new(NoLinks);
    match case.call {
        Function::Read => compare(case, |input| plugin.read(context, input, links())),
        Function::Write => compare(case, |input| plugin.write(context, input, links())),
        Function::Judge => compare(case, |input| plugin.judge(context, input, links())),
        Function::Assess => compare(case, |input| plugin.assess(context, input, links())),
        Function::DraftInvoice => compare(case, |input| plugin.draft_invoice(context, input, links())),
    }
}

fn compare<I, O>(case: &Case, call: impl Fn(&I) -> Called<O>) -> Result<Cost, String>
where
    I: DeserializeOwned,
    O: DeserializeOwned + PartialEq + Serialize,
{
    let input: I =
        parse(&case.input).map_err(|error| format!("has an input that cannot be read: {error}"))?;
    let (first, second) = (call(&input), call(&input));
    if second.answer != first.answer {
        let what = "has another answer the second time";
        return Err(match (&first.answer, &second.answer) {
            (Ok(first), Ok(second)) => differs(what, first, second),
            _ => what.to_owned(),
        });
    }
    match (&case.expect, first.answer) {
        (Expectation::Ok(expected), Ok(answer)) => {
            let expected: O =
                parse(expected).map_err(|error| format!("expects what cannot be read: {error}"))?;
            if expected != answer {
                return Err(differs("has another answer than expected", &expected, &answer));
            }
        }
        (Expectation::Fault(expected), Err(CallError::Fault(fault))) if *expected == fault => {}
        (Expectation::Fault(expected), Err(CallError::Fault(fault))) => {
            return Err(format!("ends with: {fault}, and was to end with: {expected}"));
        }
        (Expectation::Fault(_), Ok(_)) => return Err("expects a fault and has an answer".to_owned()),
        (_, Err(error)) => return Err(format!("ends with: {error}")),
    }
    Ok(match second.cost.fuel > first.cost.fuel {
        true => second.cost,
        false => first.cost,
    })
}

/// What is wrong with an answer, and where it begins to be.
fn differs(what: &str, expected: &impl Serialize, answer: &impl Serialize) -> String {
    let values = (serde_json::to_value(expected), serde_json::to_value(answer));
    match values {
        (Ok(expected), Ok(answer)) => match difference::first(&expected, &answer) {
            Some(place) => format!("{what}: {place}"),
            None => what.to_owned(),
        },
        _ => what.to_owned(),
    }
}

/// By way of the text, because some types read JSON as text.
fn parse<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, serde_json::Error> {
    serde_json::from_str(&value.to_string())
}
