//! What a call with a case's input costs.

use std::sync::Arc;

use cambist_contract::{
    limits::Limits,
    plugin::{Called, Case, Cost, Function, NoLinks, Plugin},
};
use serde::{Serialize, de::DeserializeOwned};

/// What one case costs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct CaseCost {
    pub(super) name: String,
    pub(super) call: Function,
    /// Instructions: the same on every machine.
    pub(super) fuel: u64,
    /// Of the fuel that a call has by default, in percent.
    pub(super) percent: f64,
    /// How long this one call took on this machine, in microseconds.
    pub(super) micros: u64,
}

/// Calls the plugin once with a case's input.
pub(super) fn of(plugin: &dyn Plugin, case: &Case, limits: &Limits) -> CaseCost {
    let (context, links) = (&case.context, Arc::new(NoLinks));
    // the input was read before, when the case passed
    let cost = match case.call {
        Function::Read => call(case, |input| plugin.read(context, input, links)),
        Function::Write => call(case, |input| plugin.write(context, input, links)),
        Function::Judge => call(case, |input| plugin.judge(context, input, links)),
        Function::Assess => call(case, |input| plugin.assess(context, input, links)),
        Function::DraftInvoice => call(case, |input| plugin.draft_invoice(context, input, links)),
    }
    .unwrap_or_default();
    CaseCost {
        name: case.name.clone(),
        call: case.call,
        fuel: cost.fuel,
        percent: percent(cost.fuel, limits.fuel),
        micros: u64::try_from(cost.elapsed.as_micros()).unwrap_or(u64::MAX),
    }
}

fn call<I: DeserializeOwned, O>(case: &Case, call: impl FnOnce(&I) -> Called<O>) -> Option<Cost> {
    // by way of the text, because some types read JSON as text
    let input = serde_json::from_str(&case.input.to_string()).ok()?;
    Some(call(&input).cost)
}

/// To a hundredth.
fn percent(part: u64, whole: u64) -> f64 {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    u32::try_from(hundredths).map_or(f64::MAX, |hundredths| f64::from(hundredths) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_is_told_to_a_hundredth() {
        assert!((percent(412_345, 100_000_000) - 0.41).abs() < f64::EPSILON);
        assert!((percent(1, 1) - 100.0).abs() < f64::EPSILON);
        assert!(percent(u64::MAX, 0) > 100.0);
    }
}
