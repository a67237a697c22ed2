//! Ingress: a message comes in, is checked, made durable, and answered.
//!
//! A system calls `POST /in/{system}`, or `POST /in/{system}/{token}` where all
//! it can keep is an address. Its call is checked for size, sender, age and pace,
//! split into events, and handed to the journal. Nothing else happens before the
//! answer; what a message means is found out later, by the pipeline.
//!
//! # Promises
//!
//! 1. **Durable before acknowledged.** The answer is 202 only after the journal
//!    has returned.
//! 2. **Never a forged one.** The sender is checked before a byte of the body is
//!    parsed, in constant time, and the refusal does not say what was wrong.
//! 3. **Never lose an authentic one.** What an authentic call says and we cannot
//!    read is taken as an event of kind [`UNKNOWN_KIND`], which the pipeline parks
//!    where a person sees it. Our own trouble is always 5xx with `Retry-After`, never
//!    4xx, because HubSpot does not send again after 400, 401, 403, 404 or 405.
//! 4. **Bounded.** Bodies, events, headers, connections, calls at once, waiting
//!    times and metric labels all have a limit, and every limit a reason.
//! 5. **Silent.** No payload, no header value, no token and no secret in a log,
//!    a span, a metric or an answer.
//!
//! # What is not here
//!
//! TLS and the network's own defences are a proxy's business. Re-reading what a
//! thin event points at is the pipeline's; nobody polls yet for what a sender
//! lost. Secrets are read by the app and come in resolved.
//!
//! # Where to start reading
//!
//! [`options`] for what can be set, `receive` for the way of a call, then one
//! file per kind of sender: `hubspot`, `standard`, `odoo`. `rejection` names
//! everything that can go wrong, and `answer` what the sender is told.

mod answer;
mod body;
mod call;
mod headers;
mod hubspot;
pub mod ingress;
pub mod metrics;
mod odoo;
pub mod options;
mod problem;
mod receive;
mod rejection;
pub mod serve;
pub mod setup;
mod standard;
mod window;

pub use cambist_contract::message::UNKNOWN_KIND;
pub use ingress::{Clock, Ingress};
pub use odoo::EVENT as ODOO_HINT;
pub use options::Options;
pub use serve::serve;
pub use setup::SetupError;
