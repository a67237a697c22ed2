//! Which commands of a plan go in one call.
//!
//! Only neighbours of one kind, one model and the same columns: the plan's order says what must be there before what, and
//! `load` empties a column that a row does not fill.

use std::collections::BTreeSet;

use cambist_contract::mapping::{Command, Record, RecordKey};

use super::load::BATCH;

/// How many commands from the first on go together; at least one, unless there is none.
pub(crate) fn length(commands: &[Command]) -> usize {
    let Some(first) = commands.first() else { return 0 };
    let together = |other: &&Command| match (first, *other) {
        (Command::Ensure(first), Command::Ensure(other))
        | (Command::Upsert(first), Command::Upsert(other)) => Shape::of(first) == Shape::of(other),
        _ => false,
    };
    1 + commands
        .iter()
        .skip(1)
        .take(BATCH - 1)
        .take_while(together)
        .count()
}

/// What rows of one call have in common.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Shape {
    model: String,
    /// Whether they are found by Odoo's own ids.
    is_own: bool,
    columns: BTreeSet<String>,
}

impl Shape {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            model: record.model.clone(),
            is_own: matches!(record.key, RecordKey::Own(_)),
            columns: record.values.keys().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn upsert(model: &str, columns: &[&str]) -> Command {
        Command::Upsert(Record {
            model: model.to_owned(),
            key: RecordKey::External("hub.x".to_owned()),
            values: columns
                .iter()
                .map(|name| ((*name).to_owned(), json!(1)))
                .collect::<Map<_, _>>()
                .into(),
            stands_for: None,
        })
    }

    #[test]
    fn neighbours_alike_go_together_and_others_do_not() {
        let plan = [
            upsert("a", &["x", "y"]),
            upsert("a", &["y", "x"]),
            upsert("a", &["x"]),
            upsert("b", &["x"]),
        ];
        assert_eq!(length(&plan), 2);
        assert_eq!(length(plan.get(2..).unwrap_or_default()), 1);
        assert_eq!(length(&[]), 0);
    }

    #[test]
    fn at_most_a_hundred_go_together() {
        let plan = vec![upsert("a", &["x"]); 250];
        assert_eq!(length(&plan), BATCH);
    }
}
