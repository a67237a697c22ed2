//! The app: options, wiring and commands of the binary `cambist`.
//!
//! The one place where the crates below meet: it reads the config and the
//! secrets, builds the sandbox and hands it in through the port, and starts
//! everything in the right order.
//!
//! # What is not here
//!
//! Any rule about messages, plugins or systems: those are in the crates that
//! this one puts together.
//!
//! # Where to start reading
//!
//! [`cli`] for what can be typed, [`config`] for what can be set, [`host`] for
//! how the parts are put together, `commands/` for a file each.

#[macro_use]
mod say;

pub mod cli;
pub mod commands;
pub mod config;
pub mod host;
mod ledger;
mod reconcile;
mod reload;
pub mod retention;
pub mod secrets;
pub mod telemetry;
