//! What `load` answers: ids, or the messages that say why there are none.
//!
//! The status is 200 in both cases. What counts is `ids`: a list, or `false`.

use serde::Deserialize;
use serde_json::Value;

use super::answer::{self, Fault};
use crate::error::reason;

/// Why there are no ids. Nothing was written: all or nothing is Odoo's promise.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum NoIds {
    /// It has nothing to do with a row.
    Fault(Fault),
    /// A row was refused.
    Row {
        /// Its place in the call.
        index: usize,
        /// The field it is about, where Odoo says it.
        field: Option<String>,
        /// Odoo's own sentence.
        reason: String,
    },
}

#[derive(Deserialize)]
struct Loaded {
    ids: Value,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
    /// The row's index, counted from zero.
    #[serde(default)]
    record: Option<usize>,
    /// Named for what a column says; absent or false for what a rule or the database says.
    #[serde(default)]
    field: Value,
}

/// The ids of `rows` rows, in their order.
///
/// # Errors
///
/// Nothing was written.
pub(crate) fn read(answer: Value, rows: usize) -> Result<Vec<i64>, NoIds> {
    let strange = |what: &str| NoIds::Fault(Fault::Strange(what.to_owned()));
    let loaded: Loaded =
        serde_json::from_value(answer).map_err(|_| strange("another answer than `load` gives"))?;
    let ids: Option<Vec<i64>> = loaded
        .ids
        .as_array()
        .and_then(|ids| ids.iter().map(Value::as_i64).collect());
    if let Some(ids) = ids.filter(|ids| ids.len() == rows) {
        return Ok(ids);
    }
    let errors: Vec<&Message> = loaded
        .messages
        .iter()
        .filter(|message| message.kind != "warning")
        .collect();
    let passing = errors
        .iter()
        .filter(|error| error.of_no_column())
        .find_map(|error| answer::passing_in_load(&error.message));
    if let Some(fault) = passing {
        return Err(NoIds::Fault(fault));
    }
    let error = guilty(&errors).ok_or_else(|| strange("neither ids nor a reason"))?;
    Err(NoIds::Row {
        index: error.record.unwrap_or_default(),
        field: error.field.as_str().map(str::to_owned),
        reason: reason(&error.message),
    })
}

/// The first error that names the row it is about.
///
/// Odoo creates the rows together first. When a rule forbids that, it tries them one by one, puts what it finds behind what it
/// has found before, and in front of all of it what it was told for the rows together, in the name of the first of them
/// (`load` in `odoo/orm/models.py`). Such an error in front is known by its likeness to a later one of another row, or, should
/// a rule speak of several rows in other words than of one, by its place.
fn guilty<'m>(errors: &[&'m Message]) -> Option<&'m Message> {
    let mut rest = errors;
    while let [error, later @ ..] = rest {
        let by_itself = |other: &&&Message| other.of_no_column() && other.record != error.record;
        let mut others = later.iter().filter(by_itself);
        let for_others = match error.record {
            Some(0) | None => others.next().is_some(),
            Some(_) => others.any(|other| other.message == error.message),
        };
        if !(error.of_no_column() && for_others) {
            return Some(error);
        }
        rest = later;
    }
    None
}

impl Message {
    /// Whether it is about the row as a whole: rules and the database speak so, columns name their field.
    fn of_no_column(&self) -> bool {
        !self.field.is_string()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(record: usize, field: Option<&str>, message: &str) -> Value {
        let mut error = json!({"rows": {"from": record, "to": record}, "type": "error", "record": record, "message": message});
        if let (Some(field), Some(error)) = (field, error.as_object_mut()) {
            error.insert("field".to_owned(), json!(field));
        }
        error
    }

    fn refused(messages: &[Value]) -> NoIds {
        read(json!({"ids": false, "messages": messages, "nextrow": 0}), 9).unwrap_err()
    }

    fn row(messages: &[Value]) -> usize {
        match refused(messages) {
            NoIds::Row { index, .. } => index,
            NoIds::Fault(fault) => unreachable!("{fault:?}"),
        }
    }

    #[test]
    fn the_row_is_the_one_that_is_bad_by_itself_and_not_the_first_of_its_batch() {
        let no_name = "Contacts require a name";
        let nope = "No matching record found for external id 'hub.nope' in field 'Contact'";
        let cases = [
            // recorded: three contacts, the third with a wrong VAT number
            (vec![error(0, None, "DE1?"), error(2, None, "DE1?")], 2),
            // a rule that names all bad rows at once
            (
                vec![
                    error(0, None, "DE1, DE2?"),
                    error(1, None, "DE1?"),
                    error(2, None, "DE2?"),
                ],
                1,
            ),
            // a second batch of one call: its blame stands in front of the first one's
            (
                vec![
                    error(3, None, "late"),
                    error(0, None, "early"),
                    error(1, None, "early"),
                    error(4, None, "late"),
                ],
                1,
            ),
            // what a column says is about its row
            (
                vec![error(1, Some("parent_id"), nope), error(2, None, no_name)],
                1,
            ),
            // the first row is bad, and the next only because it refers to it
            (
                vec![error(0, None, no_name), error(1, Some("parent_id"), nope)],
                0,
            ),
            (vec![error(0, None, no_name)], 0),
            (vec![error(5, None, no_name)], 5),
        ];
        for (messages, expected) in cases {
            assert_eq!(row(&messages), expected, "{messages:?}");
        }
    }

    #[test]
    fn trouble_that_passes_is_not_held_against_a_row() {
        let cases = [
            (
                "could not serialize access due to concurrent update\n",
                Fault::Contended,
            ),
            ("deadlock detected\nDETAIL:  Process 1 waits", Fault::Contended),
            // recorded: two customers with one PAN at once
            (
                "duplicate key value violates unique constraint \"l10n_in_pan_entity_name_uniq\"\nDETAIL:  Key (name)=(AAPFU0939F) \
                 already exists.\n",
                Fault::Contended,
            ),
            (
                "Unknown error during import: <class 'Exception'>: CPU time limit exceeded.",
                Fault::Troubled("builtins.Exception".to_owned()),
            ),
            (
                "Unknown error during import: <class 'MemoryError'>: ",
                Fault::Troubled("builtins.MemoryError".to_owned()),
            ),
            // in another language the class is the same
            (
                "Unbekannter Fehler beim Import: <class 'odoo.exceptions.ConcurrencyError'>: ?",
                Fault::Contended,
            ),
            (
                "Unknown database error: 'current transaction is aborted, commands ignored until end of transaction block\n'",
                Fault::TakenBack("psycopg2.errors.InFailedSqlTransaction".to_owned()),
            ),
            (
                "could not extend file \"base/1/2\": No space left on device\nHINT:  Check free disk space.\n",
                Fault::TakenBack("psycopg2.errors.DiskFull".to_owned()),
            ),
        ];
        for (message, fault) in cases {
            let messages = [error(0, None, "Contacts require a name"), error(1, None, message)];
            assert_eq!(refused(&messages), NoIds::Fault(fault), "{message}");
        }
    }

    #[test]
    fn what_a_row_itself_is_to_blame_for_stays_with_it() {
        for message in [
            "Unknown error during import: <class 'ValueError'>: Wrong value for res.partner.type: 'bogus'",
            "Unknown error during import: <class 'Exception'>: no such thing",
            "invalid input syntax for type integer: \"red\"",
            // a value that two records may not share
            "The value for 'default_code' (Internal Reference) already exists.\n\nDetail: Key (default_code)=(7) already exists.\n",
        ] {
            assert_eq!(row(&[error(3, None, message)]), 3, "{message}");
        }
        // a value that reads like trouble
        let value = "No matching record found for name 'deadlock detected' in field 'Country'";
        assert_eq!(row(&[error(3, Some("country_id"), value)]), 3);
    }

    #[test]
    fn a_warning_is_no_reason_and_none_is_strange() {
        let warning = json!({"type": "warning", "message": "Found more than 10 errors"});
        assert_eq!(row(&[error(1, None, "a"), warning.clone()]), 1);
        let none = NoIds::Fault(Fault::Strange("neither ids nor a reason".to_owned()));
        assert_eq!(refused(&[warning]), none);
    }

    #[test]
    fn ids_count_when_there_is_one_for_each_row() {
        let answer = |ids: Value| json!({"ids": ids, "messages": [], "nextrow": 0});
        assert_eq!(read(answer(json!([15, 16])), 2).unwrap(), [15, 16]);
        for ids in [json!([15]), json!(["15", "16"]), json!(false)] {
            assert!(read(answer(ids.clone()), 2).is_err(), "{ids}");
        }
        assert!(read(json!("?"), 2).is_err());
    }
}
