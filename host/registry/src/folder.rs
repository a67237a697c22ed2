//! The plugin folder: which files count, and how they are read.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use cambist_contract::{limits::MAX_COMPONENT, plugin::LoadError};
use thiserror::Error;

/// Why what is in a file is not had.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    /// The system does not give it.
    #[error("its file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It has so many bytes, and was not read for it.
    #[error("{}", too_large(*.0))]
    TooLarge(u64),
}

/// The same words as of bytes that come by another way.
fn too_large(size: u64) -> LoadError {
    LoadError::TooLarge(format!("{size} bytes, and {MAX_COMPONENT} are the most"))
}

/// What is in the plugin folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The plugin files, by the plugin's name. Only what is a file: to open a pipe would wait for
    /// its writer.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// What bears a plugin's name and is no plugin file, and why.
    pub(crate) odd: BTreeMap<String, String>,
    /// Whether some of it are links: what those lead to changes without an event here.
    pub(crate) has_links: bool,
}

/// Lists the plugin folder.
pub(crate) fn list(folder: &Path) -> io::Result<Listing> {
    let mut found = Listing::default();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let (Some(name), Some(ends)) = (
            path.file_stem().and_then(|stem| stem.to_str()),
            path.extension().and_then(|extension| extension.to_str()),
        ) else {
            continue;
        };
        if !ends.eq_ignore_ascii_case(ENDS) {
            continue;
        }
        found.has_links |= path.is_symlink();
        let what = format!("{name}.{ends} in the plugin folder");
        let why = match fs::metadata(&path) {
            _ if ends != ENDS => format!("{what} does not end in .{ENDS}, in small letters; rename it"),
            Ok(data) if data.is_file() => {
                found.files.insert(name.to_owned(), path);
                continue;
            }
            Ok(data) if data.is_dir() => format!("{what} is a folder; put the component itself in its place"),
            Err(_) if path.is_symlink() => format!("{what} is a link that leads nowhere; point it to a file"),
            // gone in this very moment
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            _ => format!("{what} is no file; put the component itself in its place"),
        };
        found.odd.insert(name.to_owned(), why);
    }
    found.odd.retain(|name, _| !found.files.contains_key(name));
    Ok(found)
}

/// How a plugin file's name ends.
const ENDS: &str = "wasm";

/// What the system says of a file that need not be read for it. A program can set back when
/// a file was written, but not when the system was last told to change it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    file: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    pub(crate) fn is_empty(&self) -> bool {
        self.size == 0
    }
}

/// A file's stamp; of a link, that of what it leads to.
pub(crate) fn stamp(path: &Path) -> io::Result<Stamp> {
    let data = fs::metadata(path)?;
    Ok(Stamp {
        file: (data.dev(), data.ino()),
        size: data.size(),
        changed: (data.ctime(), data.ctime_nsec()),
    })
}

/// What is in a plugin's file. By its size alone it is told of one that is too large: to read
/// hundreds of megabytes takes seconds, in which no other plugin is looked at.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let file = fs::File::open(path)?;
    let most = MAX_COMPONENT as u64;
    let size = file.metadata()?.len();
    if size > most {
        return Err(ReadError::TooLarge(size));
    }
    let mut bytes = Vec::new();
    // it may grow meanwhile
    (&file).take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_COMPONENT {
        return Err(ReadError::TooLarge(file.metadata()?.len()));
    }
    Ok(bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_is_told_of_by_its_size_and_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.wasm");
        let file = fs::File::create(&path).unwrap();
        file.set_len(MAX_COMPONENT as u64).unwrap();
        assert_eq!(read(&path).unwrap().len(), MAX_COMPONENT);
        // so large that nobody could read it
        file.set_len(1 << 40).unwrap();
        let told = read(&path).unwrap_err().to_string();
        assert!(
            told.contains("1099511627776 bytes, and 33554432 are the most"),
            "{told}"
        );
    }
}
