//! Which kind of system owns which field: the system of record.
//!
//! The CRM owns what sales knows (accounts, contacts, opportunities, what was
//! agreed), Odoo owns the books (what is billed and paid, and how an account
//! pays) and the work's progress. A table for now; from the config later.

use cambist_contract::canonical::EntityKind;

/// A side of the integration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Owner {
    /// The CRMs.
    Crm,
    /// Odoo.
    Erp,
}

impl Owner {
    /// The owner's name in the evidence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Erp => "erp",
        }
    }
}

/// Fields with another owner than their entity has.
const FIELDS: [(EntityKind, &str, Owner); 3] = [
    (EntityKind::Account, "payment-terms", Owner::Erp),
    (EntityKind::Account, "currency", Owner::Erp),
    (EntityKind::Project, "status", Owner::Erp),
];

/// Who owns an entity, but for the fields that say otherwise.
pub(crate) fn of_entity(kind: EntityKind) -> Owner {
    match kind {
        EntityKind::Account
        | EntityKind::Contact
        | EntityKind::Opportunity
        | EntityKind::Contract
        | EntityKind::Project => Owner::Crm,
        EntityKind::Resource
        | EntityKind::Timesheet
        | EntityKind::Expense
        | EntityKind::Invoice
        | EntityKind::Payment => Owner::Erp,
    }
}

/// Who owns a field, by its name in the contract.
pub(crate) fn of_field(kind: EntityKind, field: &str) -> Owner {
    let named = FIELDS.iter().find(|(of, name, _)| *of == kind && *name == field);
    named.map_or_else(|| of_entity(kind), |(.., owner)| *owner)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_contract::canonical::Entity;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_an_owner_of_its_own_is_a_field_of_its_entity() {
        for (kind, field, _) in FIELDS {
            let named = json!({kind.name(): {"ref": {"kind": kind, "system": "crm", "id": "1"}}});
            let entity: Entity = serde_json::from_value(named).unwrap();
            assert_eq!(entity.says(field), Some(false), "{} has no {field}", kind.name());
        }
    }
}
