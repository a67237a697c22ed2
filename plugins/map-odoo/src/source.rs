//! What every reader needs: whose record it is.

use cambist_sdk::prelude::*;

use crate::{external_id, many2one};

/// One call of `read`.
pub(crate) struct Source<'a> {
    pub(crate) system: &'a str,
    pub(crate) time: &'a str,
}

impl Source<'_> {
    /// The canonical name of the record itself: the one that it was made by, where its
    /// external id is one of ours and of that kind.
    pub(crate) fn own_name(&self, kind: EntityKind, record: &Fields<'_>) -> Result<EntityRef> {
        let ours = record
            .text("external_id")?
            .as_deref()
            .and_then(external_id::entity);
        if let Some(name) = ours.filter(|name| name.kind == kind) {
            return Ok(name);
        }
        Ok(EntityRef::new(kind, self.system, record.required_text("id")?))
    }

    /// The canonical name of the record that a many2one field refers to.
    pub(crate) fn name(
        &self,
        kind: EntityKind,
        record: &Fields<'_>,
        field: &str,
    ) -> Result<Option<EntityRef>> {
        let other = many2one::read(record, field)?;
        Ok(other.map(|other| EntityRef::new(kind, self.system, other.id)))
    }

    /// A change of what `record` stands for. An archived record is gone.
    pub(crate) fn change(&self, record: &Fields<'_>, entity: impl Into<Entity>) -> Result<Change> {
        let at = record
            .moment("write_date")?
            .unwrap_or_else(|| self.time.to_owned());
        let by = many2one::read(record, "write_uid")?.map(|user| user.id);
        let mut change = Change::upsert(entity, at).by(by);
        if record.flag("active")? == Some(false) {
            change.kind = ChangeKind::Remove;
        }
        Ok(change)
    }
}
