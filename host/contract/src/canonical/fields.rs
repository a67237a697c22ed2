//! Which fields of an entity may be empty, and which of them are. By the names that
//! `canonical.wit` gives them.

use super::{
    Account, Contact, Contract, Entity, Expense, Invoice, Opportunity, Payment, Project, Resource, Timesheet,
};

/// Looks a field up among all that are options. The pattern names every field, so that
/// one that comes to a record and is not here does not compile.
macro_rules! says {
    ($it:ident: $record:ident { $($name:ident),+ }, $field:ident) => {{
        let $record { entity: _, extra: _, $($name),+ } = $it;
        $(if is_named($field, stringify!($name)) {
            return Some($name.is_some());
        })+
        None
    }};
}

impl Entity {
    /// Whether a field says something; none where the record has no such field, or one
    /// that is never empty (`ref`, `extra`).
    pub fn says(&self, field: &str) -> Option<bool> {
        match self {
            Self::Account(it) => {
                says!(it: Account { name, legal_name, business, tax_id, tax_id_confirmed, billing, established, parent, currency, payment_terms, email, phone, website }, field)
            }
            Self::Contact(it) => {
                says!(it: Contact { account, given_name, family_name, job_title, email, phone }, field)
            }
            Self::Opportunity(it) => {
                says!(it: Opportunity { name, account, contact, status, amount, currency, close_date, owner }, field)
            }
            Self::Contract(it) => {
                says!(it: Contract { opportunity, account, contact, name, status, billing, terms, customer_reference, legal_entity, currency, amount, signed, start, end, lines }, field)
            }
            Self::Project(it) => {
                says!(it: Project { contract, account, name, delivery_owner, status, start, end, milestones }, field)
            }
            Self::Resource(it) => says!(it: Resource { name, email, role, employer, active }, field),
            Self::Timesheet(it) => {
                says!(it: Timesheet { project, milestone, contract_line, worker, day, hours, description, billable, status, approved_by, approved_at }, field)
            }
            Self::Expense(it) => {
                says!(it: Expense { project, contract_line, spender, day, category, description, amount, currency, billable, status, approved_by, approved_at }, field)
            }
            Self::Invoice(it) => {
                says!(it: Invoice { kind, contract, project, legal_entity, account, corrects, number, customer_reference, status, currency, issued, tax_point, period_from, period_until, due, lines, net, tax, gross, residual }, field)
            }
            Self::Payment(it) => {
                says!(it: Payment { direction, allocations, account, amount, currency, day, method, status }, field)
            }
        }
    }
}

/// Whether the contract's name of a field is the one that Rust has.
fn is_named(field: &str, rust: &str) -> bool {
    let same = |(ours, rusts): (u8, u8)| ours == if rusts == b'_' { b'-' } else { rusts };
    field.len() == rust.len() && field.bytes().zip(rust.bytes()).all(same)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_known_by_the_contracts_name_alone() {
        let account = json!({"account": {
            "ref": {"kind": "account", "system": "crm", "id": "1"}, "legal-name": "Acme GmbH",
        }});
        let account: Entity = serde_json::from_value(account).unwrap();
        for (field, says) in [
            ("legal-name", Some(true)),
            ("tax-id", Some(false)),
            ("legal_name", None),
            ("taxid", None),
            ("ref", None),
            ("extra", None),
            ("lines", None),
            ("", None),
        ] {
            assert_eq!(account.says(field), says, "{field}");
        }
    }
}
