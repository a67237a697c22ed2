//! What is kept beside the chain, because it is no evidence.

use rusqlite::Connection;

use super::{
    cursors::{self, Cursor},
    heard::{self, Hearing},
    reports,
    trouble::Trouble,
};
use crate::reports::Report;

/// Something to keep.
pub(super) enum Note {
    Cursor(Cursor),
    Heard(Hearing),
    Reports(Vec<Report>),
}

impl Note {
    /// About how many bytes it is.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Cursor(cursor) => cursor.text.len(),
            // a name, a field, a digest and a message's id each
            Self::Heard(hearing) => hearing.says.iter().map(|(_, fields)| 150 * fields.len()).sum(),
            Self::Reports(reports) => reports.iter().map(|report| report.text.len()).sum(),
        }
    }

    pub(super) fn keep(&self, connection: &Connection) -> Result<(), Trouble> {
        match self {
            Self::Cursor(cursor) => cursors::keep(connection, cursor),
            Self::Heard(hearing) => heard::keep(connection, hearing),
            Self::Reports(all) => all
                .iter()
                .try_for_each(|report| reports::keep(connection, report)),
        }
    }
}
