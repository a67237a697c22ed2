//! What a plugin's cases cost, and a warning where one comes near its limit.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cambist_contract::digest::Digest;

use crate::binding::Binding;

/// The share of a binding's `fuel`, in percent, from which a case is warned of. A message
/// a quarter larger than the case would pass the limit and be parked.
const WARN_FROM: u64 = 80;

/// Warnings that are kept of one component. Its owner mends the first ones, or raises the
/// limit for all.
const TOLD: usize = 5;

/// Components of which warnings are kept: those of a plugin for each of 64 bindings or
/// versions. They can be found out again by `cambist check`.
const COMPONENTS: usize = 64;

/// What one case cost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaseCost {
    /// The case.
    pub case: String,
    /// Instructions, in wasmtime's fuel: of the dearer of its calls.
    pub fuel: u64,
    /// Wall clock of that call, on this machine and at that moment.
    pub elapsed: Duration,
}

/// Warns of cases that come near their binding's limit, the dearest first.
pub(crate) fn warnings(binding: &Binding, costs: &[CaseCost]) -> Vec<String> {
    let limit = binding.limits.fuel;
    let near = |cost: &&CaseCost| cost.fuel.saturating_mul(100) >= limit.saturating_mul(WARN_FROM);
    let mut near: Vec<_> = costs.iter().filter(near).collect();
    near.sort_by_key(|cost| std::cmp::Reverse(cost.fuel));
    let told = near.iter().take(TOLD).map(|cost| {
        format!(
            "its case `{}` uses {} % of `fuel` = {limit}, the limit of its binding `{}`; make it cheaper, or raise the limit",
            cost.case,
            cost.fuel.saturating_mul(100) / limit.max(1),
            binding.name(),
        )
    });
    told.collect()
}

/// The warnings of components that were checked since the host started.
#[derive(Default)]
pub(crate) struct Warnings(Mutex<BTreeMap<Digest, Vec<String>>>);

impl Warnings {
    /// Takes down what was found of a component, in place of what was known of it.
    pub(crate) fn keep(&self, component: Digest, mut warnings: Vec<String>) {
        warnings.truncate(TOLD);
        let mut all = self.lock();
        all.remove(&component);
        if warnings.is_empty() {
            return;
        }
        if all.len() >= COMPONENTS {
            all.pop_first();
        }
        all.insert(component, warnings);
    }

    pub(crate) fn of(&self, component: &Digest) -> Vec<String> {
        self.lock().get(component).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
