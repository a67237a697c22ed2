//! `own`: a change by a system that does not own the field does not pass. Output:
//! [`Owned`], with what was left out.

use cambist_contract::{
    canonical::{Change, ChangeKind, EntityRef},
    stage::Stage,
};
use cambist_journal::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    dispatch::Pipeline,
    failure::Failure,
    ownership::{Owner, of_entity, of_field},
    work::{Output, Passed, Work},
};

/// What may pass, and what may not.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Owned {
    /// The changes, less what their source does not own.
    pub(super) changes: Vec<Change>,
    /// What was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) left_out: Vec<LeftOut>,
}

/// A field that its source does not own.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LeftOut {
    /// The entity.
    entity: EntityRef,
    /// The field, by its name in the contract; `ref` for the entity itself, which
    /// was to be gone.
    field: String,
    /// Who owns it.
    owner: String,
}

pub(super) fn run(pipeline: &Pipeline, work: &Work) -> Result<Passed, Failure> {
    let side = pipeline
        .setup
        .sides
        .get(&work.message.system)
        .copied()
        .unwrap_or(Owner::Crm);
    let owned = apply(work.output(Stage::Read)?, side)?;
    if owned.changes.is_empty() {
        let reason = format!("`{}` owns nothing of what it changed", work.message.system);
        return Ok(Passed::Stop(Event::Ignored { reason }));
    }
    Ok(Passed::On(Output::of(owned)?))
}

/// Takes out what `side` does not own. An entity with nothing left but its name
/// is taken out whole, unless it is to be gone.
fn apply(changes: Vec<Change>, side: Owner) -> Result<Owned, Failure> {
    let mut owned = Owned {
        changes: Vec::new(),
        left_out: Vec::new(),
    };
    for change in changes {
        let name = change.entity.name().clone();
        if change.kind != ChangeKind::Upsert {
            // of what is removed or merged only the name counts, so it belongs to who owns the entity
            let owner = of_entity(name.kind);
            if owner == side {
                owned.changes.push(change);
            } else {
                owned.left_out.push(LeftOut {
                    entity: name,
                    field: "ref".to_owned(),
                    owner: owner.name().to_owned(),
                });
            }
            continue;
        }
        let unreadable = |error: serde_json::Error| Failure::Implausible(error.to_string());
        let mut value = serde_json::to_value(&change).map_err(unreadable)?;
        let mut kept = 0_usize;
        if let Some(Value::Object(fields)) = value
            .get_mut("entity")
            .and_then(Value::as_object_mut)
            .and_then(|it| it.values_mut().next())
        {
            fields.retain(|field, _| {
                let owner = of_field(name.kind, field);
                let passes = field == "ref" || owner == side;
                if passes {
                    kept += usize::from(field != "ref");
                } else {
                    let (entity, owner) = (name.clone(), owner.name().to_owned());
                    owned.left_out.push(LeftOut {
                        entity,
                        field: field.clone(),
                        owner,
                    });
                }
                passes
            });
        }
        if let Some(Value::Array(cleared)) = value.get_mut("cleared") {
            cleared.retain(|field| {
                field
                    .as_str()
                    .is_some_and(|field| of_field(name.kind, field) == side)
            });
            kept += cleared.len();
        }
        if kept > 0 {
            owned
                .changes
                .push(serde_json::from_str(&value.to_string()).map_err(unreadable)?);
        }
    }
    Ok(owned)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(kind: &str, fields: Value) -> Change {
        let mut entity = json!({"ref": {"kind": kind, "system": "crm", "id": "1"}});
        for (name, value) in fields.as_object().unwrap() {
            entity[name] = value.clone();
        }
        let change =
            json!({"entity": {kind: entity}, "kind": "upsert", "changed-at": "2026-11-22T04:00:00Z"});
        serde_json::from_value(change).unwrap()
    }

    #[test]
    fn a_field_of_the_books_does_not_pass_from_the_crm() {
        let change = change("account", json!({"name": "Acme", "payment-terms": "30 days"}));
        let owned = apply(vec![change], Owner::Crm).unwrap();
        let account = serde_json::to_value(&owned.changes[0].entity).unwrap();
        assert_eq!(account["account"]["name"], "Acme");
        assert!(account["account"].get("payment-terms").is_none());
        assert_eq!(owned.left_out[0].field, "payment-terms");
        assert_eq!(owned.left_out[0].owner, "erp");
    }

    #[test]
    fn an_invoice_from_the_crm_does_not_pass_at_all() {
        let owned = apply(vec![change("invoice", json!({"number": "1"}))], Owner::Crm).unwrap();
        assert!(owned.changes.is_empty());
    }

    fn removal(kind: &str, fields: Value) -> Change {
        Change {
            kind: ChangeKind::Remove,
            ..change(kind, fields)
        }
    }

    #[test]
    fn who_owns_an_entity_may_remove_it_by_its_name_alone() {
        let owned = apply(vec![removal("account", json!({}))], Owner::Crm).unwrap();
        assert_eq!(owned.changes, [removal("account", json!({}))]);
        let owned = apply(vec![removal("invoice", json!({}))], Owner::Erp).unwrap();
        assert_eq!(owned.changes.len(), 1);
    }

    #[test]
    fn a_merge_is_a_removal_for_who_owns_what() {
        let merged = |kind: &str| Change {
            kind: ChangeKind::Merged(EntityRef {
                id: "2".to_owned(),
                ..change(kind, json!({})).entity.name().clone()
            }),
            ..change(kind, json!({}))
        };
        let owned = apply(vec![merged("account"), merged("invoice")], Owner::Crm).unwrap();
        assert_eq!(owned.changes, [merged("account")]);
        assert_eq!(owned.left_out[0].field, "ref");
    }

    #[test]
    fn who_owns_some_of_its_fields_may_not_remove_an_entity() {
        let removal = removal("account", json!({"payment-terms": "30 days"}));
        let owned = apply(vec![removal], Owner::Erp).unwrap();
        assert!(owned.changes.is_empty());
        assert_eq!(owned.left_out[0].field, "ref");
        assert_eq!(owned.left_out[0].owner, "crm");
    }

    #[test]
    fn odoo_may_not_rename_what_the_crm_owns() {
        let owned = apply(vec![change("account", json!({"name": "Acme"}))], Owner::Erp).unwrap();
        assert!(owned.changes.is_empty());
    }
}
