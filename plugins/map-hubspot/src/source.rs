//! What every reader needs: whose object it is, and what the region has set.

use cambist_sdk::prelude::*;

use crate::{cleared, settings::Settings};

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

    /// A property as a day: a day as it is written, a moment as the day of the
    /// region that it falls on.
    ///
    /// # Errors
    ///
    /// The property is neither.
    pub(crate) fn day(&self, from: &Fields<'_>, name: &str) -> Result<Option<String>> {
        let Some(text) = from.text(name)? else {
            return Ok(None);
        };
        if is_day(&text) {
            return Ok(Some(text));
        }
        let moment = from.moment(name).ok().flatten();
        moment
            .and_then(|moment| self.settings.utc_offset.day_of(&moment))
            .map(Some)
            .ok_or_else(|| invalid(from.path(name), "must be a date such as 2026-11-22"))
    }

    /// A change of what `object` implies: made when HubSpot says that the object
    /// was last updated, or when the event happened if it does not say.
    /// The fields in `filled` whose properties are empty are to be emptied.
    pub(crate) fn change(
        &self,
        object: &Fields<'_>,
        entity: impl Into<Entity>,
        filled: &[cleared::Filled<'_>],
    ) -> Result<Change> {
        let at = object
            .moment("updatedAt")?
            .unwrap_or_else(|| self.time.to_owned());
        let properties = object.object("properties")?;
        let by = properties.text("hs_updated_by_user_id")?;
        let mut change = Change::upsert(entity, at).by(by);
        change.cleared = cleared::fields(&properties, filled)?;
        Ok(change)
    }
}
