//! The way of a message, from the journal to the target.
//!
//! ```text
//! fetch ─► read ─► own ─► judge ─► draft ─► tax ─► write ─► deliver
//! ```
//!
//! Each stage is a file under `stage/`. What a stage made is recorded before the
//! next one begins, so that a message goes on where it stood after any crash.
//! Messages of one key are worked on one at a time, in the order of their
//! receipt; messages of different keys beside each other.
//!
//! # What is not here
//!
//! Receiving messages (ingress), telling systems anything (connect), running
//! WebAssembly (sandbox), what operators ask for (admin): they write to the
//! journal, and the pipeline finds it there.
//!
//! # Where to start reading
//!
//! [`way`] for how one message goes its way, [`work`] for what it carries,
//! `stage/` for the stages, [`dispatch`] for many messages at once, `door` for
//! systems that are slow and flows that are busy, `shut` for long backlogs, `calls` for plugins that compute long,
//! `shadow` for what stands beside the live revisions, [`replay`] for what goes its way again, [`options`] for flows and regions.

mod call;
mod calls;
mod compare;
mod conflict;
mod delivering;
pub mod dispatch;
mod door;
mod failure;
mod held;
mod interrupted;
mod metrics;
mod names;
pub mod options;
mod ownership;
pub mod poll;
mod queue;
pub mod replay;
mod said;
mod shadow;
mod shut;
mod stage;
mod way;
mod work;

pub use dispatch::{Pipeline, Reached, Setup, Traced};
pub use metrics::describe;
pub use options::{Flow, Region, Routes};
pub use ownership::{Owner, Ownership};
pub use poll::Poller;
pub use replay::Replayer;
