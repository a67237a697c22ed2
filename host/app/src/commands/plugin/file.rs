//! Files of components: read, and put in their place as a whole.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Reads a file.
pub(super) fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Writes a file beside its place and renames it, so that nobody ever sees a part of it.
/// What a host watches are files that end with .wasm, which the half-written one does not.
pub(super) fn put(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> Result<()> {
    let half = path.with_extension("half");
    let written = fs::File::create(&half).and_then(|mut file| {
        file.write_all(bytes)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.sync_all()
    });
    let placed = written
        .with_context(|| format!("cannot write {}", half.display()))
        .and_then(|()| fs::rename(&half, path).with_context(|| format!("cannot write {}", path.display())));
    if placed.is_err() {
        // nobody would look for it there
        drop(fs::remove_file(&half));
    }
    placed
}

/// The path with something behind its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_put_leaves_no_half() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("a.wasm");
        fs::create_dir(&taken).unwrap();
        let error = put(&taken, b"bytes", None).unwrap_err().to_string();
        assert!(error.starts_with("cannot write "), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
