//! Companies and contacts that are one since somebody merged them.

use cambist_sdk::prelude::*;

use crate::source::Source;

/// Whether the event says so.
pub(crate) fn is_merge(event: &str) -> bool {
    event.ends_with(".merge")
}

/// Behind the changes of the one that is left: each that went is that one.
///
/// # Errors
///
/// Deals cannot be merged in the ERP: what was agreed of both stands. Or the body does not tell
/// which ones went.
pub(crate) fn read(
    source: &Source<'_>,
    kind: &str,
    body: &Fields<'_>,
    changes: &mut Vec<Change>,
) -> Result<()> {
    let kind = match kind {
        "company" => EntityKind::Account,
        "contact" => EntityKind::Contact,
        _ => {
            let reason = "deals that were merged keep what was agreed of each; cancel one in the ERP";
            return Err(unhandled(reason));
        }
    };
    let left = changes
        .iter()
        .rev()
        .find(|change| change.entity.name().kind == kind)
        .map(|change| (change.entity.name().clone(), change.changed_at.clone()));
    let (left, at) = left.required("merged")?;
    for gone in body.objects("merged")? {
        let name = source.name(kind, &gone.required_text("id")?);
        let entity: Entity = match kind {
            EntityKind::Account => Account::named(name).into(),
            _ => Contact::named(name).into(),
        };
        changes.push(Change {
            kind: ChangeKind::Merged(left.clone()),
            ..Change::upsert(entity, at.clone())
        });
    }
    Ok(())
}
