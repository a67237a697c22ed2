//! What is checked before a component is linked: that it is one, its exports and
//! its imports.

use std::collections::BTreeSet;

use cambist_contract::{
    plugin::{Interface, LoadError},
    revision::Grant,
};
use wasmparser::{Encoding, Parser, Payload};
use wasmtime::{
    Engine,
    component::{Component, types::ComponentItem},
};

use crate::generation::v0_1_0;

const PACKAGE: &str = "cambist:plugin/";

/// Refuses a component in which other components have code of their own. Between
/// components the host copies text, and no limit would see it. A component that
/// only renames (tools put one before each exported interface) has no code.
///
/// # Errors
///
/// It is composed, or its bytes are no component.
pub(crate) fn one_component(bytes: &[u8]) -> Result<(), LoadError> {
    let wrong = |error: wasmparser::BinaryReaderError| LoadError::NotAComponent(error.message().to_owned());
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
            _ => {}
        }
    }
    Ok(())
}

/// The interfaces of a known generation that a component exports.
///
/// # Errors
///
/// There is none.
pub(crate) fn exports(engine: &Engine, component: &Component) -> Result<Vec<Interface>, LoadError> {
    let ty = component.component_type();
    let names: Vec<String> = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
    let known: Vec<Interface> = names.iter().filter_map(|name| interface(name)).collect();
    if !known.is_empty() {
        return Ok(known);
    }
    let found = match names.as_slice() {
        [] => String::new(),
        names => format!(" (it exports {})", crate::trap::cut(names.join(", "))),
    };
    Err(LoadError::NoInterface { found })
}

/// `cambist:plugin/mapping@0.1.0` is the mapping interface of generation 0.1.
fn interface(export: &str) -> Option<Interface> {
    let (name, version) = export.strip_prefix(PACKAGE)?.split_once('@')?;
    if !compatible(version) {
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

/// Within 0.1 a patch adds and changes nothing; wasmtime matches names so, too.
fn compatible(version: &str) -> bool {
    let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
    minor(version) == minor(v0_1_0::VERSION)
}

/// Checks the imports that hold functions against the grants, and names every
/// one that is missing: wasmtime's linker would name the first, and misleadingly.
///
/// # Errors
///
/// [`LoadError::NotGranted`] with all of them.
pub(crate) fn imports(
    engine: &Engine,
    component: &Component,
    grants: &BTreeSet<Grant>,
) -> Result<(), LoadError> {
    let missing: Vec<String> = functions(engine, component)
        .into_iter()
        .filter(|name| !granted(name, grants))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let hint = hint(&missing);
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

fn granted(import: &str, grants: &BTreeSet<Grant>) -> bool {
    let Some((name, version)) = import.strip_prefix(PACKAGE).and_then(|name| name.split_once('@')) else {
        return false;
    };
    compatible(version)
        && match name {
            "log" => grants.contains(&Grant::Log),
            "reference" => grants.iter().any(|grant| matches!(grant, Grant::Reference(_))),
            "links" => grants.iter().any(|grant| matches!(grant, Grant::Links(_))),
            _ => false,
        }
}

/// The way out, for what is missing.
fn hint(missing: &[String]) -> String {
    if missing.iter().any(|name| name.starts_with("wasi:")) {
        return "WASI is never granted: build for wasm32-unknown-unknown, or with `--stub-wasi` where a \
                language's tool has it"
            .to_owned();
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
    match grants.as_slice() {
        [] => "the host has no such interface".to_owned(),
        grants => format!("add {} to the binding's grants", grants.join(", ")),
    }
}
