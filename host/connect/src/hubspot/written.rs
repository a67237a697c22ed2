//! What a batch write answers: what became of each row.
//!
//! 207 says that some rows were written and some not, and 200 does not promise that all were. So each row is looked for among
//! the results and the errors; what is found in neither is unknown, and the caller sends it again, which does no harm.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::said::Said;

/// What became of the rows, by their places in the batch.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Written {
    /// Those that were written, with HubSpot's ids.
    pub done: Vec<(usize, String)>,
    /// Those that were not, with what HubSpot says of each.
    pub wrong: Vec<(usize, Said)>,
    /// Those that nothing is said of.
    pub left: Vec<usize>,
}

#[derive(Deserialize)]
struct Answered {
    results: Vec<Value>,
    #[serde(default)]
    errors: Vec<Value>,
}

/// The text by which HubSpot names a row in its answer, `objectWriteTraceId`: its place in the batch.
pub(crate) fn trace(place: usize) -> String {
    place.to_string()
}

/// Reads an answer to rows that were sent with these ids; `unique` is the property that they are the values of, where they are
/// not HubSpot's own. None when it is no answer to a batch.
pub(crate) fn read(answer: Value, sent: &[&str], unique: Option<&str>) -> Option<Written> {
    let answered: Answered = serde_json::from_value(answer).ok()?;
    let mut written = Written::default();
    let mut known = BTreeSet::new();
    let mut nameless = None;
    for error in answered.errors {
        let said: Said = serde_json::from_value(error).unwrap_or_default();
        let rows = rows_of(&said, sent);
        for row in &rows {
            if known.insert(*row) {
                written.wrong.push((*row, said.clone()));
            }
        }
        if rows.is_empty() {
            nameless.get_or_insert(said);
        }
    }
    for object in &answered.results {
        let Some(id) = object
            .get("id")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty())
        else {
            continue;
        };
        let row = match (sent.len(), answered.results.len()) {
            (1, 1) => Some(0),
            _ => row_of(object, id, sent, unique),
        };
        if let Some(row) = row.filter(|row| known.insert(*row)) {
            written.done.push((row, id.to_owned()));
        }
    }
    written.left = (0..sent.len()).filter(|row| !known.contains(row)).collect();
    // an error that names no row can only be about the one that is left
    if let (&[row], Some(said)) = (written.left.as_slice(), nameless) {
        written.left.clear();
        written.wrong.push((row, said));
    }
    Some(written)
}

/// The rows that an error names, by their traces or by their ids.
fn rows_of(said: &Said, sent: &[&str]) -> BTreeSet<usize> {
    let by_trace = said
        .about("objectWriteTraceId")
        .filter_map(|text| (0..sent.len()).find(|row| trace(*row) == text));
    let by_id = said
        .about("ids")
        .filter_map(|id| sent.iter().position(|sent| *sent == id));
    by_trace.chain(by_id).collect()
}

/// The row that a result is of.
fn row_of(object: &Value, id: &str, sent: &[&str], unique: Option<&str>) -> Option<usize> {
    if let Some(text) = object.get("objectWriteTraceId").and_then(Value::as_str) {
        return (0..sent.len()).find(|row| trace(*row) == text);
    }
    let name = match unique {
        None => id,
        Some(property) => object.get("properties")?.get(property)?.as_str()?,
    };
    sent.iter().position(|sent| *sent == name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(answer: Value, unique: Option<&str>) -> (Vec<(usize, String)>, Vec<usize>, Vec<usize>) {
        let written = read(answer, &["a", "b", "c"], unique).unwrap_or_default();
        let wrong = written.wrong.iter().map(|(row, _)| *row).collect();
        (written.done, wrong, written.left)
    }

    #[test]
    fn rows_are_known_by_their_traces_in_whatever_order() {
        let answer = json!({
            "results": [
                {"id": "12", "objectWriteTraceId": "2"},
                {"id": "10", "objectWriteTraceId": "0"},
            ],
            "errors": [{"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": ["1"]}}],
        });
        let done = vec![(2, "12".to_owned()), (0, "10".to_owned())];
        assert_eq!(outcome(answer, Some("x")), (done, vec![1], vec![]));
    }

    #[test]
    fn rows_without_traces_are_known_by_id_or_by_the_unique_property() {
        let by_id = json!({"results": [{"id": "b"}], "errors": [{"context": {"ids": ["c", "z"]}}]});
        assert_eq!(
            outcome(by_id, None),
            (vec![(1, "b".to_owned())], vec![2], vec![0])
        );
        let by_property = json!({"results": [{"id": "b", "properties": {"x": "c"}}, {"id": "9"}]});
        assert_eq!(
            outcome(by_property, Some("x")),
            (vec![(2, "b".to_owned())], vec![], vec![0, 1])
        );
    }

    #[test]
    fn nothing_passes_for_written_that_is_not_among_the_results() {
        let strangers = json!({"results": [{"id": "1", "objectWriteTraceId": "7"}, {"id": "", "objectWriteTraceId": "0"}]});
        assert_eq!(outcome(strangers, Some("x")), (vec![], vec![], vec![0, 1, 2]));
        // what is both written and refused is not receipted
        let both = json!({
            "results": [{"id": "1", "objectWriteTraceId": "0"}],
            "errors": [{"context": {"objectWriteTraceId": ["0"]}}],
        });
        assert_eq!(outcome(both, Some("x")), (vec![], vec![0], vec![1, 2]));
        assert_eq!(read(json!({}), &["a"], None), None);
    }

    #[test]
    fn an_error_without_a_name_is_of_the_one_row_that_is_left() {
        let answer = json!({
            "results": [{"id": "1", "objectWriteTraceId": "0"}, {"id": "2", "objectWriteTraceId": "2"}],
            "errors": [{"category": "CONFLICT", "context": {}}],
        });
        let done = vec![(0, "1".to_owned()), (2, "2".to_owned())];
        assert_eq!(outcome(answer, Some("x")), (done, vec![1], vec![]));
        let answer = json!({"results": [], "errors": [{"category": "CONFLICT"}]});
        assert_eq!(outcome(answer, Some("x")), (vec![], vec![], vec![0, 1, 2]));
    }
}
