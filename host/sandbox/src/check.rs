//! What is checked before a component is linked: its size, that it is one, its
//! exports and its imports. What it would cost to compile is `bounds.rs`.

use std::collections::BTreeSet;

use cambist_contract::{
    limits::MAX_COMPONENT,
    plugin::{Interface, LoadError},
    revision::Grant,
};
use wasmparser::{CanonicalFunction, Encoding, Parser, Payload};
use wasmtime::{
    Engine,
    component::{Component, types::ComponentItem},
};

use crate::{
    generation::{Generation, SERVED},
    trap::{cut, cut_at, not_a_component},
};

const PACKAGE: &str = "cambist:plugin/";

/// Names of missing imports that are told, and the longest of each. A program built
/// with all of WASI imports some 40.
const TOLD: usize = 64;
const TOLD_BYTES: usize = 120;

/// Refuses a file that is too large to be looked at.
///
/// # Errors
///
/// It is.
pub(crate) fn size(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() <= MAX_COMPONENT {
        return Ok(());
    }
    let text = format!("{} bytes, and {MAX_COMPONENT} are the most", bytes.len());
    Err(LoadError::TooLarge(text))
}

/// Refuses a file by its first bytes, where those say that it is nothing of WebAssembly, or
/// a module that was not made a component. A parser would speak of numbers.
///
/// # Errors
///
/// They do.
pub(crate) fn begins_as_component(bytes: &[u8]) -> Result<(), LoadError> {
    // the four bytes of all WebAssembly, two of its version, two of its kind
    let what = match bytes {
        [] => "the file is empty",
        [b'\0', b'a', b's', b'm', _, _, 0, 0, ..] => {
            "it is a core module; `cambist plugin build` makes a component of a crate, and `wasm-tools component new` of a module"
        }
        [b'\0', b'a', b's', b'm', ..] => return Ok(()),
        _ => {
            "it is no WebAssembly at all, by its first bytes; `cambist plugin build` makes a plugin of a crate"
        }
    };
    Err(LoadError::NotAComponent(what.to_owned()))
}

/// Refuses a component in which other components have code of their own. Between
/// components the host copies text, and no limit would see it. A component that
/// only renames (tools put one before each exported interface) has no code.
///
/// # Errors
///
/// It is composed, or its bytes are no component, or it makes resources of its own:
/// each takes a place in a table of the host's, and wasmtime allows 268 million.
pub(crate) fn one_component(bytes: &[u8]) -> Result<(), LoadError> {
    let wrong = |error: wasmparser::BinaryReaderError| not_a_component(error.message());
    // for each component that is open, whether it stands in another one
    let mut open: Vec<bool> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(wrong)? {
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } => open.push(!open.is_empty()),
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } => {
                if open.last().is_some_and(|inner| *inner) {
                    return Err(LoadError::Composed);
                }
                open.push(false);
            }
            Payload::End(_) => drop(open.pop()),
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    if matches!(function.map_err(wrong)?, CanonicalFunction::ResourceNew { .. }) {
                        let text =
                            "it makes resources of its own, and no limit counts those; hand out records";
                        return Err(LoadError::TooLarge(text.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The newest known generation that a component exports interfaces of, and which.
///
/// # Errors
///
/// There is none.
pub(crate) fn exports(
    engine: &Engine,
    component: &Component,
) -> Result<(&'static Generation, Vec<Interface>), LoadError> {
    let ty = component.component_type();
    let names: Vec<String> = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
    for generation in SERVED {
        let known: Vec<Interface> = names
            .iter()
            .filter_map(|name| interface(name, generation))
            .collect();
        if !known.is_empty() {
            return Ok((generation, known));
        }
    }
    let found = match names.as_slice() {
        [] => String::new(),
        names => format!(" (it exports {})", cut(names.join(", "))),
    };
    Err(LoadError::NoInterface { found })
}

/// `cambist:plugin/mapping@0.1.0` is the mapping interface of generation 0.1.
fn interface(export: &str, generation: &Generation) -> Option<Interface> {
    let (name, version) = export.strip_prefix(PACKAGE)?.split_once('@')?;
    if !generation.has(version) {
        return None;
    }
    match name {
        "mapping" => Some(Interface::Mapping),
        "policy" => Some(Interface::Policy),
        "tax" => Some(Interface::Tax),
        "invoicing" => Some(Interface::Invoicing),
        _ => None,
    }
}

/// Checks the imports that hold functions against the grants, all of the generation of
/// the exports, and names every
/// one that is missing: wasmtime's linker would name the first, and misleadingly.
///
/// # Errors
///
/// [`LoadError::NotGranted`] with all of them.
pub(crate) fn imports(
    engine: &Engine,
    component: &Component,
    generation: &Generation,
    grants: &BTreeSet<Grant>,
) -> Result<(), LoadError> {
    let missing: Vec<String> = functions(engine, component)
        .into_iter()
        .filter(|name| !granted(name, generation, grants))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let hint = hint(&missing);
    let more = missing.len().saturating_sub(TOLD);
    let mut missing: Vec<String> = missing
        .into_iter()
        .take(TOLD)
        .map(|name| cut_at(name, TOLD_BYTES))
        .collect();
    if more > 0 {
        missing.push(format!("and {more} more"));
    }
    Err(LoadError::NotGranted { missing, hint })
}

/// The imports of a component that are or hold functions. The others only name
/// types, which nobody has to grant.
pub(crate) fn functions(engine: &Engine, component: &Component) -> Vec<String> {
    let ty = component.component_type();
    ty.imports(engine)
        .filter(|(_, item)| match &item.ty {
            ComponentItem::ComponentInstance(instance) => instance
                .exports(engine)
                .any(|(_, item)| !matches!(item.ty, ComponentItem::Type(_))),
            ComponentItem::Type(_) => false,
            _ => true,
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn granted(import: &str, generation: &Generation, grants: &BTreeSet<Grant>) -> bool {
    let Some((name, version)) = import.strip_prefix(PACKAGE).and_then(|name| name.split_once('@')) else {
        return false;
    };
    generation.has(version)
        && match name {
            "log" => grants.contains(&Grant::Log),
            "reference" => grants.iter().any(|grant| matches!(grant, Grant::Reference(_))),
            "links" => grants.iter().any(|grant| matches!(grant, Grant::Links(_))),
            _ => false,
        }
}

/// The way out, for what is missing: a way for each kind.
fn hint(missing: &[String]) -> String {
    let mut ways = Vec::new();
    if missing.iter().any(|name| name.starts_with("wasi:")) {
        ways.push(WITHOUT_WASI.to_owned());
    }
    let grants: Vec<&str> = missing
        .iter()
        .filter_map(|name| match name.strip_prefix(PACKAGE)?.split('@').next()? {
            "log" => Some("`log`"),
            "reference" => Some("`reference:TABLE`"),
            "links" => Some("`links:SYSTEM`"),
            _ => None,
        })
        .collect();
    if !grants.is_empty() {
        ways.push(format!("add {} to the binding's grants", grants.join(", ")));
    }
    if ways.is_empty() {
        ways.push("the host has no such interface".to_owned());
    }
    ways.join("; ")
}

/// How each language's tool leaves WASI out.
const WITHOUT_WASI: &str = "WASI is never granted: build Rust for `wasm32-unknown-unknown`, JavaScript with \
     `componentize-qjs --stub-wasi`, Python with `componentize-py componentize --stub-wasi`, C without wasi-libc's \
     files and clocks";
