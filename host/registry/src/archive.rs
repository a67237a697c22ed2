//! Revisions on disk: each one that ever passed its checks, by its digest. Which of them
//! is live is not here, but in the ledger.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cambist_contract::{
    digest::Digest,
    revision::{Revision, canonical_json},
};

/// The folder that keeps components and revisions, each file named by the digest
/// of what it holds and never changed.
#[derive(Debug)]
pub(crate) struct Archive {
    folder: PathBuf,
}

impl Archive {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder.join("components"))?;
        fs::create_dir_all(folder.join("revisions"))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Keeps a revision and its component. Durable when it returns, because
    /// messages are pinned to it from then on.
    pub(crate) fn keep(&self, revision: &Revision, component: &[u8]) -> io::Result<()> {
        write_once(&self.component_path(&revision.component), component)?;
        let value = serde_json::to_value(revision).map_err(io::Error::other)?;
        // the text whose digest is the id: see `Revision::id`
        write_once(
            &self.revision_path(&revision.id()),
            canonical_json(&value).as_bytes(),
        )
    }

    /// A revision that was kept, with its component. What is on disk is checked
    /// against the digests in its names: the text as it stands, so that a revision
    /// written before a limit was thought of keeps its name.
    pub(crate) fn find(&self, id: &Digest) -> io::Result<(Revision, Vec<u8>)> {
        let revision = self.revision(id)?;
        let component = self.component(&revision.component)?;
        Ok((revision, component))
    }

    /// A revision that was kept, checked against its id.
    pub(crate) fn revision(&self, id: &Digest) -> io::Result<Revision> {
        let text = fs::read(self.revision_path(id))?;
        if Digest::of(&text) != *id {
            return Err(changed("revision"));
        }
        serde_json::from_slice(&text).map_err(io::Error::other)
    }

    /// A component that was kept, checked against its digest.
    pub(crate) fn component(&self, digest: &Digest) -> io::Result<Vec<u8>> {
        let component = fs::read(self.component_path(digest))?;
        if Digest::of(&component) != *digest {
            return Err(changed("component"));
        }
        Ok(component)
    }

    fn component_path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("components").join(format!("{digest}.wasm"))
    }

    fn revision_path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("revisions").join(format!("{digest}.json"))
    }
}

fn changed(what: &str) -> io::Error {
    let text = format!("the kept {what} was changed on disk; offer the same plugin file again");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Writes a file under its final name only when it is whole and on disk. One that
/// is there and holds something else was damaged, and is written anew.
fn write_once(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|kept| kept == content) {
        return Ok(());
    }
    let half = path.with_extension("half");
    fs::write(&half, content)?;
    fs::File::open(&half)?.sync_all()?;
    fs::rename(&half, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
