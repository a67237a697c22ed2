//! The registry from outside: files and bindings go in, live revisions come out.

#![expect(clippy::unwrap_used, reason = "tests")]

mod archive;
mod double;
mod folder;
mod offer;
mod route;
mod watch;
