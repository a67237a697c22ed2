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

/// The plugin files in the folder, by the plugin's name. Only what is a file: to
/// open a pipe would wait for its writer.
pub(crate) fn plugins(folder: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm")
            && path.is_file()
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            found.insert(name.to_owned(), path);
        }
    }
    Ok(found)
}

/// What the system says of a file that need not be read for it. A program can set back when
/// a file was written, but not when the system was last told to change it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    file: (u64, u64),
    size: u64,
    changed: (i64, i64),
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
