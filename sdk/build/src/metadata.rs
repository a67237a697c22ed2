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

/// Producers that are kept of the component, and of all modules together. A Python plugin has some 40 modules, of
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
    /// Languages and tools that the component itself names.
    pub producers: BTreeSet<Producer>,
    /// Those that the modules and components in it name: of Rust the author's, of other languages
    /// the runtime's.
    pub within: BTreeSet<Producer>,
}

/// Field of a language.
const LANGUAGE: &str = "language";

/// Field of a tool.
const PROCESSED_BY: &str = "processed-by";

/// A tool that puts its JavaScript engine into the component, whose makers' languages the
/// component names beside its own.
const JAVASCRIPT_ENGINE: &str = "ComponentizeJS";

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
            let known = match depth {
                0 => &mut self.producers,
                _ => &mut self.within,
            };
            for producer in all {
                if known.len() < MAX_PRODUCERS {
                    known.insert(producer);
                }
            }
        }
    }

    /// The languages that its author wrote, as far as it says.
    pub fn languages(&self) -> BTreeSet<&str> {
        let is_engine = |it: &Producer| it.field == PROCESSED_BY && it.name == JAVASCRIPT_ENGINE;
        let has_engine = self.producers.iter().any(is_engine);
        let named = languages(&self.producers);
        named.filter(|name| !has_engine || !is_compiled(name)).collect()
    }

    /// The languages of what else is in it, such as a runtime.
    pub fn languages_within(&self) -> BTreeSet<&str> {
        let own = self.languages();
        let all = languages(&self.producers).chain(languages(&self.within));
        all.filter(|name| !own.contains(name)).collect()
    }

    /// The tools that it went through, or something in it did.
    pub fn tools(&self) -> BTreeSet<&Producer> {
        let all = self.producers.iter().chain(&self.within);
        all.filter(|it| it.field != LANGUAGE).collect()
    }

    /// The generations of the contract that it exports interfaces of.
    pub fn generations(&self) -> BTreeSet<&str> {
        let exports = self.exports.iter();
        exports.filter_map(|name| Some(name.split_once('@')?.1)).collect()
    }
}

fn languages(producers: &BTreeSet<Producer>) -> impl Iterator<Item = &str> {
    let languages = producers.iter().filter(|it| it.field == LANGUAGE);
    languages.map(|it| it.name.as_str())
}

/// Whether engines are written in it: Rust, and C and C++ as clang names them (`C11`,
/// `C_plus_plus_17`).
fn is_compiled(language: &str) -> bool {
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|sign| sign.is_ascii_digit());
    language == "Rust"
        || language.starts_with("C_plus_plus")
        || language.strip_prefix('C').is_some_and(is_number)
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
    fn languages_and_tools_of_all_modules_are_told_once_and_apart() {
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
        let named = |all: &BTreeSet<Producer>| -> Vec<String> {
            let named = all.iter();
            named
                .map(|it| format!("{} {} {}", it.field, it.name, it.version))
                .collect()
        };
        assert_eq!(named(&found.producers), ["processed-by wit-component 0.254.0"]);
        assert_eq!(named(&found.within), ["language Rust "]);
    }

    /// A component that names these, around a module that is Rust's.
    fn around_rust(named: &[(&str, &str)]) -> Metadata {
        let mut module = wasm_encoder::Module::new();
        module.section(&producers("language", &[("Rust", "")]));
        module.section(&producers("processed-by", &[("rustc", "1.96.0")]));
        let mut component = Component::new();
        component.section(&ModuleSection(&module));
        for (field, name) in named {
            component.section(&producers(field, &[(name, "")]));
        }
        read(&component.finish()).unwrap()
    }

    #[test]
    fn the_language_of_a_runtime_is_not_the_authors() {
        let language = |name| ("language", name);
        let told = |named: &[(&str, &str)]| {
            let found = around_rust(named);
            let texts = |all: BTreeSet<&str>| all.into_iter().collect::<Vec<_>>().join(", ");
            [texts(found.languages()), texts(found.languages_within())]
        };
        assert_eq!(told(&[language("Rust")]), ["Rust", ""]);
        // componentize-qjs and componentize-py name none
        assert_eq!(told(&[]), ["", "Rust"]);
        assert_eq!(told(&[language("TypeScript")]), ["TypeScript", "Rust"]);
        let engine = [
            language("JavaScript"),
            language("Rust"),
            language("C_plus_plus_17"),
            language("C11"),
            ("processed-by", JAVASCRIPT_ENGINE),
        ];
        assert_eq!(told(&engine), ["JavaScript", "C11, C_plus_plus_17, Rust"]);
        let tools = around_rust(&engine);
        let tools: Vec<_> = tools.tools().into_iter().map(|it| it.name.as_str()).collect();
        assert_eq!(tools, [JAVASCRIPT_ENGINE, "rustc"]);
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
