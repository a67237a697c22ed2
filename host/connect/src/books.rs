//! The side that is asked what its books have, to compare it with what was sold: orders, invoices, and what is paid of them.

use async_trait::async_trait;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use crate::ConnectError;

/// Records of one answer at most, and of one question by ids: Odoo reads a thousand in 25 ms, these take some 100 kB.
pub const PAGE: usize = 500;

/// How far an order is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OrderState {
    /// Nobody has confirmed it.
    Draft,
    /// It holds.
    Confirmed,
    /// It was called off.
    Cancelled,
}

/// An order, as far as it is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    /// Its id in the ERP.
    pub id: String,
    /// Its number, as people read it.
    pub name: String,
    /// How far it is.
    pub state: OrderState,
    /// Its total without tax, at its currency's digits.
    pub net: Decimal,
    /// Its currency.
    pub currency: String,
    /// When it was written last.
    pub changed: Option<Timestamp>,
    /// The ids of its invoices and credit notes, whatever their state.
    pub invoices: Vec<String>,
}

/// A customer's invoice or credit note that is posted, as far as it is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invoice {
    /// Its id in the ERP.
    pub id: String,
    /// Its number.
    pub name: String,
    /// Its total with tax, at its currency's digits; that of a credit note is negative.
    pub gross: Decimal,
    /// What is not paid of it; of a credit note negative.
    pub residual: Decimal,
    /// Its currency.
    pub currency: String,
    /// When it was written last.
    pub changed: Option<Timestamp>,
}

/// A system that can be asked for its books. Lists are in the order of ids, begin behind `after`, and have fewer than [`PAGE`]
/// records when there are no more; who asks by ids asks for so many at most.
#[async_trait]
pub trait Books: Send + Sync {
    /// Orders that bear a time from one moment to before another.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn orders_of(
        &self,
        dated: (Timestamp, Timestamp),
        after: Option<&str>,
    ) -> Result<Vec<Order>, ConnectError>;

    /// Those of these orders that are there.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn orders(&self, ids: &[String]) -> Result<Vec<Order>, ConnectError>;

    /// The orders that these invoices bill.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn billed(&self, invoices: &[String]) -> Result<Vec<Order>, ConnectError>;

    /// Posted invoices that bear a day from one to before another.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn invoices_of(
        &self,
        dated: (Date, Date),
        after: Option<&str>,
    ) -> Result<Vec<Invoice>, ConnectError>;

    /// Those of these invoices that are there and posted.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn invoices(&self, ids: &[String]) -> Result<Vec<Invoice>, ConnectError>;
}
