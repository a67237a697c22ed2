//! `own`: entities get the names they were born with, what a system says only because we told
//! it ends there, and a change by a system that does not own the field does not pass. Output:
//! [`Owned`], with what was left out.
//!
//! A system says all fields each time. Of those that it does not own it is kept what it said
//! last, so that only what it says anew is told of, once.

use std::collections::BTreeMap;

use cambist_contract::{
    canonical::{Change, ChangeKind, EntityRef},
    message::MessageId,
    stage::Stage,
};
use cambist_journal::{
    Event,
    heard::{Fields, Said},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    conflict,
    dispatch::Pipeline,
    failure::Failure,
    metrics,
    names::{self, Told},
    ownership::{Owner, Ownership},
    said::{is_told, said},
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
    /// What its source says for the first time of what it does not own.
    #[serde(skip)]
    says: BTreeMap<EntityRef, Fields>,
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
    if work.is_at_home() {
        // nobody is told what the system says itself, and everything keeps the name that it has there
        let changes = read;
        return Ok(Passed::On(Output::of(Owned {
            changes,
            ..Owned::default()
        })?));
    }
    let mut changes = serde_json::to_value(&read).map_err(unreadable)?;
    let mut spoken_of = names::named(&changes, system);
    spoken_of.extend(read.iter().map(|change| change.entity.name().clone()));
    if !work.is_rehearsal {
        pipeline.delivering.ended(system, &spoken_of).await;
    }
    let told = names::as_born(pipeline.setup.journal.as_ref(), system, spoken_of, &mut changes).await?;
    let changes: Vec<Change> = serde_json::from_str(&changes.to_string()).map_err(unreadable)?;
    let entities: Vec<EntityRef> = changes
        .iter()
        .map(|change| change.entity.name().clone())
        .collect();
    let heard = pipeline.setup.heard.heard(system, &entities).await?;
    let mut known = Known {
        told,
        heard: entities.into_iter().zip(heard).collect(),
        message: work.message.id.clone(),
    };
    if work.is_rehearsal {
        // what it was told and has said since makes no echo of what it said then
        known.told.clear();
        known.heard.clear();
    }
    let ownership = pipeline.routes().ownership.clone();
    let mut owned = apply(changes, side, &ownership, &known)?;
    if !work.is_rehearsal && !owned.says.is_empty() {
        let says = std::mem::take(&mut owned.says).into_iter().collect();
        pipeline.setup.heard.hear(system, says).await?;
    }
    for left_out in owned.left_out.iter().filter(|_| !work.is_rehearsal) {
        metrics::left_out(system, left_out.entity.kind, &left_out.field);
    }
    if owned.changes.is_empty() || !owned.is_news {
        let reason = match owned.left_out.is_empty() {
            true => format!("`{system}` says what it was told or has said before, an echo"),
            false => format!(
                "`{system}` owns nothing of what it changed: {}",
                listed(&owned.left_out)
            ),
        };
        return Ok(Passed::Stop(Event::Ignored { reason }));
    }
    if !work.is_rehearsal {
        conflict::check(pipeline, work, &owned.changes, &ownership).await?;
    }
    Ok(Passed::On(Output::of(owned)?))
}

/// Fields that a sentence names; the rest is counted.
const LISTED: usize = 10;

/// Fields with their owners, as a person reads them.
fn listed(left_out: &[LeftOut]) -> String {
    let named = left_out.iter().take(LISTED).map(|it| {
        let LeftOut { entity, field, owner } = it;
        format!("{}.{field} ({owner})", entity.kind.name())
    });
    let named = named.collect::<Vec<_>>().join(", ");
    match left_out.len().saturating_sub(LISTED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// What is known of what a system speaks of.
#[derive(Debug)]
struct Known {
    /// What it was told by us.
    told: Told,
    /// What it last said of what it does not own.
    heard: BTreeMap<EntityRef, Fields>,
    /// Which message says it now.
    message: MessageId,
}

/// Takes out what `side` does not own. An entity with nothing left but its name
/// is taken out whole, unless it is to be gone. What its source was told by us and says
/// again is neither a change nor reported, nor is what it said before.
fn apply(changes: Vec<Change>, side: Owner, ownership: &Ownership, known: &Known) -> Result<Owned, Failure> {
    let mut owned = Owned::default();
    for change in changes {
        let name = change.entity.name().clone();
        // told before: since then both have the one name
        if matches!(&change.kind, ChangeKind::Merged(into) if *into == name) {
            continue;
        }
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
        let says = said(&change)?;
        let told = known.told.get(&name).cloned().unwrap_or_default();
        let heard = known.heard.get(&name);
        let mut kept = 0_usize;
        let mut passes = |field: &str| {
            let owner = ownership.of_field(name.kind, field);
            let echo = is_told(name.kind, field, &says, &told);
            let passes = owner.lets(side);
            if passes {
                kept += 1;
                owned.is_news |= !echo;
                return passes;
            }
            let before = heard.and_then(|heard| heard.get(field));
            let is_as_before = before.map(|before| &before.digest) == says.get(field);
            // what it said before is no change; a message that is worked on once more said it itself
            let is_known = is_as_before && before.is_some_and(|before| before.message != known.message);
            if !echo && !is_known {
                owned.left_out.push(LeftOut {
                    entity: name.clone(),
                    field: field.to_owned(),
                    owner: owner.name().to_owned(),
                });
            }
            if let Some(digest) = says
                .get(field)
                .filter(|_| !is_as_before && (!echo || before.is_some()))
            {
                let said = Said {
                    digest: *digest,
                    message: known.message.clone(),
                };
                owned
                    .says
                    .entry(name.clone())
                    .or_default()
                    .insert(field.to_owned(), said);
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

    fn knowing(told: Told, heard: BTreeMap<EntityRef, Fields>, message: &str) -> Known {
        let message = MessageId::from_text(message);
        Known { told, heard, message }
    }

    fn apply(changes: Vec<Change>, side: Owner) -> Owned {
        super::apply(
            changes,
            side,
            &Ownership::default(),
            &knowing(Told::new(), BTreeMap::new(), "1"),
        )
        .unwrap()
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
            let known = knowing(told.clone(), BTreeMap::new(), "1");
            let owned = super::apply(account(fields), Owner::Erp, &Ownership::default(), &known);
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

    /// What of Odoo's words is told of, message by message.
    #[test]
    fn a_change_of_what_is_not_its_own_is_told_of_once() {
        let account = |name: &str| vec![change("account", json!({"name": name}))];
        let entity = account("")[0].entity.name().clone();
        let told: Told = [(entity.clone(), said(&account("Acme")[0]).unwrap())].into();
        let mut heard = BTreeMap::new();
        let mut says = |name: &str, message: &str| {
            let known = knowing(told.clone(), heard.clone(), message);
            let owned = super::apply(account(name), Owner::Erp, &Ownership::default(), &known).unwrap();
            assert!(!owned.is_news && owned.changes.is_empty());
            for (entity, fields) in owned.says {
                heard.entry(entity).or_insert_with(Fields::new).extend(fields);
            }
            owned.left_out.len()
        };
        // what it was told is no change; another name is; the same name once more is none
        assert_eq!(
            [says("Acme", "1"), says("Other", "2"), says("Other", "3")],
            [0, 1, 0]
        );
        // the message that changed it is worked on once more, as after a crash
        assert_eq!(says("Other", "2"), 1);
        // back to what it was told, and away from it again
        assert_eq!(
            [says("Acme", "4"), says("Other", "5"), says("Third", "6")],
            [0, 1, 1]
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
