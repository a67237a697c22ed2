//! What a component says of its making: who wrote it, with which languages and tools, and
//! for which generation of the contract. Nothing here is proven by anything.

use std::collections::BTreeSet;

use wasm_metadata::Producers;
use wasmparser::{CustomSectionReader, KnownCustom, Parser, Payload};

use crate::cut::CONTRACT;

// the sections that OCI annotations of WebAssembly files are kept in
pub(crate) const VERSION: &str = "version";
pub(crate) const AUTHORS: &str = "authors";
pub(crate) const DESCRIPTION: &str = "description";

/// Characters of one text that are kept: a description is a sentence, and what is longer
/// would fill the screen of whoever looks.
const MAX_TEXT: usize = 500;

/// Producers that are kept of all modules together. A Python plugin has some 40 modules, of
/// two or three tools altogether.
const MAX_PRODUCERS: usize = 64;

/// What a component says of its making.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Metadata {
    /// Who wrote it.
    pub authors: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// The interfaces of the contract that it exports, with their generation, such as
    /// `cambist:plugin/tax@0.1.0`.
    pub exports: Vec<String>,
    /// Languages and tools, of the component and of all that stands in it.
    pub producers: BTreeSet<Producer>,
}

/// A language or a tool that a component was made with.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// Its name.
    pub name: String,
    /// Its version; mostly empty for a language.
    pub version: String,
}

/// Reads it.
///
/// # Errors
///
/// The bytes are no WebAssembly; why is in the text.
pub fn read(component: &[u8]) -> Result<Metadata, String> {
    let mut found = Metadata::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| error.message().to_owned())? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let name = export.map_err(|error| error.message().to_owned())?.name.name;
                    if name.starts_with(CONTRACT) {
                        found.exports.push(kept(name));
                    }
                }
            }
            Payload::CustomSection(section) => found.custom(&section, depth),
            _ => {}
        }
    }
    Ok(found)
}

impl Metadata {
    fn custom(&mut self, section: &CustomSectionReader<'_>, depth: u32) {
        let text = || std::str::from_utf8(section.data()).ok().map(kept);
        match section.name() {
            AUTHORS if depth == 0 => self.authors = text(),
            DESCRIPTION if depth == 0 => self.description = text(),
            _ => {}
        }
        // what cannot be read says nothing
        if let KnownCustom::Producers(_) = section.as_known()
            && let Ok(producers) = Producers::from_bytes(section.data(), section.data_offset())
        {
            let all = producers.iter().flat_map(|(field, values)| {
                let values: Vec<_> = values
                    .iter()
                    .map(|(name, version)| Producer {
                        field: kept(field),
                        name: kept(name),
                        version: kept(version),
                    })
                    .collect();
                values
            });
            for producer in all {
                if self.producers.len() < MAX_PRODUCERS {
                    self.producers.insert(producer);
                }
            }
        }
    }

    /// The generations of the contract that it exports interfaces of.
    pub fn generations(&self) -> BTreeSet<&str> {
        let exports = self.exports.iter();
        exports.filter_map(|name| Some(name.split_once('@')?.1)).collect()
    }
}

/// A text on one line, without what could move a terminal's cursor, of some length.
fn kept(text: &str) -> String {
    let plain = text
        .chars()
        .map(|sign| if sign.is_control() { ' ' } else { sign });
    plain.take(MAX_TEXT).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use wasm_encoder::{Component, CustomSection, ModuleSection, ProducersField, ProducersSection};

    use super::*;

    fn producers(field: &str, values: &[(&str, &str)]) -> ProducersSection {
        let mut made = ProducersField::new();
        for (name, version) in values {
            made.value(name, version);
        }
        let mut section = ProducersSection::new();
        section.field(field, &made);
        section
    }

    fn text<'t>(name: &'t str, text: &'t str) -> CustomSection<'t> {
        CustomSection {
            name: name.into(),
            data: text.as_bytes().into(),
        }
    }

    #[test]
    fn languages_and_tools_of_all_modules_are_told_once() {
        let mut component = Component::new();
        for _ in 0..2 {
            let mut module = wasm_encoder::Module::new();
            module.section(&producers("language", &[("Rust", "")]));
            // a module's own words are not the plugin's
            module.section(&text(AUTHORS, "a library"));
            component.section(&ModuleSection(&module));
        }
        component.section(&text(AUTHORS, "Munich\u{1b}[2J"));
        component.section(&text(DESCRIPTION, &"x".repeat(MAX_TEXT + 1)));
        component.section(&producers("processed-by", &[("wit-component", "0.254.0")]));
        let found = read(&component.finish()).unwrap();
        assert_eq!(found.authors.as_deref(), Some("Munich [2J"));
        assert_eq!(found.description.unwrap().len(), MAX_TEXT);
        let named: Vec<_> = found
            .producers
            .iter()
            .map(|it| (it.field.as_str(), it.name.as_str(), it.version.as_str()))
            .collect();
        assert_eq!(
            named,
            [
                ("language", "Rust", ""),
                ("processed-by", "wit-component", "0.254.0")
            ]
        );
    }

    #[test]
    fn a_component_with_ten_thousand_tools_is_cut_short() {
        let many: Vec<String> = (0..10_000).map(|at| at.to_string()).collect();
        let values: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
        let mut component = Component::new();
        component.section(&producers("sdk", &values));
        assert_eq!(read(&component.finish()).unwrap().producers.len(), MAX_PRODUCERS);
    }

    #[test]
    fn what_is_no_webassembly_is_told() {
        assert!(read(b"no component").is_err());
    }
}
