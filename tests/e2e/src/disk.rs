//! Disks in trouble: faults on demand under the journal, and a small disk of its own.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// A disk under the journal of hosts that are started with it; `faults/disk.c` says what it
/// can do.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
}

impl Disk {
    /// A disk without a fault; none, and said loudly, where it cannot be built.
    ///
    /// # Errors
    ///
    /// It is not compiled, though there is a compiler.
    pub fn new() -> Result<Option<Self>> {
        let disk = Self {
            folder: tempfile::tempdir()?,
        };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/disk.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(disk.library())
            .arg(&source)
            .output();
        let Ok(output) = compiled else {
            skip("no C compiler `cc`; the host was not tried on a disk with faults");
            return Ok(None);
        };
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "disk.c: {told}");
        disk.heal()?;
        Ok(Some(disk))
    }

    /// From now on the journal's disk has this fault.
    ///
    /// # Errors
    ///
    /// It cannot be written down.
    pub fn fault(&self, fault: &str) -> Result<()> {
        // the whole word at once, never a part of it
        let next = self.folder.path().join("next");
        fs::write(&next, fault)?;
        fs::rename(next, self.word()).context("the fault cannot be set")
    }

    /// From now on it has none.
    ///
    /// # Errors
    ///
    /// It cannot be written down.
    pub fn heal(&self) -> Result<()> {
        self.fault("")
    }

    /// What a host is started with to have this disk.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("LD_PRELOAD", self.library()),
            ("CAMBIST_DISK_FAULT", self.word()),
        ]
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("disk.so")
    }

    fn word(&self) -> PathBuf {
        self.folder.path().join("fault")
    }
}

/// A small file system in memory over a folder. It is gone when this is dropped.
#[derive(Debug)]
pub struct Small {
    folder: PathBuf,
}

impl Small {
    /// Puts it over the folder; none, and said loudly, where this process may not.
    ///
    /// # Errors
    ///
    /// The folder cannot be made.
    pub fn over(folder: &Path) -> Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        // compiled plugins have room in it, and it is soon full
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=96m", "tmpfs"])
            .arg(folder)
            .output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            skip(
                "a file system cannot be mounted here (root can); the host was not tried on a disk that is really full",
            );
            return Ok(None);
        }
        Ok(Some(Self {
            folder: folder.to_owned(),
        }))
    }

    /// Takes all the room there is.
    ///
    /// # Errors
    ///
    /// It fails for another reason than that there is no room.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.ballast())?;
        for piece in [1 << 20, 1 << 12] {
            let bytes = vec![0; piece];
            while ballast.write_all(&bytes).is_ok() {}
        }
        Ok(())
    }

    /// Gives it back.
    ///
    /// # Errors
    ///
    /// Nothing was taken.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("no room was taken")
    }

    /// Lets it be written no more, or again. Nobody may have a file open to write.
    ///
    /// # Errors
    ///
    /// The system refuses it.
    pub fn writable(&self, writable: bool) -> Result<()> {
        let how = if writable { "remount,rw" } else { "remount,ro" };
        let done = Command::new("mount")
            .args(["-o", how])
            .arg(&self.folder)
            .status()?;
        ensure!(done.success(), "it cannot be mounted as {how}");
        Ok(())
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // lazily: a host may still have a file open
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// Says what was not tested; `tests/run` repeats it.
fn skip(what: &str) {
    #[expect(clippy::print_stderr, reason = "what was not tested is said")]
    {
        eprintln!("SKIPPED: {what}");
    }
}
