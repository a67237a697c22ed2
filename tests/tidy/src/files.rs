//! What the rules look at: the files that git tracks.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// One file of the project.
pub struct File {
    /// From the root, with `/`: `host/app/src/main.rs`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// All tracked files that are text, sorted by path.
///
/// # Errors
///
/// This is no checkout, or git is not there.
pub fn tracked() -> Result<Vec<File>> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .context("cannot run git")?;
    ensure!(output.status.success(), "not a git checkout");
    let names = String::from_utf8(output.stdout)?;
    let paths = names.split_terminator('\0').map(str::to_owned);
    // what is not UTF-8 is data, and what is gone is about to be removed
    let read = |path: String| {
        let text = std::fs::read_to_string(root().join(&path)).ok()?;
        Some(File { path, text })
    };
    Ok(paths.filter_map(read).collect())
}

/// All tracked Rust sources.
///
/// # Errors
///
/// This is no checkout, or git is not there.
pub fn sources() -> Result<Vec<File>> {
    let mut files = tracked()?;
    files.retain(|file| file.path.ends_with(".rs"));
    Ok(files)
}

/// All manifests of the workspace's members: the folder, and what is in them.
///
/// # Errors
///
/// One of them is no TOML.
pub fn manifests() -> Result<Vec<(String, toml::Table)>> {
    let mut manifests = Vec::new();
    for file in tracked()? {
        let Some(folder) = file.path.strip_suffix("/Cargo.toml") else {
            continue;
        };
        let table = file.text.parse().with_context(|| file.path.clone())?;
        manifests.push((folder.to_owned(), table));
    }
    Ok(manifests)
}

/// Fails with all findings at once, a line each.
///
/// # Errors
///
/// There are findings.
pub fn none(rule: &str, findings: &[String]) -> Result<()> {
    ensure!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
    Ok(())
}
