//! The operators' side from outside: what is asked, what is answered, and what the
//! journal has afterwards.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod auth;
mod double;
mod erase;
mod health;
mod journal;
mod messages;
mod metrics;
mod parked;
mod plugins;
mod reconcile;
mod resume;
mod status;
