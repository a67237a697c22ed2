//! Where settings stand in the config's text, and which of them could not be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use cambist_contract::secret::SecretRef;
use toml::de::{DeTable, DeValue};

use super::{
    Problem,
    document::{ITEM, Way},
};

/// Where settings stand, and which are not in the config although they are in the
/// file, because they could not be read.
#[derive(Clone, Debug)]
pub struct Places {
    path: PathBuf,
    lines: BTreeMap<Way, usize>,
    texts: BTreeMap<Way, String>,
    lost: BTreeSet<Way>,
}

impl Places {
    /// The places of what could be read of a file, and the ways of what could not.
    pub(super) fn new(path: &Path, text: &str, root: &DeTable<'_>, lost: BTreeSet<Way>) -> Self {
        let mut places = Self {
            path: path.to_owned(),
            lines: BTreeMap::new(),
            texts: BTreeMap::new(),
            lost,
        };
        let mut open: Vec<(Way, usize, &DeValue<'_>)> = Vec::new();
        let starts = Lines::of(text);
        let below = |way: &Way, name: &str| way.iter().cloned().chain([name.to_owned()]).collect::<Way>();
        for (key, value) in root {
            open.push((
                vec![key.get_ref().to_string()],
                value.span().start,
                value.get_ref(),
            ));
        }
        while let Some((way, start, value)) = open.pop() {
            match value {
                DeValue::Table(table) => {
                    for (key, value) in table {
                        open.push((below(&way, key.get_ref()), value.span().start, value.get_ref()));
                    }
                }
                DeValue::Array(items) => {
                    for (at, item) in items.iter().enumerate() {
                        open.push((below(&way, &at.to_string()), item.span().start, item.get_ref()));
                    }
                }
                DeValue::String(text) => {
                    places.texts.insert(way.clone(), text.to_string());
                }
                DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
            }
            places.lines.insert(way, starts.line(start));
        }
        places
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line of a setting; of as much of its way as is there.
    pub(super) fn line(&self, setting: &[&str]) -> Option<usize> {
        let way: Way = setting.iter().map(ToString::to_string).collect();
        (1..=way.len())
            .rev()
            .find_map(|depth| self.lines.get(way.get(..depth)?).copied())
    }

    /// A problem with a setting.
    pub(crate) fn problem(&self, setting: &[&str], problem: String) -> Problem {
        Problem {
            file: self.path.clone(),
            line: self.line(setting),
            problem,
            is_warning: false,
        }
    }

    /// A problem with a secret that something under `setting` refers to.
    pub(crate) fn problem_of_secret(&self, setting: &[&str], secret: &SecretRef, problem: String) -> Problem {
        let (kind, name) = match secret {
            SecretRef::Env(name) => ("env", name.clone()),
            SecretRef::File(path) => ("file", path.to_string_lossy().into_owned()),
        };
        let reference = self.texts.iter().find(|(way, text)| {
            let is_below = way.len() > setting.len() && way.iter().zip(setting).all(|(a, b)| a == b);
            is_below && way.last().is_some_and(|last| last == kind) && **text == name
        });
        let line = match reference {
            Some((way, _)) => self.lines.get(way).copied(),
            None => self.line(setting),
        };
        Problem {
            file: self.path.clone(),
            line,
            problem,
            is_warning: false,
        }
    }

    /// Whether the setting, or what it stands in, is in the file and could not be
    /// read: what follows from its absence is no problem of its own.
    pub(crate) fn is_lost(&self, setting: &[&str]) -> bool {
        self.lost
            .iter()
            .any(|lost| lost.len() <= setting.len() && lost.iter().zip(setting).all(|(a, b)| a == b))
    }

    /// Whether something in the setting, or all of it, could not be read.
    pub(crate) fn is_torn(&self, setting: &[&str]) -> bool {
        self.is_lost(setting)
            || self
                .lost
                .iter()
                .any(|lost| lost.len() > setting.len() && lost.iter().zip(setting).all(|(a, b)| a == b))
    }

    /// Whether something of a table could not be read that is none of these settings of it: the
    /// table itself, or a name that is not known.
    pub(super) fn lacks_beside(&self, table: &str, known: &[String]) -> bool {
        self.lost.iter().any(|lost| match lost.as_slice() {
            [only] => only == table,
            [of, name, ..] => of == table && !known.contains(name),
            [] => false,
        })
    }

    /// Whether something at the top of the file could not be read, such as a misspelt table.
    pub(super) fn lacks_a_table(&self) -> bool {
        self.lost.iter().any(|lost| lost.len() == 1)
    }

    /// Whether an item of the list could not be read.
    pub(crate) fn lacks_items(&self, list: &str) -> bool {
        self.is_lost(&[list, ITEM])
    }
}

/// Where the lines of a text begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line that an offset is on, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}
