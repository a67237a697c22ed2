//! From a plugin's crate to a component: what `cambist plugin build` does. And from the
//! component of another language's tool to a plugin: `cambist plugin pack`.
//!
//! `cargo` builds a core module, [`component`] makes a component of it, and the
//! crate's name, version, authors and [`cases`] travel in its metadata, so that
//! one file is all the host needs to check it. What comes from another language has
//! its runtime's imports and helpers cut off before.
//!
//! # What is not here
//!
//! Nothing runs the component; checks and cases are the host's business.

pub mod cargo;
pub mod cases;
pub mod component;
mod copies;
mod cut;
pub mod metadata;
mod post_return;
mod unreached;

use std::path::PathBuf;

use thiserror::Error;

pub use cargo::{Built, build};

/// A plugin could not be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// `cargo` could not be started, or said something unreadable.
    #[error("cannot run cargo: {0}; install Rust with rustup")]
    Cargo(String),
    /// `cargo` could not build it; it has printed why.
    #[error(
        "cargo cannot build {0}; its own messages say why (is the target there? `rustup target add wasm32-unknown-unknown`)"
    )]
    Compile(String),
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The package builds no `cdylib`, or there is none.
    #[error("{0} has no plugin: set `crate-type = [\"cdylib\", \"rlib\"]` under [lib]")]
    NoPlugin(String),
    /// The core module does not make a component.
    #[error("cannot make a component of {name}: {detail}")]
    Component {
        /// The plugin.
        name: String,
        /// What the encoder said.
        detail: String,
    },
    /// A case is not JSON.
    #[error("{}: not a case: {detail}", path.display())]
    Case {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}
