//! How far systems were read.

use rusqlite::{Connection, OptionalExtension as _};

use super::trouble::Trouble;

/// A cursor as it is to be kept.
pub(super) struct Cursor {
    pub(super) name: String,
    pub(super) text: String,
}

/// Keeps a cursor.
pub(super) fn keep(connection: &Connection, cursor: &Cursor) -> Result<(), Trouble> {
    connection
        .prepare_cached(
            "INSERT INTO cursors (name, text) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET text = excluded.text",
        )?
        .execute((&cursor.name, &cursor.text))?;
    Ok(())
}

/// The text of a cursor.
pub(super) fn find(connection: &Connection, name: &str) -> Result<Option<String>, Trouble> {
    let text = connection
        .prepare_cached("SELECT text FROM cursors WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(text)
}
