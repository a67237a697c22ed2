//! Finds the line of a setting in the config's text.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// The config's text, for finding places in it.
pub(super) struct Places<'a> {
    pub(super) path: PathBuf,
    text: &'a str,
}

impl<'a> Places<'a> {
    pub(super) fn new(path: &Path, text: &'a str) -> Self {
        Self {
            path: path.to_owned(),
            text,
        }
    }

    /// The line of a setting, such as `["flows", "0", "to"]`; of as much of it as
    /// is there.
    pub(super) fn line(&self, setting: &[&str]) -> Option<usize> {
        let root = DeTable::parse(self.text).ok()?;
        let mut at = None;
        let mut value: Option<&DeValue<'_>> = None;
        for (depth, name) in setting.iter().enumerate() {
            let next = match (depth, value) {
                (0, _) => root.get_ref().get(*name),
                (_, Some(DeValue::Table(table))) => table.get(*name),
                (_, Some(DeValue::Array(items))) => name.parse().ok().and_then(|at: usize| items.get(at)),
                _ => None,
            };
            let Some(next) = next else { break };
            at = Some(next.span().start);
            value = Some(next.get_ref());
        }
        at.map(|offset| line_of(self.text, offset))
    }
}

/// The line that an offset is on, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
