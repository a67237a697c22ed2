//! Finding things in a parsed TOML document, and taking them out of it.

use std::{collections::BTreeSet, ops::Range};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

/// A setting's way from the top, such as `["flows", "0", "to"]`.
pub(super) type Way = Vec<String>;

/// Stands for an item of a list that was taken out: its number means nothing
/// afterwards.
pub(super) const ITEM: &str = "*";

/// The key or the value that stands exactly there, the deepest one: its way, and the
/// value.
pub(super) fn find<'t, 'i>(
    table: &'t DeTable<'i>,
    span: &Range<usize>,
) -> Option<(Way, Option<&'t DeValue<'i>>)> {
    let mut way = Way::new();
    let value = find_in(table, span, &mut way)?;
    way.reverse();
    Some((way, Some(value)))
}

/// Fills the way from its end.
fn find_in<'t, 'i>(table: &'t DeTable<'i>, span: &Range<usize>, way: &mut Way) -> Option<&'t DeValue<'i>> {
    table.iter().find_map(|(key, value)| {
        let here = || (key.span() == *span).then_some(value.get_ref());
        let found = find_at(value, span, way).or_else(here)?;
        way.push(key.get_ref().to_string());
        Some(found)
    })
}

fn find_at<'t, 'i>(
    value: &'t Spanned<DeValue<'i>>,
    span: &Range<usize>,
    way: &mut Way,
) -> Option<&'t DeValue<'i>> {
    let below = match value.get_ref() {
        DeValue::Table(table) => find_in(table, span, way),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(at, item)| {
            let found = find_at(item, span, way)?;
            way.push(at.to_string());
            Some(found)
        }),
        _ => None,
    };
    below.or_else(|| (value.span() == *span).then_some(value.get_ref()))
}

/// Takes a setting out, and adds it to those that are lost. Items of a list that
/// come after it move up, and so do the ways of what was lost in them.
pub(super) fn take_out(root: &mut DeTable<'_>, way: &[String], lost: &mut BTreeSet<Way>) {
    let Some((last, above)) = way.split_last() else {
        return;
    };
    if !cut(root, way) {
        lost.insert(way.to_vec());
        return;
    }
    let Ok(taken) = last.parse::<usize>() else { return };
    let moved = std::mem::take(lost).into_iter().filter_map(|mut other| {
        let place = match other.strip_prefix(above) {
            Some([place, ..]) => place.parse::<usize>().ok(),
            _ => None,
        };
        match place {
            Some(place) if place == taken => return None,
            Some(place) if place > taken => {
                if let Some(name) = other.get_mut(above.len()) {
                    *name = (place - 1).to_string();
                }
            }
            _ => {}
        }
        Some(other)
    });
    *lost = moved.collect();
    let mut item = above.to_vec();
    item.push(ITEM.to_owned());
    lost.insert(item);
}

/// Cuts a setting out of a table. Whether it was an item of a list.
fn cut(table: &mut DeTable<'_>, way: &[String]) -> bool {
    match way {
        [] => false,
        [name] => {
            table.remove(name.as_str());
            false
        }
        [name, below @ ..] => table
            .get_mut(name.as_str())
            .is_some_and(|value| cut_in(value.get_mut(), below)),
    }
}

fn cut_in(value: &mut DeValue<'_>, way: &[String]) -> bool {
    match value {
        DeValue::Table(table) => cut(table, way),
        DeValue::Array(items) => {
            let Some((name, below)) = way.split_first() else {
                return false;
            };
            let Ok(at) = name.parse::<usize>() else {
                return false;
            };
            if !below.is_empty() {
                return items
                    .get_mut(at)
                    .is_some_and(|item| cut_in(item.get_mut(), below));
            }
            let mut kept = DeArray::new();
            let others = items.iter().enumerate().filter(|(place, _)| *place != at);
            others.for_each(|(_, item)| kept.push(item.clone()));
            *items = kept;
            true
        }
        _ => false,
    }
}
