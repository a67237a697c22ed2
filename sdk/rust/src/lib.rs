//! What a Cambist plugin in Rust is built with.
//!
//! A plugin implements one or more of four traits, [`Mapping`], [`Policy`],
//! [`Tax`] and [`Invoicing`], and names itself once:
//!
//! ```
//! use cambist_sdk::prelude::*;
//!
//! /// Everything below a limit passes.
//! struct Limit;
//!
//! impl Policy for Limit {
//!     fn judge(_: &Context, proposal: Proposal) -> Result<Verdict> {
//!         let large = proposal.changes.iter().any(|change| match &change.entity {
//!             Entity::Opportunity(deal) => deal.amount.is_some_and(|amount| amount.value() > dec!(50000)),
//!             _ => false,
//!         });
//!         Ok(if large {
//!             verdict(Decision::Hold("finance".into()), "large-deal", "deals above 50 000 need finance")
//!         } else {
//!             verdict(Decision::Allow, "small-deal", "below 50 000")
//!         })
//!     }
//! }
//!
//! cambist_sdk::export!(Limit: policy);
//! ```
//!
//! The types are those of `wit/`, which is the manual. Beside them stand exact
//! numbers ([`decimal`], [`money`], [`totals`]), reading and writing a system's JSON
//! ([`fields`], [`values`]), faults that read well where they are raised
//! ([`fault`]), and a harness that runs the plugin's cases natively ([`cases`]).
//!
//! # What is not here
//!
//! Nothing that a plugin may not have: no clock, no files, no network. Making a
//! component of the built module is the job of `cambist plugin build`.

// The derive and the export macro name this crate by its own name.
extern crate self as cambist_sdk;

#[cfg(target_arch = "wasm32")]
mod arena;
#[doc(hidden)]
pub mod bindings;
pub mod calendar;
#[cfg(not(target_arch = "wasm32"))]
pub mod cases;
pub mod context;
pub mod decimal;
pub mod entities;
mod export;
pub mod fault;
pub mod fields;
#[doc(hidden)]
pub mod json_text;
#[cfg(any(target_arch = "wasm32", test))]
mod memory;
pub mod money;
#[doc(hidden)]
pub mod panic;
pub mod plugin;
pub mod prelude;
mod tape;
pub mod totals;
pub mod values;

pub use plugin::{Invoicing, Mapping, Policy, Tax};
#[doc(hidden)]
pub use serde;
#[doc(hidden)]
pub use serde_json;
