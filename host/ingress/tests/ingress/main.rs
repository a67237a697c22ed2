//! Ingress from outside: what a sender sends, what it is told, and what the journal
//! has afterwards.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod double;
mod hubspot;
mod journal;
mod limits;
mod odoo;
mod quiet;
mod standard;
mod tcp;
