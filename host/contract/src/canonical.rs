//! The ten objects that all systems are translated to and from.
//!
//! Mirrors `wit/*/canonical.wit`, where every field is explained for plugin
//! authors. A field that is `None` says nothing: the target keeps what it has.
//! A list that is present is complete.

mod account;
mod address;
mod change;
mod contact;
mod contract;
mod entity_ref;
mod expense;
mod fields;
mod invoice;
mod opportunity;
mod payment;
mod project;
mod resource;
mod timesheet;

pub use account::Account;
pub use address::Address;
pub use change::{Change, ChangeKind, Entity};
pub use contact::Contact;
pub use contract::{BillingMethod, Contract, ContractLine, ContractStatus};
pub use entity_ref::{EntityKind, EntityRef, Extension};
pub use expense::{Expense, ExpenseStatus};
pub use invoice::{Invoice, InvoiceKind, InvoiceLine, InvoiceStatus};
pub use opportunity::{Opportunity, OpportunityStatus};
pub use payment::{Allocation, Payment, PaymentDirection, PaymentStatus};
pub use project::{Milestone, Project, ProjectStatus};
pub use resource::Resource;
pub use timesheet::{Timesheet, TimesheetStatus};
