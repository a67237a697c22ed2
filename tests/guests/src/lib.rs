//! Components for tests: the shipped plugins and the misbehaving ones, built on
//! first use. Cargo finds them built already the second time. Those that no compiler
//! would make are in [`mod@by_hand`], those that no host takes in [`mod@refused`].

mod by_hand;
mod refused;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};

pub use by_hand::{by_hand, component_in, component_of, contract, contract_in};
pub use refused::refused;

/// The component of a plugin: of `plugins/NAME`, or else of `tests/guests/NAME`.
///
/// # Errors
///
/// There is none, or it does not build.
pub fn component(name: &str) -> Result<Arc<Vec<u8>>> {
    static BUILT: Mutex<Option<HashMap<String, Arc<Vec<u8>>>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    if let Some(component) = built.get(name) {
        return Ok(Arc::clone(component));
    }
    let component = cambist_sdk_build::build(&[folder(name)?], true)?
        .pop()
        .with_context(|| format!("no plugin `{name}` was built"))?;
    let component = Arc::new(component.component);
    built.insert(name.to_owned(), Arc::clone(&component));
    Ok(component)
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder(name: &str) -> Result<PathBuf> {
    let places = [
        root().join("plugins").join(name),
        root().join("tests/guests").join(name),
    ];
    places
        .into_iter()
        .find(|place| place.join("Cargo.toml").is_file())
        .with_context(|| format!("no plugin and no guest is called `{name}`"))
}
