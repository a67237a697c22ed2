//! Doubles: servers that behave as a system is documented to behave, with faults on demand.
//!
//! A double stands where the real thing cannot: HubSpot has no server that one could install. Each says which published
//! page or specification a behaviour is taken from, and what is assumed where none says. A test or a demo that uses one
//! must say so; what a double proves is that we do what the documents ask, not that the system does.
//!
//! What Odoo does is shown on the real one, in `tests/odoo`. For a bad way to it there is [`Proxy`], which stands before it; for
//! answers that a healthy Odoo does not give there is [`Scripted`], which answers whatever a test tells it; for as many
//! messages as a real one takes hours for, [`odoo`], at a pace that is said.
//!
//! # What is not here
//!
//! Nothing of the host but its contract may be imported, so that host crates can test with doubles.
//!
//! # Where to start reading
//!
//! [`hubspot`] for the larger double, [`server`] for the few lines of HTTP under it.

pub mod fault;
pub mod hubspot;
pub mod odoo;
pub mod proxy;
pub mod scripted;
pub mod server;

pub use fault::{Fault, Faults};
pub use hubspot::HubSpotDouble;
pub use odoo::OdooDouble;
pub use proxy::{Proxy, Trouble};
pub use scripted::Scripted;
