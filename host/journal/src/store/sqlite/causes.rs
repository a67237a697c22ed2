//! Why messages rest that have not ended.
//!
//! All of them are counted each time: there are as many as people have not looked at. The
//! stage stands in the entry by which a message came to rest, which is its last one.

use rusqlite::Connection;

use super::{
    column::{Count, Text},
    row::{COLUMNS, StatusRow},
    trouble::Trouble,
};
use crate::journal::Cause;

/// The states of those that rest.
pub(super) const RESTING: &str = "s.state IN ('parked', 'held', 'waiting')";

/// Why one of them rests.
pub(super) const CAUSE: &str = "CASE s.state WHEN 'parked' THEN s.detail ->> '$.code' ELSE s.state END";

/// Each cause with how many rest for it, and the oldest of them.
pub(super) fn causes(connection: &Connection) -> Result<Vec<Cause>, Trouble> {
    // of the columns that are in no aggregate, SQLite gives those of the row that has the least
    let sql = format!(
        "SELECT {COLUMNS}, {CAUSE} AS cause, coalesce(e.event ->> '$.stage', 'judge') AS stage,
                count(*) AS many, min(s.arrival),
                sum(s.head * (SELECT count(*) - 1 FROM status b WHERE b.order_key = s.order_key AND b.open = 1)) AS behind
         FROM status s JOIN messages m USING (arrival) JOIN entries e ON e.place = s.last_place
         WHERE {RESTING} GROUP BY cause, stage ORDER BY many DESC, cause, stage"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Cause {
            oldest: StatusRow::of(row)?.status,
            code: row.get("cause")?,
            stage: row.get::<_, Text<_>>("stage")?.0,
            messages: row.get::<_, Count>("many")?.0,
            behind: row.get::<_, Count>("behind")?.0,
        });
    }
    Ok(found)
}
