//! The harness of the end-to-end tests: the whole of Cambist as a process of its
//! own, between a HubSpot double and a target.
//!
//! ```text
//! [sender] signed webhooks ─► host (a child process) ─► dry run, or a real Odoo
//!                               │        ▲
//!                               │        └─ HubSpot double, with faults on demand
//!                               └─ journal.db ◄─ read by the test, read-only
//! ```
//!
//! Nothing is reached past the host's own doors but its journal, which is opened
//! for reading only. Nothing is timed: a wait is a bounded number of looks.
//!
//! # What is not here
//!
//! The scenarios: `tests/`. Doubles of single crates: those have their own.
//!
//! # Where to start reading
//!
//! [`world`] for what a scenario has in its hands, [`deals`] for deals,
//! [`setup`] for the config that the host gets.

pub mod collector;
pub mod deals;
pub mod disk;
pub mod host;
pub mod month_end;
pub mod odoo;
pub mod picture;
pub mod plugins;
pub mod season;
pub mod sender;
pub mod setup;
pub mod story;
pub mod world;

pub use deals::Deal;
pub use picture::Picture;
pub use season::Season;
pub use setup::Setup;
pub use story::Story;
pub use world::World;
