//! Generation 0.1.0: `wit/v0.1.0`.

mod answers;
pub(crate) mod bindings;
mod canonical;
mod convert;
mod depth;
mod imports;
mod loan;
mod plugin;
mod room;

pub(crate) use imports::link;
pub(crate) use plugin::prepare;

/// The version in the names of its interfaces.
pub const VERSION: &str = "0.1.0";
