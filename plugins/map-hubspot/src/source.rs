//! What every reader needs: whose object it is, and what the region has set.

use cambist_sdk::prelude::*;

use crate::settings::Settings;

/// One call of `read`.
pub(crate) struct Source<'a> {
    pub(crate) system: &'a str,
    pub(crate) time: &'a str,
    pub(crate) settings: &'a Settings,
}

impl Source<'_> {
    /// The canonical name of an object of this HubSpot.
    pub(crate) fn name(&self, kind: EntityKind, id: &str) -> EntityRef {
        EntityRef::new(kind, self.system, id)
    }

    /// A change of what `object` implies: made when HubSpot says that the object
    /// was last updated, or when the event happened if it does not say.
    pub(crate) fn change(&self, object: &Fields<'_>, entity: impl Into<Entity>) -> Result<Change> {
        let at = object
            .moment("updatedAt")?
            .unwrap_or_else(|| self.time.to_owned());
        let by = object.object("properties")?.text("hs_updated_by_user_id")?;
        Ok(Change::upsert(entity, at).by(by))
    }
}
