//! Reconciliation: whether both sides have the same, by count and by sum, and what differs.
//!
//! For each region and month the won deals of the CRMs are compared with the orders that the journal says were made of them,
//! and what the CRMs were told of bills and payments with the books. What differs is named with both values and with what the
//! journal knows of it; what is on its way is told apart.
//!
//! # Promises
//!
//! 1. **Reads only.** It calls nothing that changes a system, and no plugin.
//! 2. **Sums and names agree.** In each currency the two sums differ by exactly what the named ones differ by.
//! 3. **Exact.** Amounts are decimals, and are the same or are not.
//! 4. **Bounded.** Both sides are read in pages, through the same lines as messages; of a month with more than
//!    [`gather::MOST`] deals nothing is told.
//!
//! # What is not here
//!
//! Nothing is mended: that is a replay's, or a person's. What a deal's order should look like is the mapping's; here only its
//! total counts. Nobody is asked what a system meant.
//!
//! # Where to start reading
//!
//! [`options`] for what can be set, [`compare`] for what is the same, [`gather`] for what is read, [`reconciler`] for when.

pub mod compare;
pub mod comparison;
pub mod gather;
mod metrics;
pub mod options;
pub mod period;
pub mod reconciler;
pub mod report;
mod why;

pub use comparison::{Comparison, Crm, Region};
pub use metrics::describe;
pub use options::Options;
pub use period::Period;
pub use reconciler::{Asked, ReconcileError, Reconciler};
pub use report::Report;
