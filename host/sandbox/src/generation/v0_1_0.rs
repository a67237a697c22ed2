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

use super::Generation;

/// The version in the names of its interfaces.
const VERSION: &str = "0.1.0";

/// The generation, as the sandbox uses it.
pub(super) const GENERATION: Generation = Generation {
    version: VERSION,
    link: imports::link,
    prepare: plugin::prepare,
};
