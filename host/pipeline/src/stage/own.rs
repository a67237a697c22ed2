//! `own`: entities get the names they were born with, what a system says only because we told
//! it ends there, and a change by a system that does not own the field does not pass. Output:
//! [`Owned`], with what was left out.

use cambist_contract::{
    canonical::{Change, ChangeKind, EntityRef},
    digest::Digest,
    stage::Stage,
};
use cambist_journal::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    conflict,
    dispatch::Pipeline,
    failure::Failure,
    names::{self, Told},
    ownership::{Owner, Ownership},
    said::said,
    work::{Output, Passed, Work},
};

/// What may pass, and what may not.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Owned {
    /// The changes, less what their source does not own.
    pub(super) changes: Vec<Change>,
    /// What was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) left_out: Vec<LeftOut>,
    /// Whether anything of it is other than what its source was told by us.
    #[serde(skip)]
    is_news: bool,
}

/// A field that its source has changed and does not own.
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

pub(super) async fn run(pipeline: &Pipeline, work: &Work) -> Result<Passed, Failure> {
    let system = &work.message.system;
    let side = pipeline.setup.sides.get(system).copied().unwrap_or(Owner::Crm);
    let read: Vec<Change> = work.output(Stage::Read)?;
    let mut changes = serde_json::to_value(&read).map_err(unreadable)?;
    let mut spoken_of = names::named(&changes, system);
    spoken_of.extend(read.iter().map(|change| change.entity.name().clone()));
    pipeline.delivering.ended(system, &spoken_of).await;
    let told = names::as_born(pipeline.setup.journal.as_ref(), system, spoken_of, &mut changes).await?;
    let changes = serde_json::from_str(&changes.to_string()).map_err(unreadable)?;
    let ownership = pipeline.routes().ownership.clone();
    let owned = apply(changes, side, &ownership, &told)?;
    if owned.changes.is_empty() || !owned.is_news {
        let reason = match owned.left_out.is_empty() {
            true => format!("`{system}` says what it was told, an echo"),
            false => format!("`{system}` owns nothing of what it changed"),
        };
        return Ok(Passed::Stop(Event::Ignored { reason }));
    }
    conflict::check(pipeline, work, &owned.changes, &ownership).await?;
    Ok(Passed::On(Output::of(owned)?))
}

/// Takes out what `side` does not own. An entity with nothing left but its name
/// is taken out whole, unless it is to be gone. What its source was told by us and says
/// again is neither a change nor reported.
fn apply(changes: Vec<Change>, side: Owner, ownership: &Ownership, told: &Told) -> Result<Owned, Failure> {
    let mut owned = Owned::default();
    for change in changes {
        let name = change.entity.name().clone();
        if change.kind != ChangeKind::Upsert {
            // of what is removed or merged only the name counts, so it belongs to who owns the entity
            let owner = ownership.of_entity(name.kind);
            if owner.lets(side) {
                owned.is_news = true;
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
        let told = told.get(&name);
        let echoes = |field: &str, value: &Digest| told.and_then(|told| told.get(field)) == Some(value);
        let says = said(&change)?;
        let mut kept = 0_usize;
        let mut passes = |field: &str| {
            let owner = ownership.of_field(name.kind, field);
            let echo = says.get(field).is_some_and(|value| echoes(field, value));
            let passes = owner.lets(side);
            if passes {
                kept += 1;
                owned.is_news |= !echo;
            } else if !echo {
                owned.left_out.push(LeftOut {
                    entity: name.clone(),
                    field: field.to_owned(),
                    owner: owner.name().to_owned(),
                });
            }
            passes
        };
        let mut value = serde_json::to_value(&change).map_err(unreadable)?;
        if let Some(Value::Object(fields)) = value
            .get_mut("entity")
            .and_then(Value::as_object_mut)
            .and_then(|it| it.values_mut().next())
        {
            fields.retain(|field, _| field == "ref" || passes(field));
        }
        if let Some(Value::Array(cleared)) = value.get_mut("cleared") {
            cleared.retain(|field| field.as_str().is_some_and(&mut passes));
        }
        if kept > 0 {
            owned
                .changes
                .push(serde_json::from_str(&value.to_string()).map_err(unreadable)?);
        }
    }
    Ok(owned)
}

fn unreadable(error: serde_json::Error) -> Failure {
    Failure::Implausible(error.to_string())
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

    fn apply(changes: Vec<Change>, side: Owner) -> Owned {
        super::apply(changes, side, &Ownership::default(), &Told::new()).unwrap()
    }

    #[test]
    fn a_field_of_the_books_does_not_pass_from_the_crm() {
        let change = change("account", json!({"name": "Acme", "payment-terms": "30 days"}));
        let owned = apply(vec![change], Owner::Crm);
        let account = serde_json::to_value(&owned.changes[0].entity).unwrap();
        assert_eq!(account["account"]["name"], "Acme");
        assert!(account["account"].get("payment-terms").is_none());
        assert_eq!(owned.left_out[0].field, "payment-terms");
        assert_eq!(owned.left_out[0].owner, "erp");
    }

    #[test]
    fn an_invoice_from_the_crm_does_not_pass_at_all() {
        let owned = apply(vec![change("invoice", json!({"number": "1"}))], Owner::Crm);
        assert!(owned.changes.is_empty());
    }

    #[test]
    fn what_a_system_was_told_is_no_news_and_not_reported() {
        let account = |fields| vec![change("account", fields)];
        let was_told = account(json!({"name": "Acme", "payment-terms": "30 days"}));
        let told: Told = [(was_told[0].entity.name().clone(), said(&was_told[0]).unwrap())].into();
        let of_odoo = |fields| {
            let owned = super::apply(account(fields), Owner::Erp, &Ownership::default(), &told);
            let Owned {
                is_news, left_out, ..
            } = owned.unwrap();
            let left_out: Vec<_> = left_out.into_iter().map(|it| it.field).collect();
            (is_news, left_out)
        };
        let nothing: Vec<String> = Vec::new();
        assert_eq!(
            of_odoo(json!({"name": "Acme", "payment-terms": "30 days"})),
            (false, nothing.clone())
        );
        assert_eq!(
            of_odoo(json!({"name": "Acme", "payment-terms": "60 days"})),
            (true, nothing)
        );
        // what it may not change is told of, and passes with nothing
        assert_eq!(
            of_odoo(json!({"name": "Other"})),
            (false, vec!["name".to_owned()])
        );
    }

    fn removal(kind: &str, fields: Value) -> Change {
        Change {
            kind: ChangeKind::Remove,
            ..change(kind, fields)
        }
    }

    #[test]
    fn who_owns_an_entity_may_remove_it_by_its_name_alone() {
        let owned = apply(vec![removal("account", json!({}))], Owner::Crm);
        assert_eq!(owned.changes, [removal("account", json!({}))]);
        let owned = apply(vec![removal("invoice", json!({}))], Owner::Erp);
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
        let owned = apply(vec![merged("account"), merged("invoice")], Owner::Crm);
        assert_eq!(owned.changes, [merged("account")]);
        assert_eq!(owned.left_out[0].field, "ref");
    }

    #[test]
    fn who_owns_some_of_its_fields_may_not_remove_an_entity() {
        let removal = removal("account", json!({"payment-terms": "30 days"}));
        let owned = apply(vec![removal], Owner::Erp);
        assert!(owned.changes.is_empty());
        assert_eq!(owned.left_out[0].field, "ref");
        assert_eq!(owned.left_out[0].owner, "crm");
    }

    #[test]
    fn odoo_may_not_rename_what_the_crm_owns() {
        let owned = apply(vec![change("account", json!({"name": "Acme"}))], Owner::Erp);
        assert!(owned.changes.is_empty());
    }
}
