//! Talking to the systems at the other end: reading from them and writing to them.
//!
//! A [`Source`] reads an object again where the event about it was thin. A [`Target`] carries out a plan and gives a receipt
//! for each command. Whatever goes wrong is a [`ConnectError`], which says in one word what may be done next: send again,
//! look first, or wait for a person. That answer rests on what is known about the far side, never on an HTTP status alone.
//!
//! # Promises
//!
//! 1. **Once.** Records are written by external id or by the id that the system gave them, actions only from the state they expect; a lost reply is looked up or
//!    sent again where that does no harm.
//! 2. **Receipts survive errors.** A plan that fails half-way hands back the receipts of what was done.
//! 3. **Only there.** A connector talks to the one address of its system: no redirects, no proxies from the environment, no
//!    links out of an answer.
//! 4. **Nothing leaks.** Keys are never shown; of an answer's error only one short sentence is kept.
//! 5. **Bounded.** Every call has a time limit, every answer a size limit, every system a number of reads and plans at once,
//!    which follows what it shows; one in trouble is left alone.
//!
//! # What is not here
//!
//! When and how often something is tried again is the pipeline's decision; [`retry`] only knows the waits. What a record
//! should look like is a mapping plugin's. Receiving webhooks is ingress's. Nothing here reads environment or files: secrets
//! are handed in.
//!
//! # Where to start reading
//!
//! [`source`], [`target`] and [`poll`] for the three traits of messages, [`sales`] and [`books`] for those of comparisons, [`error`] for what can go wrong, then [`odoo`] and [`hubspot`]; [`systems`]
//! puts them together from the [`options`].

pub mod books;
pub mod breaker;
pub mod dry_run;
pub mod error;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod failures;
mod http;
pub mod hubspot;
pub mod line;
mod metrics;
pub mod odoo;
pub mod options;
pub mod pace;
pub mod poll;
pub mod retry;
pub mod sales;
pub mod source;
pub mod span;
pub mod systems;
pub mod target;

pub use error::ConnectError;
pub use http::Traced;
pub use metrics::describe;
pub use source::Source;
pub use systems::Systems;
pub use target::{DeliverError, Manner, Target};
