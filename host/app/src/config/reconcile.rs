//! What `[[reconcile]]` names, put together with the flow, its systems and its regions; and what of it cannot be compared.

use std::collections::{BTreeMap, BTreeSet};

use cambist_connect::options::System;
use cambist_pipeline::options::{Flow, RegionOf};
use cambist_reconcile::{Comparison, Crm, Region, options::MOST_MONTHS};
use jiff::tz::TimeZone;

use super::{Config, Places, Problem};

/// Where a region is named in what is fetched of a deal, before the property's name.
const PROPERTY: &str = "/deal/properties/";

/// Everything that cannot be compared.
pub(super) fn problems(config: &Config, places: &Places) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, region) in &config.regions {
        if TimeZone::get(&region.zone).is_err() {
            let text = format!(
                "`{}` is no time zone of the IANA's table; write one such as `Europe/Berlin`",
                region.zone
            );
            problems.push(places.problem(&["regions", name, "zone"], text));
        }
    }
    let mut flows = BTreeSet::new();
    for (at, options) in config.reconcile.iter().enumerate() {
        let at = at.to_string();
        let mut add = |setting: &str, text: String| {
            problems.push(places.problem(&["reconcile", &at, setting], text));
        };
        if !flows.insert(&options.flow) {
            add(
                "flow",
                format!("flow `{}` is compared twice; take one out", options.flow),
            );
        }
        if !(1..=MOST_MONTHS).contains(&options.months) {
            add("months", format!("`months` is 1 to {MOST_MONTHS}"));
        }
        let Some(flow) = config.flows.iter().find(|flow| flow.name == options.flow) else {
            if !places.lacks_items("flows") {
                let text = format!(
                    "there is no flow `{}` to compare; add it, or name one",
                    options.flow
                );
                add("flow", text);
            }
            continue;
        };
        for crm in &flow.from {
            if lacks(config, crm, System::has_sales) {
                let text = format!(
                    "flow `{}` is from `{crm}`, whose deals cannot be compared; only a HubSpot's can",
                    flow.name
                );
                add("flow", text);
            }
            let pointer = config.region_of.get(crm).and_then(|of| of.pointer.as_deref());
            if pointer.is_some_and(|pointer| property(pointer).is_none()) {
                let text = format!(
                    "the region of `{crm}` must be a property of the deal to be compared by; let `pointer` begin with `{PROPERTY}`"
                );
                add("flow", text);
            }
        }
        let erps: BTreeSet<&String> = flow.to.values().collect();
        for erp in erps {
            if lacks(config, erp, System::has_books) {
                let text = format!(
                    "flow `{}` goes to `{erp}`, whose books cannot be compared; only an Odoo's can",
                    flow.name
                );
                add("flow", text);
            }
        }
    }
    problems
}

/// Whether a system is there and cannot do this.
fn lacks(config: &Config, system: &str, can: impl Fn(&System) -> bool) -> bool {
    config
        .connect
        .systems
        .get(system)
        .is_some_and(|system| !can(system))
}

/// The property that a pointer names.
fn property(pointer: &str) -> Option<&str> {
    let property = pointer.strip_prefix(PROPERTY)?;
    (!property.is_empty() && !property.contains(['/', '~'])).then_some(property)
}

pub(super) fn comparisons(config: &Config) -> Vec<Comparison> {
    let of = |options: &cambist_reconcile::Options| {
        let flow = config.flows.iter().find(|flow| flow.name == options.flow)?;
        Some(Comparison {
            options: options.clone(),
            crms: flow
                .from
                .iter()
                .map(|crm| (crm.clone(), of_crm(config.region_of.get(crm))))
                .collect(),
            regions: regions(config, flow),
        })
    };
    config.reconcile.iter().filter_map(of).collect()
}

fn of_crm(of: Option<&RegionOf>) -> Crm {
    let property = of.and_then(|of| property(of.pointer.as_deref()?));
    Crm {
        region: property.map(str::to_owned),
        default: of.and_then(|of| of.default.clone()),
    }
}

fn regions(config: &Config, flow: &Flow) -> BTreeMap<String, Region> {
    let regions = config.regions.iter().filter_map(|(name, region)| {
        let own = Region {
            zone: TimeZone::get(&region.zone).ok()?,
            erp: flow.target(name)?.to_owned(),
        };
        Some((name.clone(), own))
    });
    regions.collect()
}
