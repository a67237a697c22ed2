//! Which items of two lists are compared with each other: those with the same name, where all
//! have one, so that an item that was put in does not make all behind it differ; else those at
//! the same place.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::value::RawValue;

/// What names an item, in the contract's words, in HubSpot's and in Odoo's: the first that it
/// has.
const NAMES: [&str; 4] = ["ref", "key", "id", "code"];

/// How deep a name is looked for: of a change it is in the record in the `entity`, of a command
/// in its record.
const DEEP: usize = 3;

/// An item of the live list, one of the other, and the place to speak of.
type Pair<'a> = (usize, Option<&'a RawValue>, Option<&'a RawValue>);

/// What is compared with what.
pub(super) struct Pairs<'a> {
    pub(super) pairs: Vec<Pair<'a>>,
    /// Whether items that both have stand in another order.
    pub(super) moved: bool,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(live: &[&'a RawValue], shadow: &[&'a RawValue]) -> Self {
        match (names(live), names(shadow)) {
            (Some(before), Some(after)) => Self::by_name(live, shadow, &before, &after),
            _ => Self::by_place(live, shadow),
        }
    }

    fn by_place(live: &[&'a RawValue], shadow: &[&'a RawValue]) -> Self {
        let places = 0..live.len().max(shadow.len());
        let pairs = places.map(|place| (place, live.get(place).copied(), shadow.get(place).copied()));
        Self {
            pairs: pairs.collect(),
            moved: false,
        }
    }

    fn by_name(live: &[&'a RawValue], shadow: &[&'a RawValue], before: &[&str], after: &[&str]) -> Self {
        let places: BTreeMap<&str, usize> = after.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let (mut pairs, mut met): (Vec<Pair<'a>>, Vec<usize>) = (Vec::new(), Vec::new());
        for (place, (value, name)) in live.iter().zip(before).enumerate() {
            let other = places.get(name);
            met.extend(other);
            let other = other.and_then(|place| shadow.get(*place));
            pairs.push((place, Some(*value), other.copied()));
        }
        let known: BTreeSet<&str> = before.iter().copied().collect();
        for (place, (value, name)) in shadow.iter().zip(after).enumerate() {
            if !known.contains(name) {
                pairs.push((place, None, Some(*value)));
            }
        }
        Self {
            pairs,
            moved: !met.is_sorted(),
        }
    }
}

/// The name of each item; none when one has none, or two have the same.
fn names<'a>(items: &[&'a RawValue]) -> Option<Vec<&'a str>> {
    let names: Vec<&str> = items.iter().map(|item| name(item, DEEP)).collect::<Option<_>>()?;
    let different: BTreeSet<&str> = names.iter().copied().collect();
    (different.len() == names.len()).then_some(names)
}

/// What names an item: a field of it, or of an object in it.
fn name(item: &RawValue, deep: usize) -> Option<&str> {
    let text = item.get().trim_start();
    if deep == 0 || !text.starts_with('{') {
        return None;
    }
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
    let own = NAMES.iter().find_map(|name| fields.get(*name));
    own.map(|name| name.get())
        .or_else(|| fields.values().find_map(|value| name(value, deep - 1)))
}
