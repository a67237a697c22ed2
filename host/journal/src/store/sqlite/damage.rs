//! Whether the file was found to be damaged.
//!
//! SQLite says so of the page that it happens to read. What else is damaged it cannot say,
//! so nothing is written to such a file any more; and it does not mend by itself, so the
//! finding stays until the journal is opened again.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use crate::JournalError;

/// What readers and the writer of one journal know of damage.
#[derive(Clone, Default)]
pub(super) struct Damage {
    /// What SQLite said when somebody first met it.
    found: Arc<OnceLock<String>>,
}

impl Damage {
    /// Keeps in mind that this was met, if it is damage.
    pub(super) fn note(&self, error: &JournalError) {
        if let JournalError::Damaged { detail, .. } = error
            && self.found.set(detail.clone()).is_ok()
        {
            tracing::error!(%error, "nothing is taken in or worked on until the journal is whole");
        }
    }

    /// Fails once damage was met.
    pub(super) fn none(&self, path: &Path) -> Result<(), JournalError> {
        self.found.get().map_or(Ok(()), |detail| {
            Err(JournalError::Damaged {
                path: path.display().to_string(),
                detail: detail.clone(),
            })
        })
    }
}
