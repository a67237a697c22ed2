//! The generations of the contract that this host serves, a module each, side by side.
//!
//! A generation's module holds its generated bindings and the conversion to and
//! from the contract's records, which are always the newest generation's. A
//! component is served by the generation it was built against; it is found by
//! the names of its exports.
//!
//! # How one is added
//!
//! A folder in `wit/`, a module here with a [`Generation`], and a place in [`SERVED`].
//! Nothing else of the sandbox names a generation, and nothing above it knows that there
//! are several. Where the newest records cannot be said in an older generation, its
//! module answers [`CallError::Unsayable`](cambist_contract::plugin::CallError::Unsayable).
//! `second.rs` does it, for the tests: one that is served beside the real ones.

#[cfg(test)]
mod second;
mod v0_1_0;

use std::{collections::BTreeSet, sync::Arc};

use cambist_contract::{
    plugin::{Interface, LoadError, Plugin},
    revision::Grant,
};
use wasmtime::component::Linker;

use crate::guest::{Guest, State};

type Link = fn(&mut Linker<State>, &BTreeSet<Grant>) -> wasmtime::Result<()>;
type Prepare = fn(Guest, Vec<Interface>) -> Result<Arc<dyn Plugin>, LoadError>;

/// One generation, as the sandbox uses it.
pub(crate) struct Generation {
    /// The version in the names of its interfaces.
    pub(crate) version: &'static str,
    /// Links what the grants allow, and nothing else.
    pub(crate) link: Link,
    /// Checks the exports of a linked guest, and makes a plugin of it.
    pub(crate) prepare: Prepare,
}

/// All that are served, the newest first: a component that exports interfaces of several
/// is called by the newest that is known.
pub(crate) const SERVED: &[&Generation] = &[
    #[cfg(test)]
    &second::GENERATION,
    &v0_1_0::GENERATION,
];

impl Generation {
    /// Whether an interface of this version is one of this generation: within 0.1 a patch
    /// adds and changes nothing. Wasmtime matches names so, too.
    pub(crate) fn has(&self, version: &str) -> bool {
        let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
        minor(version) == minor(self.version)
    }
}
