//! The generations of the contract that this host serves, a module each.
//!
//! A generation's module holds its generated bindings and the conversion to and
//! from the contract's records, which are always the newest generation's. A
//! component is served by the generation it was built against; it is found by
//! the names of its exports.

pub mod v0_1_0;
