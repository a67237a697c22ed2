//! The canonical records, field by field.

use cambist_contract::canonical::*;

use super::{
    bindings::cambist::plugin::{canonical as wit, types},
    convert::{Allowed, FromWit, ToWit, Wrong, plain, record},
    room::Room,
};

plain!(
    EntityKind = types::EntityKind {
        Account,
        Contact,
        Opportunity,
        Contract,
        Project,
        Resource,
        Timesheet,
        Expense,
        Invoice,
        Payment,
    }
);
record!(EntityRef = types::EntityRefParam | types::EntityRefResult { kind, system, id });
record!(Extension = types::ExtensionParam | types::ExtensionResult { name, value });
record!(
    Address = wit::AddressParam
        | wit::AddressResult {
            street,
            street2,
            city,
            postcode,
            subdivision,
            country
        }
);
record!(Account = wit::AccountParam | wit::AccountResult { [entity as ref_] name, legal_name, business, tax_id, tax_id_confirmed, billing, established, parent, currency, payment_terms, email, phone, website, extra });
record!(Contact = wit::ContactParam | wit::ContactResult { [entity as ref_] account, given_name, family_name, job_title, email, phone, extra });
plain!(OpportunityStatus = wit::OpportunityStatus { Open, Won, Lost });
record!(Opportunity = wit::OpportunityParam | wit::OpportunityResult { [entity as ref_] name, account, contact, status, amount, currency, close_date, owner, extra });
plain!(
    ContractStatus = wit::ContractStatus {
        Draft,
        Approved,
        Closed,
        Cancelled
    }
);
plain!(
    BillingMethod = wit::BillingMethod {
        TimeAndMaterial,
        Capped,
        FixedPrice
    }
);
record!(
    ContractLine = wit::ContractLineParam
        | wit::ContractLineResult {
            id,
            name,
            sku,
            quantity,
            unit,
            unit_price,
            discount_percent,
            tax_class,
            role,
            performed_at,
            extra
        }
);
record!(Contract = wit::ContractParam | wit::ContractResult { [entity as ref_] opportunity, account, contact, name, status, billing, terms, customer_reference, legal_entity, currency, amount, signed, start, end, lines, extra });
plain!(
    ProjectStatus = wit::ProjectStatus {
        Planned,
        Active,
        Paused,
        Done,
        Cancelled
    }
);
record!(
    Milestone = wit::MilestoneParam
        | wit::MilestoneResult {
            id,
            name,
            due,
            share_percent,
            amount,
            contract_line,
            reached,
            extra
        }
);
record!(Project = wit::ProjectParam | wit::ProjectResult { [entity as ref_] contract, account, name, delivery_owner, status, start, end, milestones, extra });
record!(Resource = wit::ResourceParam | wit::ResourceResult { [entity as ref_] name, email, role, employer, active, extra });
plain!(
    TimesheetStatus = wit::TimesheetStatus {
        Draft,
        Submitted,
        Approved,
        Rejected,
        Billed
    }
);
record!(Timesheet = wit::TimesheetParam | wit::TimesheetResult { [entity as ref_] project, milestone, contract_line, worker, day, hours, description, billable, status, approved_by, approved_at, extra });
plain!(
    ExpenseStatus = wit::ExpenseStatus {
        Draft,
        Submitted,
        Approved,
        Rejected,
        Billed
    }
);
record!(Expense = wit::ExpenseParam | wit::ExpenseResult { [entity as ref_] project, contract_line, spender, day, category, description, amount, currency, billable, status, approved_by, approved_at, extra });
plain!(InvoiceKind = wit::InvoiceKind { Invoice, CreditNote });
plain!(
    InvoiceStatus = wit::InvoiceStatus {
        Draft,
        Posted,
        PartlyPaid,
        Paid,
        Cancelled
    }
);
record!(
    InvoiceLine = wit::InvoiceLineParam
        | wit::InvoiceLineResult {
            id,
            name,
            sku,
            quantity,
            unit,
            unit_price,
            discount_percent,
            tax_class,
            performed_at,
            contract_line,
            project,
            milestone,
            timesheets,
            expenses,
            extra
        }
);
record!(Invoice = wit::InvoiceParam | wit::InvoiceResult { [entity as ref_] kind, contract, project, legal_entity, account, corrects, number, customer_reference, status, currency, issued, tax_point, period_from, period_until, due, lines, net, tax, gross, residual, extra });
plain!(
    PaymentStatus = wit::PaymentStatus {
        Pending,
        Received,
        Returned
    }
);
plain!(PaymentDirection = wit::PaymentDirection { Incoming, Outgoing });
record!(Allocation = wit::AllocationParam | wit::AllocationResult { invoice, amount });
record!(Payment = wit::PaymentParam | wit::PaymentResult { [entity as ref_] direction, allocations, account, amount, currency, day, method, status, extra });
record!(to Change = wit::ChangeParam { entity, kind, cleared, changed_by, changed_at });
record!(from Change = wit::ChangeResult { entity, kind, cleared, changed_by, changed_at } checked by is_clear);

impl ToWit for ChangeKind {
    type Wit<'a> = wit::ChangeKindParam<'a>;
    fn to_wit<'a>(&'a self, room: &'a Room) -> Self::Wit<'a> {
        match self {
            Self::Upsert => wit::ChangeKindParam::Upsert,
            Self::Remove => wit::ChangeKindParam::Remove,
            Self::Merged(into) => wit::ChangeKindParam::Merged(into.to_wit(room)),
        }
    }
}

impl FromWit for ChangeKind {
    type Wit = wit::ChangeKindResult;
    fn from_wit(wit: wit::ChangeKindResult, allowed: &mut Allowed) -> Result<Self, Wrong> {
        Ok(match wit {
            wit::ChangeKindResult::Upsert => Self::Upsert,
            wit::ChangeKindResult::Remove => Self::Remove,
            wit::ChangeKindResult::Merged(into) => Self::Merged(FromWit::from_wit(into, allowed)?),
        })
    }
}

/// What is emptied is a field that can be empty, and is.
fn is_clear(change: &Change) -> Result<(), Wrong> {
    for (at, field) in change.cleared.iter().enumerate() {
        let rule = match change.entity.says(field) {
            Some(false) => continue,
            Some(true) => "is emptied and has a value",
            None => "is no field of the entity that can be empty",
        };
        return Err(Wrong::new(rule).within(format_args!("[{at}]")).within("cleared"));
    }
    Ok(())
}

/// The ten kinds, both ways.
macro_rules! entity {
    ($($case:ident),+) => {
        impl ToWit for Entity {
            type Wit<'a> = wit::EntityParam<'a>;
            fn to_wit<'a>(&'a self, room: &'a Room) -> Self::Wit<'a> {
                match self { $(Self::$case(it) => wit::EntityParam::$case(it.to_wit(room))),+ }
            }
        }
        impl FromWit for Entity {
            type Wit = wit::EntityResult;
            fn from_wit(wit: wit::EntityResult, allowed: &mut Allowed) -> Result<Self, Wrong> {
                Ok(match wit {
                    $(wit::EntityResult::$case(it) => {
                        Self::$case(FromWit::from_wit(it, allowed).map_err(|wrong: Wrong| wrong.within(stringify!($case)))?)
                    }),+
                })
            }
        }
    };
}
entity!(
    Account,
    Contact,
    Opportunity,
    Contract,
    Project,
    Resource,
    Timesheet,
    Expense,
    Invoice,
    Payment
);
