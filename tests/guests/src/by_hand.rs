//! Guests written by hand, in `by-hand/NAME.wat`: core modules that do what no compiler
//! would let them do, made into components of the contract.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

use crate::root;

/// The component of `by-hand/NAME.wat`.
///
/// # Errors
///
/// There is none, or it does not export what a plugin exports.
pub fn by_hand(name: &str) -> Result<Vec<u8>> {
    let path = root().join("tests/guests/by-hand").join(format!("{name}.wat"));
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let module = wat::parse_str(&text).with_context(|| path.display().to_string())?;
    // one that exports more than a policy exports all there is
    let world = match text.contains("cambist:plugin/mapping@") {
        true => "plugin",
        false => "policy-plugin",
    };
    component_of(module, world)
}

/// The component of a core module that exports what a world of the contract asks for.
///
/// # Errors
///
/// It does not.
pub fn component_of(module: Vec<u8>, world: &str) -> Result<Vec<u8>> {
    component_in(&contract()?, module, world)
}

/// The same, for a contract that is given.
///
/// # Errors
///
/// The module does not export what the world asks for.
pub fn component_in(
    (resolve, package): &(Resolve, PackageId),
    mut module: Vec<u8>,
    world: &str,
) -> Result<Vec<u8>> {
    let world = resolve.select_world(&[*package], Some(world))?;
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().module(&module)?.encode()
}

/// The contract, as its text says it.
///
/// # Errors
///
/// It cannot be read.
pub fn contract() -> Result<(Resolve, PackageId)> {
    contract_in(&root().join("wit/v0.1.0"))
}

/// The contract that stands in a folder.
///
/// # Errors
///
/// It cannot be read.
pub fn contract_in(folder: &Path) -> Result<(Resolve, PackageId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder)?;
    Ok((resolve, package))
}
