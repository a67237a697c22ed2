//! What comparisons of both sides came to, the last one of each.
//!
//! A report is no evidence and stands in no chain: nothing followed from it, and it can be made anew at any time. The journal
//! does not know its shape.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::JournalError;

/// A report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The flow that was compared.
    pub flow: String,
    /// The region.
    pub region: String,
    /// The month, as `2026-10`.
    pub period: String,
    /// When.
    pub at: Timestamp,
    /// What it came to: JSON.
    pub text: String,
}

/// Where reports are kept.
#[async_trait]
pub trait Reports: Send + Sync + 'static {
    /// Keeps reports, each in the place of the one of its flow, region and period. Durable when this returns.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    async fn keep_reports(&self, reports: Vec<Report>) -> Result<(), JournalError>;

    /// All that are kept, by flow and region, the newest period first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn reports(&self) -> Result<Vec<Report>, JournalError>;
}
