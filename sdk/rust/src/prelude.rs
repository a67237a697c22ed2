//! What a plugin's source needs at hand: `use cambist_sdk::prelude::*;`.

pub use crate::{
    bindings::imports::cambist::plugin::{
        assessments::{AppliedRate, Assessment, LineTax, Rate, TaxTotal, Treatment},
        canonical::{
            Account, Address, Allocation, BillingMethod, Change, ChangeKind, Contact, Contract, ContractLine,
            ContractStatus, Entity, Expense, ExpenseStatus, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus,
            Milestone, Opportunity, OpportunityStatus, Payment, PaymentDirection, PaymentStatus, Project,
            ProjectStatus, Resource, Timesheet, TimesheetStatus,
        },
        links, log, reference,
        types::{Context, Decimal, EntityKind, EntityRef, Extension, Fault, Reason, Violation},
    },
    calendar::{days_after, is_day},
    decimal::{Amount, Exact, dec},
    fault::{Required, broken, invalid, unhandled, waiting},
    fields::Fields,
    money::{Rounding, minor_units, round_to_currency},
    plugin::{
        Action, Approval, Billable, Command, Decision, Document, DocumentKind, DocumentLine, Draft, Inbound,
        Invoicing, Mapping, Outbound, Party, Plan, Policy, Proposal, Record, RecordKey, RecordName, Tax,
        Verdict, reason, verdict,
    },
    totals::{RoundingMethod, Totals, line_amount},
    values::Values,
};

/// What every function of a plugin answers.
pub type Result<T> = std::result::Result<T, Fault>;
