//! Invoices for services: approved time, expenses and reached milestones become drafts by
//! the contract's terms.
//!
//! 1. [`terms`]: may the contract be billed, in which currency, by which rules;
//! 2. [`billed`]: what was billed before;
//! 3. [`items`]: which time and expenses are billed, and at which price ([`price`]);
//! 4. by how the contract is billed: its time ([`time`], hours by [`hours`]) and the
//!    [`minimum`]; the same up to the [`cap`]; or its [`milestones`]; and [`expenses`];
//! 5. [`invoice`]: drafts under their [`name`]s, with a reason for each line and for each
//!    thing that is not billed.
//!
//! # What is not here
//!
//! Tax, and net and gross amounts: the stages behind. Numbers, dates of issue and terms of
//! payment: the books. Rates of exchange. Credit notes: people make them, and they are
//! minded here.

use cambist_sdk::prelude::*;

pub mod amounts;
pub mod bill;
pub mod billed;
pub mod cap;
pub mod expenses;
pub mod hours;
pub mod invoice;
pub mod items;
pub mod milestones;
pub mod minimum;
pub mod name;
pub mod place;
pub mod price;
pub mod rules;
pub mod settings;
pub mod terms;
pub mod time;

/// The plugin.
pub struct Services;

impl Invoicing for Services {
    fn draft_invoice(context: &Context, billable: Billable) -> Result<Draft> {
        let settings = settings::Settings::of(context)?;
        let reached = |project: &Project| project.milestones.iter().flatten().any(|it| it.reached.is_some());
        if billable.timesheets.is_empty()
            && billable.expenses.is_empty()
            && !billable.projects.iter().any(reached)
        {
            let nothing = reason("nothing-due", "nothing is to be billed for this period");
            return Ok(Draft {
                invoices: Vec::new(),
                reasons: vec![nothing],
            });
        }
        let terms = terms::Terms::of(&billable, &settings)?;
        let billed = billed::Billed::of(&billable, &terms)?;

        let mut reasons = Vec::new();
        let items = items::all(&billable, &terms, &billed, &mut reasons)?;
        let until = billable.until.as_str();
        let mut bills = match terms.billing {
            BillingMethod::Capped if !items.is_empty() => {
                cap::within(&items, until, &terms, &billed, &mut reasons)?
            }
            BillingMethod::Capped | BillingMethod::TimeAndMaterial | BillingMethod::FixedPrice => {
                bill::all(&items, until, &terms, &billed)?
            }
        };
        milestones::bill(&billable, &terms, &billed, &mut bills, &mut reasons)?;
        invoice::all(bills, &billable, &terms, reasons)
    }
}

cambist_sdk::export!(Services: invoicing);
