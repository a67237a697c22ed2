//! What an invoicing plugin is asked, and what it answers: `wit/*/invoicing.wit`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    canonical::{Account, Contract, Expense, Invoice, Project, Resource, Timesheet},
    fault::Reason,
};

/// Everything that the bills for one contract may rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Billable {
    /// The terms.
    pub contract: Contract,
    /// Who pays.
    pub account: Account,
    /// The work, with its milestones.
    #[serde(default)]
    pub projects: Vec<Project>,
    /// Those who worked.
    #[serde(default)]
    pub resources: Vec<Resource>,
    /// First day of the period: on which something to bill was worked, spent or reached.
    pub from: Date,
    /// Last day of the period.
    pub until: Date,
    /// Approved time that is not billed.
    #[serde(default)]
    pub timesheets: Vec<Timesheet>,
    /// Approved expenses that are not billed.
    #[serde(default)]
    pub expenses: Vec<Expense>,
    /// What was billed before.
    #[serde(default)]
    pub earlier: Vec<Invoice>,
}

/// Bills before tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Draft {
    /// The bills; none when there is nothing to bill.
    #[serde(default)]
    pub invoices: Vec<Invoice>,
    /// Why these items.
    pub reasons: Vec<Reason>,
}
