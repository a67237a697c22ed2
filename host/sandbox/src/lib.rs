//! The sandbox: one call into one component, under limits.
//!
//! The only crate that names wasmtime. It makes a [`Plugin`] of a component's
//! bytes (compiled once for each digest, checked against its grants), and each
//! call of the plugin is made in a fresh instance, or in one that its revision lets be
//! kept, and may use no more than the revision's limits.
//!
//! # Rules
//!
//! 1. **Nothing is linked that is not granted.** An import without a grant
//!    refuses the load, and every missing one is named.
//! 2. **Fuel bounds the guest's time**, the same on every machine and on every
//!    replay; see [`engine`] for why there are no epochs.
//! 3. **What a guest hands out is checked** before anybody sees it: scales,
//!    dates, currencies, JSON. See `generation`.
//! 4. **A trap says why**: the plugin's last words, or the limit it passed.
//!
//! # What is not here
//!
//! Which revision serves whom (registry), and what a message does with an answer
//! (pipeline). No state is kept between calls but in instances that a revision lets be
//! kept, and those may go at any time, so there is none to lose.
//!
//! # Where to start reading
//!
//! [`sandbox`] for loading, `bounds` for what is looked at before anything is compiled, [`guest`] for a call, `kept` for what
//! outlives one, [`engine`] for the settings of
//! wasmtime.

mod bounds;
mod cache;
mod check;
mod describe;
pub mod engine;
mod engines;
mod export;
mod generation;
mod guest;
mod imports;
mod kept;
mod limiter;
pub mod sandbox;
mod trap;

#[doc(no_inline)]
pub use cambist_contract::plugin::Plugin;
pub use sandbox::{InUse, Sandbox, SandboxError};
