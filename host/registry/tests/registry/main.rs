//! The registry from outside: files and bindings go in, live revisions come out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod archive;
mod back;
mod beside;
mod double;
mod due;
mod folder;
mod hold;
mod offer;
mod reload;
mod restart;
mod rollout;
mod route;
mod told;
mod trust;
mod watch;
mod written;
