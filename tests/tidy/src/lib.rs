//! Tidy: the layout rules of this project, as tests.
//!
//! What a compiler cannot see and a reader should be able to rely on: who may
//! import whom, where a thing is found, how long a file may be, how an error
//! speaks. A rule that is not here, in `deny.toml`, in `clippy.toml` or in the
//! workspace's lints is an opinion.
//!
//! # Where to start reading
//!
//! [`files`] for what is looked at; `tests/tidy/` has a file for each kind of rule.

pub mod files;
