//! What plugins are asked and what they answer, beside the canonical records.

use cambist_contract::{
    context::Context,
    fault::{Fault, Reason, Violation},
    invoicing::{Billable, Draft},
    mapping::{Action, Command, Inbound, Outbound, Plan, Record, RecordKey, RecordName},
    plugin::CallError,
    policy::{Approval, Decision, Proposal, Verdict},
    tax::{
        AppliedRate, Assessment, Document, DocumentKind, DocumentLine, LineTax, Party, Rate, TaxTotal,
        Treatment,
    },
};

use super::{
    bindings::{
        cambist::plugin::{assessments, types},
        exports::cambist::plugin::{invoicing, mapping, policy, tax},
    },
    convert::{Allowed, FromWit, ToWit, Wrong, plain, record},
    room::Room,
};

record!(to Context = types::Context { message, flow, region, unit, time, settings });
record!(from Violation = types::Violation { field, rule });
record!(Reason = types::ReasonParam | types::ReasonResult { code, text, basis });

record!(to Inbound = mapping::Inbound { system, event, object_kind, object_id, body });
record!(to Outbound = mapping::Outbound { system, changes, assessments });
record!(from Record = mapping::Record { model, key, values, stands_for });
record!(from RecordName = mapping::RecordName { model, key });
record!(from Action = mapping::Action { model, key, name, arguments, from, to });
record!(from Plan = mapping::Plan { commands });

record!(to Approval = policy::Approval { role, by, at });
record!(to Proposal = policy::Proposal { changes, approvals });
record!(from Verdict = policy::Verdict { decision, reasons });

plain!(
    DocumentKind = tax::DocumentKind {
        Order,
        Invoice,
        CreditNote
    }
);
record!(to Party = tax::Party { name, address, business, tax_id, tax_id_confirmed, extra });
record!(to DocumentLine = tax::DocumentLine {
    id, name, quantity, unit_price, discount_percent, tax_class, performed_at, extra,
});
record!(to Document = tax::Document {
    [entity as ref_] kind, tax_point, currency, supplier, customer, lines, corrects, extra,
});
plain!(
    Treatment = assessments::Treatment {
        Standard,
        Reduced,
        Zero,
        Exempt,
        ReverseCharge,
        IntraCommunity,
        OutsideScope,
        Exported,
        Withholding,
    }
);
record!(
    Rate = assessments::RateParam
        | assessments::RateResult {
            code,
            jurisdiction,
            treatment,
            percent
        }
);
record!(AppliedRate = assessments::AppliedRateParam | assessments::AppliedRateResult { rate, base, amount });
record!(
    LineTax = assessments::LineTaxParam
        | assessments::LineTaxResult {
            line,
            net,
            rates,
            reason
        }
);
record!(TaxTotal = assessments::TaxTotalParam | assessments::TaxTotalResult { rate, base, amount });
record!(Assessment = assessments::AssessmentParam | assessments::AssessmentResult {
    [entity as ref_] currency, lines, totals, net, tax, gross, payable, notes,
});

record!(to Billable = invoicing::Billable { contract, account, projects, resources, from, until, timesheets, expenses, earlier });
record!(from Draft = invoicing::Draft { invoices, reasons });

impl FromWit for Command {
    type Wit = mapping::Command;
    fn from_wit(wit: mapping::Command, allowed: &mut Allowed) -> Result<Self, Wrong> {
        Ok(match wit {
            mapping::Command::Ensure(it) => Self::Ensure(FromWit::from_wit(it, allowed)?),
            mapping::Command::Upsert(it) => Self::Upsert(FromWit::from_wit(it, allowed)?),
            mapping::Command::Act(it) => Self::Act(FromWit::from_wit(it, allowed)?),
            mapping::Command::Remove(it) => Self::Remove(FromWit::from_wit(it, allowed)?),
        })
    }
}

impl FromWit for RecordKey {
    type Wit = mapping::RecordKey;
    fn from_wit(wit: mapping::RecordKey, _: &mut Allowed) -> Result<Self, Wrong> {
        let key = match wit {
            mapping::RecordKey::External(id) => Self::External(id),
            mapping::RecordKey::Own(id) => Self::Own(id),
        };
        match key.is_plain() {
            true => Ok(key),
            false => Err(Wrong::new("is an external id that begins with `#`")),
        }
    }
}

impl FromWit for Decision {
    type Wit = policy::Decision;
    fn from_wit(wit: policy::Decision, allowed: &mut Allowed) -> Result<Self, Wrong> {
        Ok(match wit {
            policy::Decision::Allow => Self::Allow,
            policy::Decision::Amend(changes) => {
                let changes = FromWit::from_wit(changes, allowed);
                Self::Amend(changes.map_err(|wrong: Wrong| wrong.within("amend"))?)
            }
            policy::Decision::Deny => Self::Deny,
            policy::Decision::Hold(role) => Self::Hold(role),
            policy::Decision::Wait(entity) => Self::Wait(FromWit::from_wit(entity, allowed)?),
        })
    }
}

impl FromWit for Fault {
    type Wit = types::Fault;
    fn from_wit(wit: types::Fault, allowed: &mut Allowed) -> Result<Self, Wrong> {
        Ok(match wit {
            types::Fault::Invalid(violation) => Self::Invalid(FromWit::from_wit(violation, allowed)?),
            types::Fault::Waiting(entity) => Self::Waiting(FromWit::from_wit(entity, allowed)?),
            types::Fault::Unhandled(reason) => Self::Unhandled(reason),
            types::Fault::Broken(text) => Self::Broken(text),
        })
    }
}

/// An answer of the guest, checked.
pub(super) fn answer<T: FromWit>(
    answer: Result<T::Wit, types::Fault>,
    mut allowed: Allowed,
) -> Result<T, CallError> {
    let checked = match answer {
        Ok(value) => T::from_wit(value, &mut allowed).map(Ok),
        Err(fault) => Fault::from_wit(fault, &mut allowed).map(Err),
    };
    match checked {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fault)) => Err(CallError::Fault(fault)),
        Err(wrong) => Err(match wrong.limit() {
            Some((setting, value)) => CallError::Limit { setting, value },
            None => CallError::BadAnswer(wrong.to_string()),
        }),
    }
}
