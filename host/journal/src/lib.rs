//! The journal: what the host has promised to do, and how far it has come.
//!
//! A message enters the journal before its sender is told 2xx, and every step it
//! takes afterwards is one more [`Entry`] behind it. Nothing is ever changed in
//! place but for what is [erased](erasure), and that is an entry too. Whoever holds the journal can say, for any message and any moment,
//! which steps are done; a host that starts again after a crash needs nothing
//! else.
//!
//! # Promises
//!
//! 1. **Durable before acknowledged.** [`Journal::accept`] and
//!    [`Journal::record`] return only when what they wrote would survive a power
//!    cut.
//! 2. **Once by key.** A second receipt of an event writes nothing and tells so.
//! 3. **One order per key.** [`Journal::claim`] hands out a message only when
//!    all earlier ones of its key are finished.
//! 4. **One chain.** Each entry carries the digest of the one before it;
//!    [`Journal::verify`] finds any entry that was changed, taken out or put in.
//!
//! The suite in [`conformance`] holds every store to these; a store that has not
//! passed it is not a store.
//!
//! # What is not here
//!
//! The journal does not know what a stage does, when to retry it or who may see
//! it: that is the pipeline's and the operators' business. No other crate reads
//! a store's files or tables.
//!
//! # Where to start reading
//!
//! [`entry`] for what is written, [`journal`] for the trait, `turn` for which
//! event goes with which state, `repair` for what operators write, [`ledger`] for what is written of plugins, [`comparison`] for
//! what shadows answered, [`replay`] for what is to be replayed, [`cursor`] for how far systems were read, [`erasure`] for what is
//! forgotten, [`heard`] for what they said of what is not theirs, [`reports`] for what comparisons came to, [`under_way`] for what a
//! killed process was at, then [`store`].

mod blank;
pub mod comparison;
pub mod conformance;
pub mod cursor;
pub mod entry;
pub mod erasure;
pub mod heard;
pub mod journal;
pub mod ledger;
mod repair;
pub mod replay;
pub mod reports;
pub mod status;
pub mod store;
mod turn;
pub mod under_way;

pub use comparison::Shadows;
pub use cursor::Cursors;
pub use entry::{Entry, Event, LinkAnswer};
pub use erasure::Erasures;
pub use heard::Heard;
pub use journal::{Journal, JournalError};
pub use ledger::{Acted, Ledger};
pub use replay::Replays;
pub use reports::Reports;
pub use status::{State, Status};
pub use under_way::UnderWay;
