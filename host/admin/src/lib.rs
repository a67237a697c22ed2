//! Admin: the operators' side of the host.
//!
//! Two parts, because different people reach them. The open part is for probes
//! and scrapers, and knows nothing of the business: `/healthz`, `/readyz`,
//! `/metrics`. The API under `/api/` is for operators with a token: what became of
//! a message, what is stuck and why, which plugin is live; and it takes what they
//! decide. It never does the work itself: a decision is one more event in the
//! journal, and the pipeline finds it there.
//!
//! # Promises
//!
//! 1. **Deny by default.** Everything under `/api/` needs the token, also an
//!    address that does not exist; it is compared in constant time, and a refusal
//!    does not say what was wrong.
//! 2. **Nothing in passing.** A decision is answered after it is durable, and
//!    the journal alone says whether its turn has come.
//! 3. **Bounded.** Pages, bodies, names and waiting times have limits, and every
//!    limit a reason.
//! 4. **Silent.** Payload is answered to whoever has the token, and is in no log,
//!    no metric and no error.
//!
//! # What is not here
//!
//! The listener and TLS, which are the app's and a proxy's business. Roles: whoever
//! has the token may do everything, and says who it is in `by`.
//!
//! # Where to start reading
//!
//! [`admin`] for the table of routes, then `api/`, a file for each resource named
//! as in the address; [`answer`] for what a client reads,
//! [`parked`] for what is told of parked work, [`trace`] of records, [`progress`] for how long the rest takes, and
//! `openapi.json` beside `src/` for the same as a contract. `refusal` maps every
//! error to its answer.

pub mod admin;
pub mod answer;
mod api;
mod auth;
pub mod decision;
mod health;
pub mod metrics;
pub mod options;
pub mod parked;
mod problem;
pub mod progress;
mod refusal;
mod standing;
pub mod trace;

pub use admin::{Admin, Clock, Reconcile, Reconciled, Setup, SetupError};
pub use api::{
    messages::STATES,
    reconcile::{NotReconciled, Reconciling},
};
pub use options::Options;
pub use progress::Progress;
