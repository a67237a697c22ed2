//! The registry from outside: files and bindings go in, live revisions come out.

#![expect(clippy::unwrap_used, reason = "tests")]

mod archive;
mod double;
mod folder;
mod offer;
mod restart;
mod rollout;
mod route;
mod trust;
mod watch;
