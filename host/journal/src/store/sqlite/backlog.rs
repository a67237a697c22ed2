//! Backlogs: whose messages are due, the next ones of each, and how many stand where.
//!
//! What a backlog is called in the file, and the index behind it, are in `queue.sql`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::{
    column::{Count, nanoseconds},
    trouble::Trouble,
};
use crate::journal::{Backlog, Standing};

/// Between the parts of a backlog's text; no name in a config has it.
const BETWEEN: char = '\u{1f}';

/// What messages are counted by.
macro_rules! counted {
    () => {
        "coalesce(flow, '') || char(31) || coalesce(region, system)"
    };
}

/// A message's backlog, as the index has it. The kind of an object is what is before the slash.
macro_rules! backlog {
    () => {
        concat!(
            counted!(),
            " || char(31) || iif(flow IS NULL, event || ' ' || substr(object, 1, instr(object, '/') - 1), '')"
        )
    };
}

/// The backlog behind another one, in the order of their texts.
const BEHIND: &str = concat!(
    "SELECT ",
    backlog!(),
    " FROM status
     WHERE head = 1 AND due_ns IS NOT NULL AND ",
    backlog!(),
    " > ?1
     ORDER BY ",
    backlog!(),
    " LIMIT 1"
);

/// The heads of keys of a backlog that are due, the longest due first.
const DUE: &str = concat!(
    "SELECT arrival, order_key FROM status
     WHERE head = 1 AND due_ns IS NOT NULL AND ",
    backlog!(),
    " = ?1 AND due_ns <= ?2
     ORDER BY due_ns, arrival"
);

/// The text of a backlog in the file.
pub(super) fn text(backlog: &Backlog) -> String {
    format!(
        "{}{BETWEEN}{}{BETWEEN}{}",
        backlog.flow.as_deref().unwrap_or_default(),
        backlog.of,
        backlog.event.as_deref().unwrap_or_default(),
    )
}

/// The backlog of a text that messages are counted by.
fn counted(text: &str) -> Backlog {
    let (flow, of) = text.split_once(BETWEEN).unwrap_or(("", text));
    Backlog {
        flow: Some(flow.to_owned()).filter(|flow| !flow.is_empty()),
        of: of.to_owned(),
        event: None,
    }
}

/// The texts of all backlogs with a message that is due now or later. A step in the index for each.
pub(super) fn all(connection: &Connection) -> Result<Vec<String>, Trouble> {
    let mut statement = connection.prepare_cached(BEHIND)?;
    let mut all: Vec<String> = Vec::new();
    loop {
        let last = all.last().map_or("", String::as_str);
        match statement.query_row([last], |row| row.get(0)).optional()? {
            Some(next) => all.push(next),
            None => return Ok(all),
        }
    }
}

/// Walks the heads of keys of a backlog that are due at `now`, the longest due first, for as long as `take` answers true to a
/// message's arrival and its key.
pub(super) fn walk_due(
    connection: &Connection,
    backlog: &str,
    now: Timestamp,
    mut take: impl FnMut(u64, String) -> bool,
) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(DUE)?;
    let mut rows = statement.query((backlog, nanoseconds(now)))?;
    while let Some(row) = rows.next()? {
        if !take(row.get::<_, Count>(0)?.0, row.get(1)?) {
            break;
        }
    }
    Ok(())
}

/// How many messages of each backlog are in each state.
pub(super) fn standing(connection: &Connection) -> Result<Vec<Standing>, Trouble> {
    let mut statement =
        connection.prepare_cached("SELECT backlog, state, messages FROM standing WHERE messages > 0")?;
    let mut rows = statement.query([])?;
    let mut all: BTreeMap<Backlog, BTreeMap<String, u64>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let backlog = counted(&row.get::<_, String>(0)?);
        let messages = row.get::<_, Count>(2)?.0;
        all.entry(backlog).or_default().insert(row.get(1)?, messages);
    }
    let told = |(backlog, by_state)| Standing { backlog, by_state };
    Ok(all.into_iter().map(told).collect())
}

/// Whether the counts are those of the states; for a check. Files that were never opened for writing since have none.
pub(super) fn fits(connection: &Connection) -> Result<bool, Trouble> {
    if !connection.table_exists(None, "standing")? {
        return Ok(true);
    }
    Ok(connection.query_row(
        concat!(
            "SELECT NOT EXISTS (SELECT ",
            counted!(),
            ", state, count(*) FROM status GROUP BY 1, 2
                                EXCEPT SELECT backlog, state, messages FROM standing)
                AND (SELECT count(*) FROM status) = (SELECT coalesce(sum(messages), 0) FROM standing)"
        ),
        [],
        |row| row.get(0),
    )?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// What SQLite does for a query, a line each step.
    fn plan(sql: &str) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        connection.execute_batch(include_str!("queue.sql")).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        for at in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(at, 0).unwrap();
        }
        let mut rows = statement.raw_query();
        let mut plan = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get(3).unwrap());
        }
        plan
    }

    #[test]
    fn a_claim_takes_steps_in_its_index_and_nothing_is_sorted() {
        assert_eq!(plan(BEHIND), ["SEARCH status USING INDEX due_in_turn (<expr>>?)"]);
        assert_eq!(
            plan(DUE),
            ["SEARCH status USING INDEX due_in_turn (<expr>=? AND due_ns>? AND due_ns<?)"]
        );
    }

    #[test]
    fn the_text_of_what_is_counted_leads_back_to_it() {
        for (flow, of, text) in [
            (None, "crm", "\u{1f}crm"),
            (Some("won-deals"), "de", "won-deals\u{1f}de"),
        ] {
            let backlog = Backlog {
                flow: flow.map(str::to_owned),
                of: of.to_owned(),
                event: None,
            };
            assert_eq!(counted(text), backlog);
        }
    }
}
