//! What operators are told of plugins and bindings, put together from what the last look
//! at the folder came to, from the steps taken, and from what serves now.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use cambist_contract::digest::Digest;

use crate::{
    Binding, Pinned, Registry, aside,
    examine::{Refusal, absent},
    life::Life,
    seen::{Found, Look},
    serving::Place,
    standing::Standing,
    status::{BindingStatus, ComponentStatus, PluginStatus},
};

/// How many components that are of no use any more are told of with the others.
const PAST: usize = 5;

/// How many messages are to finish on each revision; none where the ledger does not tell.
type Pins = Option<BTreeMap<Digest, u64>>;

impl Registry {
    /// What is known of each plugin that has a file, is bound, or ever came to something, by name.
    /// A name whose file is gone, that no binding names and of which nothing ever passed is in the
    /// ledger alone.
    /// Blocks: it asks the ledger who is pinned to what.
    pub fn plugin_statuses(&self) -> Vec<PluginStatus> {
        self.statuses_of(|_| true)
    }

    /// What is known of one plugin. Blocks, too.
    pub fn plugin_status(&self, plugin: &str) -> PluginStatus {
        let look = self.looks().get(plugin).cloned();
        let life = self.lives().get(plugin).cloned().unwrap_or_default();
        let pins = self.pins([&life]);
        self.told(plugin, look.as_ref(), &life, &pins)
    }

    pub(crate) fn statuses_of(&self, wanted: impl Fn(&str) -> bool) -> Vec<PluginStatus> {
        let looks = self.looks().clone();
        let mut lives = self.lives().clone();
        lives.retain(|plugin, life| {
            let is_stray = !looks.contains_key(plugin) && life.came_to_nothing() && !self.is_bound(plugin);
            wanted(plugin) && !is_stray
        });
        let pins = self.pins(lives.values());
        let names: BTreeSet<&String> = looks
            .keys()
            .filter(|name| wanted(name))
            .chain(lives.keys())
            .collect();
        let told = names.into_iter().map(|plugin| {
            let none = Life::default();
            let life = lives.get(plugin).unwrap_or(&none);
            self.told(plugin, looks.get(plugin), life, &pins)
        });
        told.collect()
    }

    fn told(&self, plugin: &str, look: Option<&Look>, life: &Life, pins: &Pins) -> PluginStatus {
        let live = self.serves(plugin);
        let of_file = look.and_then(|look| why_not(plugin, look, life, live));
        let refused = match live {
            Some(_) => of_file,
            None => Some(self.why_nothing(plugin, look, life, of_file)),
        };
        let last = life.components.values().map(|known| known.since).max();
        PluginStatus {
            plugin: plugin.to_owned(),
            live,
            version: live
                .and_then(|live| life.components.get(&live))
                .and_then(|known| known.version.clone()),
            seen: look.and_then(Look::seen),
            checking: look.and_then(|look| match look.found {
                Found::Due(component) => Some(self.queue.told(plugin, &component)),
                _ => None,
            }),
            refused,
            waits: life.candidate(),
            // where nothing is live, the reason says it
            next: live.map_or_else(Vec::new, |_| aside::next(plugin, life)),
            held: self.held(plugin, life),
            at: look.map(|look| look.at).or(last).unwrap_or_default(),
            components: self.components(life, pins),
        }
    }

    /// Why nothing of a plugin is live, and what is wrong with its file besides.
    fn why_nothing(&self, plugin: &str, look: Option<&Look>, life: &Life, of_file: Option<String>) -> String {
        let why = self.why_not_live(plugin).reason();
        match (look, of_file) {
            // what is said of the file is in these words, or it is gone
            (Some(look), Some(of_file))
                if of_file != why
                    && look.found != Found::Gone
                    && (look.seen().is_none() || look.seen() != life.last_live()) =>
            {
                format!("{of_file}; {why}")
            }
            _ => why,
        }
    }

    /// How many messages are to finish on each revision that these lives made live.
    fn pins<'l>(&self, lives: impl IntoIterator<Item = &'l Life>) -> Pins {
        let components = lives.into_iter().flat_map(|life| life.components.values());
        let revisions: Vec<Digest> = components.flat_map(|it| it.revisions.iter().copied()).collect();
        match self.ledger.pinned(&revisions) {
            Ok(counts) => Some(revisions.into_iter().zip(counts).collect()),
            Err(error) => {
                tracing::warn!(error, "cannot tell who is pinned to which revision");
                None
            }
        }
    }

    /// Why nothing serves a plugin's bindings: for what was decided, or what it is; or
    /// because the host could not find out, and looks again.
    pub(crate) fn why_not_live(&self, plugin: &str) -> Refusal {
        let lives = self.lives();
        let life = lives.get(plugin);
        let waits = life.and_then(|life| Some(aside::waiting(plugin, life, &life.candidate()?)));
        let last = life.and_then(|life| {
            let last = life.last_live()?;
            Some((last, life.standing(&last)?))
        });
        let ended = match last {
            Some((last, Standing::Killed { reason })) => {
                let way_out = match life.and_then(Life::before) {
                    _ if waits.is_some() => String::new(),
                    Some(_) => format!("; `cambist plugin back {plugin}` makes the one before live"),
                    None => "; give a better one".to_owned(),
                };
                Some(format!(
                    "its live component was taken out: {reason}{way_out}; `cambist plugin live {plugin} {}` puts it \
                     back, and `cambist plugin status {plugin}` lists all",
                    last.short()
                ))
            }
            Some((_, Standing::Refused { reason })) => {
                Some(format!("what was live does not pass any more: {reason}"))
            }
            _ => None,
        };
        // both: what waits may be the way out, and does not unsay what happened
        let reasons: Vec<String> = ended.into_iter().chain(waits).collect();
        if !reasons.is_empty() {
            return Refusal::Component(reasons.join("; "));
        }
        match self.looks().get(plugin) {
            Some(Look {
                found: Found::Due(component),
                ..
            }) => Refusal::Host(self.queue.told(plugin, component)),
            Some(Look {
                refused: Some(refusal),
                ..
            }) => refusal.clone(),
            _ => Refusal::Component(absent(plugin)),
        }
    }

    /// Plugins that bindings name and that have no live revision, with the reason.
    pub fn missing(&self) -> Vec<(String, String)> {
        let serving = self.serving();
        let lacking: BTreeSet<&String> = serving
            .all()
            .filter(|(_, place)| place.live.is_none())
            .map(|(binding, _)| &binding.plugin)
            .collect();
        lacking
            .into_iter()
            .map(|plugin| (plugin.clone(), self.why_not_live(plugin).reason()))
            .collect()
    }

    /// Every binding, in the order of the config, and what serves it now.
    pub fn binding_statuses(&self) -> Vec<BindingStatus> {
        let of = |pinned: Option<&Pinned>| {
            let revision = pinned.map(|pinned| pinned.id);
            (revision, pinned.map(|pinned| pinned.revision.component))
        };
        let told = |(binding, place): (&Binding, &Place)| {
            let (revision, component) = of(place.live.as_ref());
            let (beside, _) = of(place.beside.as_ref().map(|beside| &beside.pinned));
            BindingStatus {
                stage: binding.stage,
                plugin: binding.plugin.clone(),
                flow: binding.flow.clone(),
                region: binding.region.clone(),
                unit: binding.unit.clone(),
                revision,
                component,
                beside,
            }
        };
        self.serving().all().map(told).collect()
    }

    /// A plugin's components, the latest first.
    fn components(&self, life: &Life, pins: &Pins) -> Vec<ComponentStatus> {
        let mut found: Vec<_> = life.components.iter().collect();
        // of what changed at one moment, what serves comes first
        found.sort_by_key(|(_, known)| (Reverse(known.since), known.standing != Standing::Live));
        let mut past = 0;
        found.retain(|(_, known)| {
            let is_past = matches!(known.standing, Standing::Retired | Standing::Refused { .. });
            past += usize::from(is_past);
            !is_past || past <= PAST
        });
        let told = found.into_iter().map(|(component, known)| ComponentStatus {
            component: *component,
            version: known.version.clone(),
            standing: known.standing.clone(),
            since: known.since,
            by: known.by.clone(),
            withdrawn: known.withdrawn.clone(),
            pinned: pins.as_ref().map(|pins| {
                let counts = known.revisions.iter().filter_map(|revision| pins.get(revision));
                counts.sum()
            }),
            warnings: self.warnings.of(component),
        });
        told.collect()
    }
}

/// Why what stands in the folder is not live. What became of it since it was looked at counts, and
/// what that came to where nothing did.
fn why_not(plugin: &str, look: &Look, life: &Life, live: Option<Digest>) -> Option<String> {
    let Some(seen) = look.seen() else {
        return look.why_not(plugin);
    };
    if live == Some(seen) {
        return None;
    }
    match life.standing(&seen) {
        None | Some(Standing::Checking | Standing::Refused { .. }) => look.why_not(plugin),
        Some(_) => aside::why(plugin, life, &seen),
    }
}
