//! What a call with a case's input costs.

use cambist_contract::{
    limits::Limits,
    plugin::{Case, Function},
};
use serde::Serialize;

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
    /// How long that call took on this machine, in microseconds.
    pub(super) micros: u64,
}

/// What a case cost when it was run.
pub(super) fn of(case: &Case, cost: &cambist_registry::CaseCost, limits: &Limits) -> CaseCost {
    CaseCost {
        name: case.name.clone(),
        call: case.call,
        fuel: cost.fuel,
        percent: percent(cost.fuel, limits.fuel),
        micros: u64::try_from(cost.elapsed.as_micros()).unwrap_or(u64::MAX),
    }
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
