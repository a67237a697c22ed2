//! Compiled components on disk: each is compiled once.
//!
//! A compiled component is native code, and loading one trusts it as such. So
//! the cache takes only a folder that nobody but the host's user can write to,
//! reads only files it could have written itself (named by the digest of the
//! component and the version and settings of the engine), and checks that the
//! file's content has the digest that stands beside it. Anything else is
//! compiled anew.

#![expect(
    unsafe_code,
    reason = "wasmtime's own API for precompiled code is unsafe; see `load`"
)]

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use cambist_contract::digest::Digest;
use wasmtime::{Engine, component::Component};

/// The cache's folder.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens a folder, and makes it where it is missing.
    ///
    /// # Errors
    ///
    /// It cannot be made, or others may write to it.
    pub(crate) fn open(folder: &Path, engine: &Engine) -> io::Result<Self> {
        let folder = folder.join(engine_key(engine));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        for trusted in [folder.as_path(), folder.parent().unwrap_or(&folder)] {
            only_ours(trusted)?;
        }
        Ok(Self { folder })
    }

    /// The component with these bytes, if it was compiled before.
    pub(crate) fn compiled(&self, engine: &Engine, bytes: &[u8]) -> Option<Component> {
        self.load(engine, &Digest::of(bytes))
    }

    /// Compiles a component, and keeps what came of it.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
        let digest = Digest::of(bytes);
        let component = Component::from_binary(engine, bytes)?;
        if let Err(error) = self.store(&digest, &component) {
            tracing::warn!(component = %digest.short(), %error, "cannot keep a compiled component");
        }
        Ok(component)
    }

    fn load(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let path = self.path(digest);
        only_ours(&path).ok()?;
        let compiled = fs::read(&path).ok()?;
        let (seal, code) = compiled.split_at_checked(32)?;
        if Digest::of(code).as_bytes() != seal {
            return None;
        }
        // SAFETY: the bytes are what `store` wrote: the file and its folders
        // belong to this user and nobody else may write to them (`only_ours`),
        // the name is keyed by component and engine, and the content has the
        // digest that was written with it. Wasmtime itself checks version and
        // settings once more.
        unsafe { Component::deserialize(engine, code) }.ok()
    }

    fn store(&self, digest: &Digest, component: &Component) -> io::Result<()> {
        let code = component.serialize().map_err(io::Error::other)?;
        let path = self.path(digest);
        let half = path.with_extension(format!("{}.half", std::process::id()));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&half)?;
        io::Write::write_all(&mut file, Digest::of(&code).as_bytes())?;
        io::Write::write_all(&mut file, &code)?;
        file.sync_all()?;
        fs::rename(half, path)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{digest}.cwasm"))
    }
}

/// A name for the engine's version and settings.
fn engine_key(engine: &Engine) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("wasmtime-{:016x}", hasher.finish())
}

/// Refuses a file or folder that somebody else owns or may write to.
fn only_ours(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    let ours = fs::metadata("/proc/self")?.uid();
    if metadata.is_symlink() || metadata.uid() != ours || metadata.mode() & 0o022 != 0 {
        let text = format!(
            "{} belongs to or can be written by others; chmod go-w it",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok(())
}
