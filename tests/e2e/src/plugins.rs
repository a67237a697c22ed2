//! The plugin folder of a host under test, and one cache of compiled plugins for
//! all hosts of a test run.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context as _, Result, ensure};

/// The plugins that we ship and the config binds.
pub const SHIPPED: [&str; 5] = [
    "map-hubspot",
    "map-odoo",
    "policy-deal-desk",
    "tax-eu-vat",
    "tax-in-gst",
];

/// Fills a plugin folder with the shipped components.
///
/// # Errors
///
/// A plugin does not build.
pub fn install(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for name in SHIPPED {
        put(folder, name, &cambist_guests::component(name)?)?;
    }
    Ok(())
}

/// Puts the plugin that drafts bills beside them.
///
/// # Errors
///
/// It does not build.
pub fn install_invoicing(folder: &Path) -> Result<()> {
    put(
        folder,
        "invoicing-services",
        &cambist_guests::component("invoicing-services")?,
    )
}

/// Puts a plugin's file in as a deployment should: whole, by a rename.
///
/// # Errors
///
/// The folder cannot be written.
pub fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let aside = folder.join(format!("{name}.new"));
    fs::write(&aside, bytes)?;
    fs::rename(aside, folder.join(format!("{name}.wasm"))).context("cannot put the plugin in")
}

/// A good revision of a plugin with another digest: a custom section more, which
/// means nothing to anybody. Id 0, the length, the name's length, the name.
pub fn another(component: &[u8]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    bytes.extend_from_slice(&[0, 4, 3, b'e', b'2', b'e']);
    bytes
}

/// The same with a number, so that there are as many of them as one likes.
pub fn numbered(component: &[u8], number: u32) -> Vec<u8> {
    let mut bytes = component.to_vec();
    bytes.extend_from_slice(&[0, 8, 3, b'e', b'2', b'e']);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes
}

/// The mark that the guest `marked` is built with.
const BUILT: &str = "mark-000000";

/// The guest `marked` with the mark `mark-NUMBER`, in six digits, which it gives as the reason
/// of each of its verdicts.
///
/// # Errors
///
/// It does not build, or has no mark in it.
pub fn marked(number: u32) -> Result<Vec<u8>> {
    patched("marked", BUILT, &format!("mark-{:06}", number % 1_000_000))
}

/// The guest `unruly`, doing this where its settings do not say what.
///
/// # Errors
///
/// It does not build, or the word is too long.
pub fn unruly(what: &str) -> Result<Vec<u8>> {
    patched("unruly", "do:nothing......", &format!("do:{what:.<13}"))
}

/// A component with cases. A custom section is its id, its length, its name's length, its name, and
/// what it holds.
///
/// # Errors
///
/// They are too long for a length of two groups of seven bits.
pub fn with_cases(component: &[u8], cases: &serde_json::Value) -> Result<Vec<u8>> {
    let (name, data) = ("cambist-cases", cases.to_string());
    let length = 1 + name.len() + data.len();
    let mut bytes = component.to_vec();
    bytes.extend([
        0,
        u8::try_from(length & 0x7f)? | 0x80,
        u8::try_from(length >> 7).context("the cases are too long")?,
        u8::try_from(name.len())?,
    ]);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(data.as_bytes());
    Ok(bytes)
}

/// A plugin or guest in which another text of the same length stands wherever this one does, in
/// its code's data and in its cases.
///
/// # Errors
///
/// It does not build, has no such text, or the other is of another length.
pub fn patched(name: &str, text: &str, other: &str) -> Result<Vec<u8>> {
    ensure!(text.len() == other.len(), "`{other}` is not as long as `{text}`");
    let mut bytes = cambist_guests::component(name)?.to_vec();
    let windows = bytes.windows(text.len()).enumerate();
    let places: Vec<usize> = windows
        .filter_map(|(at, window)| (window == text.as_bytes()).then_some(at))
        .collect();
    ensure!(!places.is_empty(), "`{name}` has no `{text}` in it");
    for at in places {
        let place = bytes.get_mut(at..at + text.len()).context("it ends within it")?;
        place.copy_from_slice(other.as_bytes());
    }
    Ok(bytes)
}

/// The compiled plugins of an earlier host of this test run, if there are any.
pub fn warm(data: &Path) -> Result<()> {
    if let Some(seed) = SEED.get() {
        copy(seed, &data.join("compiled"))?;
    }
    Ok(())
}

/// Keeps what the first host compiled, for those that come after it.
pub fn keep(data: &Path) {
    if SEED.get().is_none()
        && let Ok(folder) = tempfile::tempdir()
    {
        let kept = folder.keep();
        if copy(&data.join("compiled"), &kept).is_ok() {
            let _ = SEED.set(kept);
        }
    }
}

/// The folder that a run's compiled plugins are kept in.
static SEED: OnceLock<PathBuf> = OnceLock::new();

/// Copies a folder with its permissions, which the host looks at.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
