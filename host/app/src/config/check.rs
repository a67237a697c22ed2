//! What is well-formed and cannot work.
//!
//! What follows only from something that could not be read is left out: that is told
//! already.

use std::collections::BTreeSet;

use cambist_connect::options::System;
use cambist_contract::revision::Grant;
use cambist_registry::binding::Subject;

use super::{Config, Places, Problem};

/// Collects problems.
struct Check<'a> {
    config: &'a Config,
    places: &'a Places,
    problems: Vec<Problem>,
}

pub(super) fn problems(config: &Config, places: &Places) -> Vec<Problem> {
    let mut check = Check {
        config,
        places,
        problems: Vec::new(),
    };
    check.flows();
    check.regions();
    check.bindings();
    check.coverage();
    check.retention();
    check.problems
}

impl Check<'_> {
    fn add(&mut self, setting: &[&str], problem: String) {
        self.problems.push(self.places.problem(setting, problem));
    }

    /// Whether a sender is known, or could be if it could be read.
    fn may_call(&self, system: &str) -> bool {
        let known = self.config.ingress.systems.contains_key(system);
        known || self.places.is_lost(&["ingress", "systems", system])
    }

    fn is_system(&self, system: &str) -> bool {
        let known = self.config.connect.systems.contains_key(system);
        known || self.places.is_lost(&["connect", "systems", system])
    }

    /// Whether a system is there and is of a kind that cannot do this.
    fn is_known_not_to(&self, system: &str, can: impl Fn(&System) -> bool) -> bool {
        let system = self.config.connect.systems.get(system);
        system.is_some_and(|system| !can(system))
    }

    fn is_region(&self, region: &str) -> bool {
        self.config.regions.contains_key(region) || self.places.is_lost(&["regions", region])
    }

    fn retention(&mut self) {
        if let Some((setting, problem)) = self.config.retention.problem() {
            self.add(&["retention", setting], problem);
        }
    }

    fn flows(&mut self) {
        let mut names = BTreeSet::new();
        for (at, flow) in self.config.flows.iter().enumerate() {
            let at = at.to_string();
            if !names.insert(&flow.name) {
                self.add(
                    &["flows", &at, "name"],
                    format!("two flows are called `{}`; rename one", flow.name),
                );
            }
            for system in &flow.from {
                if !self.may_call(system) {
                    let text = format!(
                        "flow `{}` is from `{system}`, which may not call; add [ingress.systems.{system}]",
                        flow.name
                    );
                    self.add(&["flows", &at, "from"], text);
                }
                if !self.is_system(system) {
                    let text = format!(
                        "flow `{}` reads from `{system}`, which is not known; add [connect.systems.{system}]",
                        flow.name
                    );
                    self.add(&["flows", &at, "from"], text);
                }
                if self.is_known_not_to(system, System::is_source) {
                    let text = format!(
                        "flow `{}` is from `{system}`, and nothing can be read from a system of its kind; name a HubSpot or an Odoo",
                        flow.name
                    );
                    self.add(&["flows", &at, "from"], text);
                }
            }
            for (region, target) in &flow.to {
                if region != "*" && !self.is_region(region) {
                    let text = format!(
                        "flow `{}` has a target for region `{region}`, which is not known; add [regions.{region}.supplier]",
                        flow.name
                    );
                    self.add(&["flows", &at, "to", region], text);
                }
                if !self.is_system(target) {
                    let text = format!(
                        "flow `{}` writes to `{target}`, which is not known; add [connect.systems.{target}]",
                        flow.name
                    );
                    self.add(&["flows", &at, "to", region], text);
                }
            }
        }
    }

    fn regions(&mut self) {
        for (system, of) in &self.config.region_of {
            if let Some(region) = &of.default
                && !self.is_region(region)
            {
                let text = format!(
                    "messages of `{system}` belong to region `{region}`, which is not known; add [regions.{region}.supplier]"
                );
                self.add(&["region-of", system, "default"], text);
            }
            for (name, pointer) in [("pointer", &of.pointer), ("unit-pointer", &of.unit_pointer)] {
                if pointer.as_ref().is_some_and(|pointer| !pointer.starts_with('/')) {
                    let text = "must be a JSON pointer, such as `/deal/properties/region`".to_owned();
                    self.add(&["region-of", system, name], format!("`{name}` {text}"));
                }
            }
        }
        let sources: BTreeSet<&String> = self.config.flows.iter().flat_map(|flow| &flow.from).collect();
        for system in sources {
            let known = self.config.region_of.contains_key(system);
            if !known && !self.places.is_lost(&["region-of", system]) {
                let text = format!(
                    "messages of `{system}` have no region; add [region-of.{system}] with `default` or `pointer`"
                );
                self.add(&["flows"], text);
            }
        }
    }

    fn bindings(&mut self) {
        for (at, binding) in self.config.bindings.iter().enumerate() {
            let place = at.to_string();
            let what = format!("the binding of `{}` to stage `{}`", binding.plugin, binding.stage);
            if binding.stage.interface().is_none() {
                let text = format!(
                    "no plugin serves stage `{}`; the stages of plugins are read, judge, draft, tax and write",
                    binding.stage
                );
                self.add(&["bindings", &place, "stage"], text);
            }
            if let Some(flow) = &binding.flow
                && !self.config.flows.iter().any(|it| it.name == *flow)
                && !self.places.lacks_items("flows")
            {
                let known: Vec<_> = self.config.flows.iter().map(|it| it.name.as_str()).collect();
                let text = format!(
                    "{what} is for flow `{flow}`, which is not known; the flows are: {}",
                    known.join(", ")
                );
                self.add(&["bindings", &place, "flow"], text);
            }
            if let Some(region) = &binding.region
                && !self.is_region(region)
            {
                let text = format!(
                    "{what} is for region `{region}`, which is not known; add [regions.{region}.supplier]"
                );
                self.add(&["bindings", &place, "region"], text);
            }
            for grant in &binding.grants {
                match grant {
                    Grant::Log => {}
                    Grant::Reference(table) if self.config.tables.contains_key(table) => {}
                    Grant::Reference(table) if self.places.is_lost(&["tables", table]) => {}
                    Grant::Reference(table) => {
                        let text = format!(
                            "{what} grants `{grant}`, and there is no such table; add [tables.{table}]"
                        );
                        self.add(&["bindings", &place, "grants"], text);
                    }
                    Grant::Links(system) if self.is_system(system) => {}
                    Grant::Links(system) => {
                        let text = format!(
                            "{what} grants `{grant}`, and there is no such system; add [connect.systems.{system}]"
                        );
                        self.add(&["bindings", &place, "grants"], text);
                    }
                }
            }
            let is_whole = |at: usize| !self.places.is_torn(&["bindings", &at.to_string()]);
            let mut twins = self.config.bindings.iter().take(at).enumerate();
            if is_whole(at) && twins.any(|(at, other)| is_whole(at) && other.ties_with(binding)) {
                let text = format!(
                    "{what} ties with an earlier one for the same flow, region and unit; take one out"
                );
                self.add(&["bindings", &place], text);
            }
        }
    }

    /// Each region that a flow can reach has a plugin for each stage that needs one.
    fn coverage(&mut self) {
        if self.places.lacks_items("bindings") {
            return;
        }
        for (at, flow) in self.config.flows.iter().enumerate() {
            if self.places.is_torn(&["flows", &at.to_string()]) {
                continue;
            }
            let named = flow.to.keys().filter(|region| *region != "*");
            let regions: BTreeSet<&String> = if flow.to.contains_key("*") {
                self.config.regions.keys().collect()
            } else {
                named.collect()
            };
            for region in regions {
                let subject = Subject {
                    flow: &flow.name,
                    region,
                    unit: "",
                    key: "",
                };
                for stage in flow.way() {
                    let bound = self
                        .config
                        .bindings
                        .iter()
                        .any(|it| it.fit(stage, subject).is_some());
                    if stage.interface().is_some() && !bound {
                        let text = format!(
                            "flow `{}` has no plugin for stage `{stage}` in region `{region}`; add a [[bindings]] with stage = \"{stage}\"",
                            flow.name
                        );
                        self.add(&["flows", &at.to_string()], text);
                    }
                }
            }
        }
    }
}
