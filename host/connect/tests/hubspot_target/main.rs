//! The HubSpot target against the double, which does what HubSpot's documents say, and against answers that they allow.
//! Neither is HubSpot.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod deliver;
mod faults;
mod refusals;
mod support;
