//! The terms on which plugins serve: a config's bindings and tables, and who wins.

use std::{collections::HashMap, sync::Arc};

use cambist_contract::{revision::Tables, stage::Stage};

use crate::{
    binding::{Binding, Subject},
    registry::{NewPlugins, Options},
    trust::Trust,
};

/// What a config says of plugins. Never changed: another config is another one.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) bindings: Vec<Binding>,
    pub(crate) tables: Tables,
    pub(crate) new_plugins: NewPlugins,
    pub(crate) trust: Trust,
    /// The places of the bindings, by whom they are for: so that a message costs the same
    /// with a thousand bindings as with ten.
    places: HashMap<For, usize>,
}

/// Whom a binding is for: stage, unit, region and flow.
type For = (Stage, Option<Arc<str>>, Option<Arc<str>>, Option<Arc<str>>);

impl Terms {
    pub(crate) fn new(options: Options) -> Self {
        let Options {
            bindings,
            tables,
            new_plugins,
            trust,
            ..
        } = options;
        let text = |value: &Option<String>| value.as_deref().map(Arc::from);
        let mut places = HashMap::new();
        for (place, binding) in bindings.iter().enumerate() {
            let whom = (
                binding.stage,
                text(&binding.unit),
                text(&binding.region),
                text(&binding.flow),
            );
            // of two that tie, which the config's check refuses, the last one
            places.insert(whom, place);
        }
        Self {
            bindings,
            tables,
            new_plugins,
            trust,
            places,
        }
    }

    /// The place of the most specific binding that fits.
    pub(crate) fn place(&self, stage: Stage, subject: Subject<'_>) -> Option<usize> {
        let [unit, region, flow]: [Arc<str>; 3] = [subject.unit, subject.region, subject.flow].map(Arc::from);
        // from all three named to none: the unit counts four, the region two, the flow one
        (0..8_u8).rev().find_map(|rank| {
            let named = |part: &Arc<str>, weight: u8| (rank & weight != 0).then(|| Arc::clone(part));
            let whom = (stage, named(&unit, 4), named(&region, 2), named(&flow, 1));
            self.places.get(&whom).copied()
        })
    }

    /// The bindings of a plugin with their places, in the order of the config.
    pub(crate) fn of<'t>(&'t self, plugin: &'t str) -> impl Iterator<Item = (usize, &'t Binding)> {
        let all = self.bindings.iter().enumerate();
        all.filter(move |(_, binding)| binding.plugin == plugin)
    }

    pub(crate) fn is_bound(&self, plugin: &str) -> bool {
        self.of(plugin).next().is_some()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn binding(stage: &str, whom: [Option<&str>; 3]) -> Binding {
        let [unit, region, flow] = whom;
        serde_json::from_value(serde_json::json!({
            "stage": stage, "plugin": "p", "unit": unit, "region": region, "flow": flow,
        }))
        .unwrap()
    }

    fn names() -> impl Strategy<Value = Option<&'static str>> {
        prop_oneof![Just(None), Just(Some("a")), Just(Some("b"))]
    }

    proptest! {
        /// The index finds the binding that trying all of them finds.
        #[test]
        fn the_most_specific_one_is_found(
            all in prop::collection::vec(
                (prop_oneof![Just("tax"), Just("read")], [names(), names(), names()]), 0..12),
            unit in "[abc]?", region in "[abc]", flow in "[abc]",
        ) {
            let mut bindings: Vec<Binding> = Vec::new();
            for (stage, whom) in all {
                let next = binding(stage, whom);
                if !bindings.iter().any(|other| other.ties_with(&next)) {
                    bindings.push(next);
                }
            }
            let subject = Subject { flow: &flow, region: &region, unit: &unit, key: "" };
            let ranked = bindings.iter().enumerate();
            let tried = ranked
                .filter_map(|(place, binding)| Some((binding.fit(Stage::Tax, subject)?, place)))
                .max();
            let terms = Terms::new(Options { bindings, ..Options::default() });
            prop_assert_eq!(terms.place(Stage::Tax, subject), tried.map(|(_, place)| place));
        }
    }
}
