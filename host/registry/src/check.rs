//! What a plugin must pass before it becomes live: its own cases, twice.

use std::sync::Arc;

use cambist_contract::plugin::{CallError, Called, Case, Expectation, Function, NoLinks, Plugin};
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A plugin does not do what its case says.
#[derive(Debug, Error)]
#[error("its case `{name}` {what}")]
pub struct CaseFailed {
    /// The case.
    pub name: String,
    /// What is wrong, without the case's data.
    pub what: String,
}

/// Runs a plugin's cases. Each is called twice: a pure function gives the same
/// answer both times.
///
/// # Errors
///
/// The first case that fails.
pub fn cases(plugin: &dyn Plugin, cases: &[Case]) -> Result<(), CaseFailed> {
    for case in cases {
        run(plugin, case).map_err(|what| CaseFailed {
            name: case.name.clone(),
            what,
        })?;
    }
    Ok(())
}

fn run(plugin: &dyn Plugin, case: &Case) -> Result<(), String> {
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

fn compare<I, O>(case: &Case, call: impl Fn(&I) -> Called<O>) -> Result<(), String>
where
    I: DeserializeOwned,
    O: DeserializeOwned + PartialEq,
{
    let input: I =
        parse(&case.input).map_err(|error| format!("has an input that cannot be read: {error}"))?;
    let answer = call(&input).answer;
    if call(&input).answer != answer {
        return Err("has another answer the second time".to_owned());
    }
    match (&case.expect, answer) {
        (Expectation::Ok(expected), Ok(answer)) => {
            let expected: O =
                parse(expected).map_err(|error| format!("expects what cannot be read: {error}"))?;
            if expected == answer {
                Ok(())
            } else {
                Err("has another answer than expected".to_owned())
            }
        }
        (Expectation::Fault(expected), Err(CallError::Fault(fault))) if *expected == fault => Ok(()),
        (Expectation::Fault(_), Ok(_)) => Err("expects a fault and has an answer".to_owned()),
        (_, Err(error)) => Err(format!("ends with: {error}")),
    }
}

/// By way of the text, because some types read JSON as text.
fn parse<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, serde_json::Error> {
    serde_json::from_str(&value.to_string())
}
