//! What a component says about itself, read from its bytes without running it.

use cambist_contract::{
    digest::Digest,
    plugin::{Case, Description, LoadError},
};
use wasmparser::{Parser, Payload};
use wasmtime::{Engine, component::Component};

use crate::{
    check,
    trap::{cut, not_a_component},
};

/// The custom section that holds a component's cases.
const CASES: &str = "cambist-cases";

/// Cases that a component may carry. Each may use a call's whole fuel, twice: 25 ms
/// each, so 500 bad ones take half a minute before they are refused. The largest
/// plugin that is shipped has under 100.
const MAX_CASES: usize = 500;

/// Reads a component's metadata. `component` is the same one, compiled.
pub(crate) fn describe(
    engine: &Engine,
    bytes: &[u8],
    component: &Component,
) -> Result<Description, LoadError> {
    let mut about = Metadata::default();
    about.read(bytes)?;
    Ok(Description {
        component: Digest::of(bytes),
        size: bytes.len() as u64,
        interfaces: check::exports(engine, component)?.1,
        imports: check::functions(engine, component),
        name: about.name,
        version: about.version,
        cases: about.cases,
    })
}

#[derive(Default)]
struct Metadata {
    name: Option<String>,
    version: Option<String>,
    cases: Vec<Case>,
}

impl Metadata {
    /// Reads the sections of the outermost component only.
    fn read(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let wrong = |text: String| LoadError::NotAComponent(text);
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|error| not_a_component(error.message()))? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section) if depth == 0 => match section.name() {
                    "component-name" => {
                        if let wasmparser::KnownCustom::ComponentName(names) = section.as_known() {
                            self.name = names.into_iter().flatten().find_map(component_name);
                        }
                    }
                    "version" => self.version = text(section.data()),
                    CASES => {
                        self.cases = serde_json::from_slice(section.data())
                            .map_err(|error| wrong(cut(format!("its cases cannot be read: {error}"))))?;
                        if self.cases.len() > MAX_CASES {
                            let cases = self.cases.len();
                            let text = format!("it carries {cases} cases, and {MAX_CASES} are the most");
                            return Err(LoadError::TooLarge(text));
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }
}

fn component_name(name: wasmparser::ComponentName<'_>) -> Option<String> {
    match name {
        wasmparser::ComponentName::Component { name, .. } => Some(cut(name.to_owned())),
        _ => None,
    }
}

fn text(data: &[u8]) -> Option<String> {
    std::str::from_utf8(data).ok().map(|text| cut(text.to_owned()))
}
