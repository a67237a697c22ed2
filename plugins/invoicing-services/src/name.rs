//! What a bill is called before a system has given it a name: by the rule of
//! `invoicing.draft`, so that the same bill always gets the same name, and no other one.

use cambist_sdk::prelude::*;

use crate::{bill::tag, billed::is_of, terms::Terms};

/// The part of a bill's name that is for no project, where bills stand apart by projects.
const NO_PROJECT: &str = "no-project";

/// The name of a bill: the contract's id, the period's last day, the project where bills
/// stand apart by projects, and a number from the second bill of the period on.
///
/// Counted are the earlier invoices of the contract that end their period on that day or
/// do not say when it ends, cancelled ones too: read back from the books they have names
/// of the books, and are the records that a name without a number stands for. A draft that
/// repeated such a name would take that bill's place, and what it bills would be lost.
pub fn of(project: Option<&EntityRef>, billable: &Billable, terms: &Terms<'_>) -> EntityRef {
    let contract = &terms.contract.ref_;
    let mut id = format!("{}/{}", contract.id, billable.until);
    if terms.by_project() {
        let of = project.map_or_else(|| NO_PROJECT.to_owned(), |project| tag(project, terms));
        id = format!("{id}/{of}");
    }
    let before = billable.earlier.iter().filter(|bill| {
        let until = bill.period_until.as_ref();
        bill.kind != Some(InvoiceKind::CreditNote)
            && is_of(bill, terms)
            && until.is_none_or(|until| *until == billable.until)
            && (!terms.by_project() || bill.project.is_none() || bill.project.as_ref() == project)
    });
    let mut number = before.count() + 1;
    loop {
        let id = if number == 1 {
            id.clone()
        } else {
            format!("{id}/{number}")
        };
        let name = EntityRef::new(EntityKind::Invoice, contract.system.clone(), id);
        if billable.earlier.iter().all(|bill| bill.ref_ != name) {
            return name;
        }
        number += 1;
    }
}
