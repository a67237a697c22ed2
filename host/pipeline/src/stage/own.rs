//! `own`: entities get the names they were born with, what a system says only because we told
//! it ends there, and a change by a system that does not own the field does not pass. Output:
//! [`Owned`], with what was left out.
//!
//! A system says all fields each time. Of those that it does not own it is kept what it said
//! last, so that only what it says anew is told of, once.
//!
//! It says each time as well what is empty. That is a change where something stood: of an owner's field
//! what the target was told, of another's what the system itself was told or has said. A field that was empty
//! all along, on both sides, was emptied by nobody.

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
    said::{is_told, nothing, said},
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
    /// What is empty at its source and may be so at the target, other than what its source was told by us.
    #[serde(skip)]
    empty: BTreeMap<EntityRef, Vec<String>>,
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
    if !owned.is_news && !owned.empty.is_empty() {
        owned.is_news = work.is_rehearsal || has_any(pipeline, &work.route()?.target, &owned.empty).await?;
    }
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

/// Whether a system was told anything of one of these fields, and not that it is empty.
async fn has_any(
    pipeline: &Pipeline,
    system: &str,
    fields: &BTreeMap<EntityRef, Vec<String>>,
) -> Result<bool, Failure> {
    let entities: Vec<EntityRef> = fields.keys().cloned().collect();
    let known = pipeline.setup.journal.known(system, &entities).await?;
    let nothing = nothing();
    let mut all = fields.values().zip(&known);
    Ok(all.any(|(fields, known)| {
        let mut told = fields.iter().filter_map(|field| known.told.get(field));
        told.any(|value| *value != nothing)
    }))
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
            let is_empty = change.cleared.iter().any(|it| it == field);
            if passes {
                kept += 1;
                if is_empty && !echo {
                    let empty = owned.empty.entry(name.clone()).or_default();
                    empty.push(field.to_owned());
                } else {
                    owned.is_news |= !echo;
                }
                return passes;
            }
            let before = heard.and_then(|heard| heard.get(field));
            if is_empty && before.is_none() && !told.contains_key(field) {
                return passes;
            }
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

    /// What is empty at its source and may be so at the target, and what is told of as left out.
    fn emptied(field: &str, told: &Told, heard: BTreeMap<EntityRef, Fields>) -> (bool, Vec<String>, usize) {
        let mut change = change("account", json!({"name": "Acme"}));
        change.cleared = vec![field.to_owned()];
        let known = knowing(told.clone(), heard, "2");
        let owned = super::apply(vec![change], Owner::Erp, &Ownership::default(), &known).unwrap();
        let empty = owned.empty.into_values().flatten().collect();
        (owned.is_news, empty, owned.left_out.len())
    }

    #[test]
    fn what_its_owner_has_emptied_passes_and_the_target_decides_whether_it_is_news() {
        let entity = change("account", json!({})).entity.name().clone();
        let told = |fields| Told::from([(entity.clone(), said(&change("account", fields)).unwrap())]);
        let terms = "payment-terms";
        let passes = |told: &Told| emptied(terms, told, BTreeMap::new());
        assert_eq!(
            passes(&told(json!({"name": "Acme"}))),
            (false, vec![terms.to_owned()], 0)
        );
        let filled = told(json!({"name": "Acme", "payment-terms": "30 days"}));
        assert_eq!(passes(&filled), (false, vec![terms.to_owned()], 0));
        // it was told by us that it is empty: an echo
        let mut empty = told(json!({"name": "Acme"}));
        empty.values_mut().for_each(|fields| {
            fields.insert(terms.to_owned(), nothing());
        });
        assert_eq!(passes(&empty), (false, Vec::new(), 0));
    }

    #[test]
    fn what_was_never_filled_was_emptied_by_nobody() {
        let entity = change("account", json!({})).entity.name().clone();
        let told = |fields| Told::from([(entity.clone(), said(&change("account", fields)).unwrap())]);
        let nothing_heard = BTreeMap::new;
        let left_out = |told: &Told, heard| emptied("phone", told, heard).2;
        let name = told(json!({"name": "Acme"}));
        assert_eq!(left_out(&name, nothing_heard()), 0);
        // what it was told, or has said itself, is gone there
        let phone = told(json!({"name": "Acme", "phone": "1"}));
        assert_eq!(left_out(&phone, nothing_heard()), 1);
        let digest = said(&change("account", json!({"phone": "2"}))).unwrap()["phone"];
        let message = MessageId::from_text("1");
        let heard = [("phone".to_owned(), Said { digest, message })].into();
        assert_eq!(left_out(&name, [(entity.clone(), heard)].into()), 1);
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
