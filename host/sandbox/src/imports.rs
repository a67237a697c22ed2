//! The host's functions that a plugin may be granted, one file an interface.
//!
//! They know nothing of WIT generations; each generation's adapter calls them.

pub(crate) mod links;
pub(crate) mod log;
pub(crate) mod reference;
