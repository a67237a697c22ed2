//! Reads a config in spite of what is wrong with it, so that all of it is told.
//!
//! serde stops at the first thing it cannot take. That thing is told and taken out
//! of the parsed document, and the rest is read again, until all that is left can be
//! taken. What follows only from a thing's absence (a binding without its stage) is
//! taken out too, and not told: why is told already.

use std::{collections::BTreeSet, ops::Range, path::Path};

use serde::{Deserialize as _, de::DeserializeOwned};
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer, Error, ValueDeserializer},
};

use super::{
    Config, Problem,
    document::{Way, find, take_out},
    place::{Lines, Places},
};

/// Most problems that are told at once: after a hundred a person begins anew.
const MOST: usize = 100;

/// The span of what does not stand in the text: no other is like it.
const NOWHERE: Range<usize> = usize::MAX..usize::MAX;

/// What could be read of a config.
pub(super) struct Reading {
    /// The config, without what could not be read; none when that is too much.
    pub(super) config: Option<Config>,
    /// Where its settings stand.
    pub(super) places: Places,
    /// What could not be read.
    pub(super) problems: Vec<Problem>,
}

/// Something that could not be read.
struct Culprit {
    /// The way to it; empty for the file as a whole.
    way: Way,
    /// Where it stands in the text.
    start: Option<usize>,
    message: String,
}

/// Reads the text of a config.
pub(super) fn read(path: &Path, text: &str) -> Reading {
    let lines = Lines::of(text);
    let mut problems = Vec::new();
    let mut tell = |start: Option<usize>, problem: String| {
        let line = start.map(|start| lines.line(start));
        problems.push(Problem {
            file: path.to_owned(),
            line,
            problem,
            is_warning: false,
        });
        problems.len() < MOST
    };
    let mut lost = BTreeSet::new();
    let mut root = DeTable::new();
    let config = match DeTable::parse(text) {
        Ok(parsed) => {
            root = parsed.into_inner();
            collect(&mut root, &mut lost, &mut tell)
        }
        Err(error) => {
            tell(error.span().map(|span| span.start), error.message().to_owned());
            None
        }
    };
    Reading {
        config,
        places: Places::new(path, text, &root, lost),
        problems,
    }
}

/// Takes everything out that cannot be read, and gives what is left.
fn collect(
    root: &mut DeTable<'_>,
    lost: &mut BTreeSet<Way>,
    tell: &mut dyn FnMut(Option<usize>, String) -> bool,
) -> Option<Config> {
    loop {
        let document = Spanned::new(NOWHERE, root.clone());
        let error = match Config::deserialize(Deserializer::from(document)) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let culprit = culprit(root, &error);
        let gap = missing(&culprit.message).map(|name| {
            let mut way = culprit.way.clone();
            way.push(name.to_owned());
            way
        });
        let follows = gap.as_ref().is_some_and(|gap| lost.contains(gap));
        if !follows && !tell(culprit.start, remedy(&culprit.message)) {
            return None;
        }
        match (culprit.way.as_slice(), gap) {
            ([], Some(gap)) if gap == ["admin"] => {
                stand_in(root);
                lost.insert(gap);
            }
            ([], _) => return None,
            (way, _) => take_out(root, way, lost),
        }
    }
}

/// Puts an `[admin]` in the place of one that is not there, or could not be read:
/// it has no default, and all else is to be read. `Places::is_lost` tells of it.
fn stand_in(root: &mut DeTable<'_>) {
    let table = |name: &'static str, value| {
        // a span that differs from the document's own
        let nowhere = || NOWHERE.start - 1..NOWHERE.end;
        let entry = (
            Spanned::new(nowhere(), name.into()),
            Spanned::new(nowhere(), value),
        );
        DeTable::from_iter([entry])
    };
    let token = table("env", DeValue::String("".into()));
    let admin = table("token", DeValue::Table(token));
    root.extend(table("admin", DeValue::Table(admin)));
}

/// What an error is about.
fn culprit(root: &DeTable<'_>, error: &Error) -> Culprit {
    let span = error.span().unwrap_or_default();
    let found = find(root, &span);
    let (way, value) = found.unwrap_or_default();
    // what is wrong with the file as a whole is told at its beginning
    let start = if way.is_empty() { 0 } else { span.start };
    let mut culprit = Culprit {
        way,
        start: Some(start),
        message: error.message().to_owned(),
    };
    // serde reads a table with a `kind` in two steps, and forgets on the way where things stand
    if let [part, systems, _] = culprit.way.as_slice()
        && systems == "systems"
        && let Some(DeValue::Table(table)) = value
    {
        if let Some(error) = error_within(table, part) {
            culprit.message = error.message().to_owned();
            if let Some(span) = error.span()
                && let Some((below, _)) = find(table, &span)
            {
                culprit.way.extend(below);
                culprit.start = Some(span.start);
            }
        } else if let Some(kind) = table.get("kind") {
            culprit.start = Some(kind.span().start);
        }
    }
    culprit
}

/// What is wrong with a system's table when it is read as its kind alone.
fn error_within(table: &DeTable<'_>, part: &str) -> Option<Error> {
    let mut table = table.clone();
    let kind = table.remove("kind")?;
    let DeValue::String(kind) = kind.get_ref() else {
        return None;
    };
    match (part, kind.as_ref()) {
        ("ingress", "hubspot") => error_as::<cambist_ingress::options::HubSpot>(table),
        ("ingress", "standard-webhooks") => error_as::<cambist_ingress::options::StandardWebhooks>(table),
        ("ingress", "odoo") => error_as::<cambist_ingress::options::Odoo>(table),
        ("connect", "hubspot") => error_as::<cambist_connect::options::HubSpot>(table),
        ("connect", "odoo") => error_as::<cambist_connect::options::Odoo>(table),
        ("connect", "dry-run") => error_as::<cambist_connect::options::DryRun>(table),
        _ => None,
    }
}

fn error_as<T: DeserializeOwned>(table: DeTable<'_>) -> Option<Error> {
    let value = Spanned::new(NOWHERE, DeValue::Table(table));
    T::deserialize(ValueDeserializer::from(value)).err()
}

/// The field that a message says is missing.
fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// A message with the way out, where serde does not say it: it lists the fields and
/// the words that it knows, and names the type that it expects.
fn remedy(message: &str) -> String {
    match missing(message) {
        Some("admin") => format!("{message}; add [admin] with the token that operators send"),
        Some(_) => format!("{message}; add it (`cambist schema` tells what it means)"),
        None => message.to_owned(),
    }
}
