//! Runs `cargo` for plugins: the profile, the flags and the names of files.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::{BuildError, cases, component};

const TARGET: &str = "wasm32-unknown-unknown";

/// The profile of plugins, given on the command line so that an author's
/// manifest needs none: fast code, one unit, no unwinding. `strip` keeps the
/// section that holds the WIT types.
const PROFILE: [&str; 6] = [
    "profile.plugin.inherits=\"release\"",
    "profile.plugin.opt-level=3",
    "profile.plugin.lto=true",
    "profile.plugin.codegen-units=1",
    "profile.plugin.panic=\"abort\"",
    "profile.plugin.strip=true",
];

/// The stack lies first in memory, so that an overflow traps instead of writing
/// over data. 64 KiB: JSON nested to serde's bound of 128 levels fits, and a
/// small stack keeps the pages that a call touches together.
const STACK: usize = 64 << 10;

/// How large a function LLVM copies into its callers: what it does by itself. Each call
/// saves and reloads the fuel that is left, so a call that is gone is worth more in a plugin
/// than natively. But every copy is compiled by the host as well, before a new version is
/// live: with 600 here, a mapping has a third more code and takes half as much time again,
/// most of the copies are in code that never runs, and a call costs 0 to 2 % less.
const INLINE: usize = 225;

/// The same for what its author has marked `#[inline]`, which LLVM would take up to 325: by
/// such marks a hot path is told from the rest.
const INLINE_MARKED: usize = 1000;

/// A plugin that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The package's name, which is the plugin's.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// The component.
    pub component: Vec<u8>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    authors: Vec<String>,
    description: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Builds the plugins whose crates stand in `folders`. All of them belong to one
/// workspace.
///
/// `cargo` prints its progress on standard error unless `quiet`.
///
/// # Errors
///
/// The first thing that went wrong; each text names the way out.
pub fn build(folders: &[PathBuf], quiet: bool) -> Result<Vec<Built>, BuildError> {
    let Some(first) = folders.first() else {
        return Ok(Vec::new());
    };
    let metadata = metadata(first)?;
    let mut packages = Vec::new();
    for folder in folders {
        let manifest = canonical(&folder.join("Cargo.toml"))?;
        let package = metadata
            .packages
            .iter()
            .find(|package| package.manifest_path == manifest);
        packages.push(package.ok_or_else(|| BuildError::NoPlugin(folder.display().to_string()))?);
    }
    for package in &packages {
        compile(first, package, quiet)?;
    }
    packages
        .into_iter()
        .map(|package| encode(package, &metadata.target_directory))
        .collect()
}

fn metadata(folder: &Path) -> Result<Metadata, BuildError> {
    let output = cargo(folder)
        .args(["metadata", "--format-version=1", "--no-deps", "--locked"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| BuildError::Cargo(error.to_string()))?;
    serde_json::from_slice(&output.stdout).map_err(|error| BuildError::Cargo(error.to_string()))
}

/// Compiles one package, as a `cdylib` alone. Natively a plugin is an `rlib` too,
/// for tests to link; where both are made in one go, what a `rlib` shows to others
/// stays in the module, and is no longer copied into its callers: twice the size,
/// and calls of the allocator everywhere. `cargo rustc` takes one package at a time.
fn compile(folder: &Path, package: &Package, quiet: bool) -> Result<(), BuildError> {
    let root = canonical(folder)?;
    let flags = [
        format!("-Clink-arg=-zstack-size={STACK}"),
        format!("-Cllvm-args=-inline-threshold={INLINE}"),
        format!("-Cllvm-args=-inlinehint-threshold={INLINE_MARKED}"),
        // a panic's text names the file; without the remap it would differ from
        // one machine to the next, and with it the component's digest
        format!("--remap-path-prefix={}=", home().display()),
        format!("--remap-path-prefix={}=", workspace_root(&root).display()),
    ];
    let mut command = cargo(folder);
    command.args(["rustc", "--profile=plugin", "--lib", "--crate-type=cdylib"]);
    command.args(["--target", TARGET, "--package", &package.name]);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    let quoted: Vec<String> = flags.iter().map(|flag| format!("{flag:?}")).collect();
    command.args([
        "--config",
        &format!("target.{TARGET}.rustflags=[{}]", quoted.join(",")),
    ]);
    if quiet {
        command.arg("--quiet");
    }
    let status = command
        .status()
        .map_err(|error| BuildError::Cargo(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Compile(package.name.clone()))
}

fn encode(package: &Package, target_directory: &Path) -> Result<Built, BuildError> {
    let library = package
        .targets
        .iter()
        .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
        .ok_or_else(|| BuildError::NoPlugin(package.name.clone()))?;
    let file = format!("{}.wasm", library.name.replace('-', "_"));
    let path = target_directory.join(TARGET).join("plugin").join(file);
    let core = std::fs::read(&path).map_err(|source| BuildError::File { path, source })?;
    let folder = package.manifest_path.parent().unwrap_or(Path::new("."));
    let about = component::About {
        name: &package.name,
        version: &package.version,
        authors: &package.authors,
        description: package.description.as_deref(),
        language: Some("Rust"),
    };
    let component = component::encode(&core, &about, &cases::collect(&folder.join("cases"))?)?;
    Ok(Built {
        name: package.name.clone(),
        version: package.version.clone(),
        component,
    })
}

/// `cargo` itself, the one that runs us when it does.
fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(folder).stdin(Stdio::null());
    // flags meant for the host must not reach the plugin
    command
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

fn canonical(path: &Path) -> Result<PathBuf, BuildError> {
    path.canonicalize().map_err(|source| BuildError::File {
        path: path.to_owned(),
        source,
    })
}

fn home() -> PathBuf {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_else(|| PathBuf::from("/"))
}

/// The outermost folder with a manifest above a crate.
fn workspace_root(folder: &Path) -> PathBuf {
    let above = folder
        .ancestors()
        .filter(|above| above.join("Cargo.toml").is_file());
    above.last().unwrap_or(folder).to_owned()
}
