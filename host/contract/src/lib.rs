//! The nouns that all floors share, and the port through which plugins are called.
//!
//! Everything here is a value or a trait: no I/O, no clock, no runtime, no
//! WebAssembly. The typed records mirror the newest generation of `wit/`, name
//! for name; in JSON (journal, cases, API) they carry the WIT's own names, and
//! amounts are decimal text, never floats.
//!
//! # What is not here
//!
//! How a component is run is the sandbox's business, what is written to disk the
//! journal's, what goes over the wire the connectors'.
//!
//! # Where to start reading
//!
//! [`canonical`] for what is spoken of, [`mapping`], [`policy`], [`tax`] and
//! [`invoicing`] for what plugins are asked, [`plugin`] for the port,
//! [`message`] for what comes in, [`delivery`] for what an error means.

pub mod canonical;
pub mod context;
pub mod delivery;
pub mod digest;
pub mod fault;
pub mod invoicing;
pub mod isolation;
pub mod json;
pub mod limits;
pub mod mapping;
pub mod message;
pub mod plugin;
pub mod policy;
pub mod revision;
pub mod rollout;
pub mod secret;
pub mod share;
pub mod stage;
pub mod tax;

pub use json::{Json, JsonObject};
pub use rust_decimal::Decimal;
