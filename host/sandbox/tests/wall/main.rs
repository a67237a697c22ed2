//! Hostile components, written by hand: what a component may be made of, how much it
//! may take before it is called and while it is, and what is told of it. `limits.rs`
//! has the same for a guest that a compiler made.

mod bombs;
mod calls;
mod components;
mod files;
mod grants;
mod host;
mod kept;
mod repeat;
