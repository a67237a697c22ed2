//! The plugin folder: which files count, and how they are read.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use cambist_contract::limits::MAX_COMPONENT;

/// The largest file that is read at all, in bytes: twice what is taken, so that the
/// refusal names the size, and no more.
const MAX_FILE: u64 = 2 * MAX_COMPONENT as u64;

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

/// What is in a plugin's file, up to [`MAX_FILE`].
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}
