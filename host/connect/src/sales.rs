//! The side that is asked what was sold, to compare it with the books: won deals with their amounts, and what the CRM was told
//! of their bills.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::ConnectError;

/// Deals of one answer at most: what HubSpot gives in one page of a search.
pub const PAGE: usize = 200;

/// The portal's own properties that are read of a deal, by their internal names. One that is not named is not read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Properties {
    /// Which region it belongs to.
    pub region: Option<String>,
    /// The numbers of the invoices of it, with commas between them.
    pub numbers: Option<String>,
    /// What was billed to date, as a number.
    pub invoiced: Option<String>,
    /// What was paid of it, as a number.
    pub paid: Option<String>,
}

/// A deal, as far as it is compared.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Deal {
    /// Its id in the CRM.
    pub id: String,
    /// Whether it is won now.
    pub is_won: bool,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// When anything of it was changed last.
    pub changed: Option<Timestamp>,
    /// Its amount without tax.
    pub amount: Option<Decimal>,
    /// Its currency, where the CRM says one.
    pub currency: Option<String>,
    /// The value of [`Properties::region`].
    pub region: Option<String>,
    /// What [`Properties::numbers`] lists.
    pub numbers: BTreeSet<String>,
    /// The value of [`Properties::invoiced`].
    pub invoiced: Option<Decimal>,
    /// The value of [`Properties::paid`].
    pub paid: Option<Decimal>,
}

/// A system that can be asked for its won deals.
#[async_trait]
pub trait Sales: Send + Sync {
    /// Deals that are won and were closed from one moment to before another, in the order of their ids, beginning behind
    /// `after`; fewer than [`PAGE`] when there are no more. A deal that was changed a moment ago may be shown as it was.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn won(
        &self,
        properties: &Properties,
        closed: (Timestamp, Timestamp),
        after: Option<&str>,
    ) -> Result<Vec<Deal>, ConnectError>;

    /// Those of these deals that are there, won or not.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn deals(&self, properties: &Properties, ids: &[String]) -> Result<Vec<Deal>, ConnectError>;
}
