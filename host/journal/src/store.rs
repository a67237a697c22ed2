//! The stores.
//!
//! One folder each. A store is whatever passes [`crate::conformance`]; nothing
//! outside its folder knows how it keeps its entries.

pub mod sqlite;

pub use sqlite::{Compacted, Restored, SqliteJournal};
