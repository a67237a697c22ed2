//! What is well-formed in `[trust]` and in what bindings pin, and cannot work.

use std::collections::BTreeMap;

use cambist_contract::digest::Digest;
use cambist_registry::trust::{KeyId, Signatures};

use super::{Config, Places, Problem};

pub(super) fn problems(config: &Config, places: &Places) -> Vec<Problem> {
    let mut problems = keys(config, places);
    problems.extend(pins(config, places));
    problems
}

fn keys(config: &Config, places: &Places) -> Vec<Problem> {
    let mut problems = Vec::new();
    let trust = &config.trust;
    let may_sign = trust.keys.values().any(|key| !key.revoked);
    if trust.signatures == Signatures::Required && !may_sign && !places.is_torn(&["trust", "keys"]) {
        let text = "signatures are required, and no key may sign; add [trust.keys.NAME] with the `public-key` that \
                    `cambist plugin key` prints";
        problems.push(places.problem(&["trust", "signatures"], text.to_owned()));
    }
    let mut names: BTreeMap<KeyId, &str> = BTreeMap::new();
    for (name, key) in &trust.keys {
        if let Some(other) = names.insert(key.public_key.id(), name) {
            let text = format!(
                "keys `{other}` and `{name}` have the same id, so no signature could tell them apart; take one out"
            );
            problems.push(places.problem(&["trust", "keys", name, "public-key"], text));
        }
        let setting = ["trust", "keys", name, "regions"];
        let Some(regions) = &key.regions else { continue };
        if regions.is_empty() {
            let text = format!("key `{name}` is for no region; leave `regions` out if it is for all");
            problems.push(places.problem(&setting, text));
        }
        for region in regions {
            if !config.regions.contains_key(region) && !places.is_lost(&["regions", region]) {
                let text = format!(
                    "key `{name}` is for region `{region}`, which is not known; add [regions.{region}.supplier]"
                );
                problems.push(places.problem(&setting, text));
            }
        }
    }
    problems
}

/// One file serves all bindings of a plugin, so they cannot want two.
fn pins(config: &Config, places: &Places) -> Vec<Problem> {
    let mut wanted: BTreeMap<&str, Digest> = BTreeMap::new();
    let bindings = config.bindings.iter().enumerate();
    let pinned = bindings.filter_map(|(at, binding)| Some((at, &binding.plugin, binding.component?)));
    pinned
        .filter_map(|(at, plugin, component)| {
            let first = *wanted.entry(plugin).or_insert(component);
            let text = format!(
                "bindings of plugin `{plugin}` take two components, {first} and {component}, and one file serves \
                 them all; pin the same, or give one another plugin's name"
            );
            let at = at.to_string();
            (first != component).then(|| places.problem(&["bindings", &at, "component"], text))
        })
        .collect()
}
