//! A binding that a config hands from a plugin that serves it to one of which nothing is live:
//! what a check can see of it before a host is asked to serve so.
//!
//! A check has no host's old config, only the ledger. Which plugin serves a binding is whose
//! `live` step named it last.
//!
//! # What is not here
//!
//! The same at a reload, which knows what serves: `reload.rs`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{Binding, Obstacle, Registry, examine::Part, life::Life, registry::NewPlugins, terms::Terms};

impl Registry {
    /// The bindings, one of each plugin, that something serves by the ledger and nothing would
    /// serve on these terms.
    pub(crate) fn handed_to_nothing(&self, terms: &Terms, lives: &BTreeMap<String, Life>) -> Vec<Obstacle> {
        let mut told = BTreeSet::new();
        let lacking = terms.bindings.iter().enumerate().filter_map(|(place, binding)| {
            let plugin = &binding.plugin;
            let life = lives.get(plugin);
            let is_new = life.is_none_or(Life::came_to_nothing);
            // what is new comes from the folder with its binding
            let is_to_come = is_new && terms.new_plugins == NewPlugins::Live;
            if is_to_come || life.is_some_and(|life| life.live.is_some()) {
                return None;
            }
            let now = server(lives, &binding.name())?;
            if now == plugin || !told.insert(plugin) {
                return None;
            }
            let why = match is_new {
                true => WAITS.to_owned(),
                false => self.why_not_live(plugin).reason(),
            };
            Some(Obstacle {
                binding: place,
                part: Part::Plugin,
                reason: left_alone(binding, now, &why),
                is_warning: false,
            })
        });
        lacking.collect()
    }
}

/// Why a plugin that no binding named so far does not serve with its binding.
pub(crate) const WAITS: &str = "no binding named it so far, and `new-plugins` has files wait";

/// What is said of a binding that would lose the plugin that serves it `now`.
pub(crate) fn left_alone(binding: &Binding, now: &str, why: &str) -> String {
    let plugin = &binding.plugin;
    format!(
        "nothing of it is live, and `{now}` serves there now: {why}; bind it to what nobody has, such as a `unit` of \
         its own, make it live by `cambist plugin live {plugin}`, then give it this binding"
    )
}

/// The plugin that serves a binding by the ledger: the one whose `live` named it last, if that still is.
fn server<'l>(lives: &'l BTreeMap<String, Life>, binding: &str) -> Option<&'l str> {
    let last = |life: &Life| -> Option<Timestamp> { life.served.get(binding).copied() };
    let all = lives
        .iter()
        .filter_map(|(plugin, life)| Some((last(life)?, plugin, life)));
    let (_, plugin, life) = all.max_by_key(|(at, ..)| *at)?;
    let serves = life.live.as_ref()?.1.contains_key(binding);
    serves.then_some(plugin.as_str())
}
