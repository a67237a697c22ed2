//! What a batch read answers: objects, and errors for the rest.
//!
//! An object may be left out for one reason only: HubSpot says that it is not there. Anything else would make a part of a deal
//! pass for the whole, and an order of it would lack lines.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{ConnectError, error::Again};

/// The category of an error about objects that are not there.
const NOT_FOUND: &str = "OBJECT_NOT_FOUND";

/// A batch is not all that was asked for, and not because the rest is gone.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Partial {
    /// It is no answer to a batch.
    NoResults,
    /// An error is of another kind, or about something else.
    Failed,
    /// An object is neither there nor said to be gone.
    LeftOut,
}

#[derive(Deserialize)]
struct Answered {
    results: Vec<Value>,
    #[serde(default)]
    errors: Vec<BatchError>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BatchError {
    category: String,
    context: ErrorContext,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorContext {
    ids: BTreeSet<String>,
}

/// The objects by what they were asked for by: their ids, or the values of a unique property.
///
/// # Errors
///
/// Something is left out that is not said to be gone.
pub(crate) fn read(
    answer: Value,
    asked: &[String],
    unique: Option<&str>,
) -> Result<Map<String, Value>, Partial> {
    let answered: Answered = serde_json::from_value(answer).map_err(|_| Partial::NoResults)?;
    let mut gone = BTreeSet::new();
    for error in answered.errors {
        let of_ours = |id: &String| asked.contains(id);
        if error.category != NOT_FOUND
            || error.context.ids.is_empty()
            || !error.context.ids.iter().all(of_ours)
        {
            return Err(Partial::Failed);
        }
        gone.extend(error.context.ids);
    }
    let mut found = Map::new();
    for object in answered.results {
        let name = match unique {
            None => object.get("id"),
            Some(property) => object.get("properties").and_then(|all| all.get(property)),
        };
        if let Some(name) = name.and_then(Value::as_str) {
            found.insert(name.to_owned(), object);
        }
    }
    match asked
        .iter()
        .all(|name| found.contains_key(name) || gone.contains(name))
    {
        true => Ok(found),
        false => Err(Partial::LeftOut),
    }
}

impl Partial {
    /// The error of a read of such objects; nothing was changed, so that it may be read again.
    pub(crate) fn into_error(self, system: &str, kind: &str) -> ConnectError {
        let (system, again) = (system.to_owned(), Again::Harmless);
        match self {
            Self::NoResults => ConnectError::Strange {
                system,
                what: "a batch without results".to_owned(),
                again,
            },
            Self::Failed => ConnectError::Troubled {
                system,
                what: format!("it could not read some of the {kind}"),
                again,
            },
            Self::LeftOut => ConnectError::Troubled {
                system,
                what: format!("it left out some of the {kind}, and does not say that they are gone"),
                again,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_said_to_be_gone_may_be_missing() {
        let asked = ["801", "899"].map(str::to_owned);
        let error = |category: &str, ids: Value| json!({"status": "error", "category": category, "context": {"ids": ids}});
        let cases = [
            (json!(["801", "899"]), json!([]), Ok(2)),
            (json!(["801"]), json!([error(NOT_FOUND, json!(["899"]))]), Ok(1)),
            (json!(["801"]), json!([]), Err(Partial::LeftOut)),
            (
                json!(["801"]),
                json!([error("INTERNAL_ERROR", json!(["899"]))]),
                Err(Partial::Failed),
            ),
            (
                json!(["801"]),
                json!([error(NOT_FOUND, json!(["7"]))]),
                Err(Partial::Failed),
            ),
            (
                json!(["801"]),
                json!([error(NOT_FOUND, json!([]))]),
                Err(Partial::Failed),
            ),
            (json!(["801"]), json!([{"message": "?"}]), Err(Partial::Failed)),
        ];
        for (found, errors, expected) in cases {
            let results: Vec<Value> = found
                .as_array()
                .map(|ids| ids.iter().map(|id| json!({ "id": id })).collect())
                .unwrap_or_default();
            let answer = json!({"status": "COMPLETE", "results": results, "errors": errors});
            assert_eq!(
                read(answer, &asked, None).map(|objects| objects.len()),
                expected,
                "{errors}"
            );
        }
        assert_eq!(read(json!({}), &asked, None), Err(Partial::NoResults));
    }

    #[test]
    fn what_was_asked_for_by_a_unique_property_is_found_under_its_value() {
        let answer = json!({"results": [{"id": "501", "properties": {"cambist_id": "o:7", "name": "501"}}]});
        let asked = ["o:7".to_owned()];
        let found = read(answer.clone(), &asked, Some("cambist_id")).unwrap_or_default();
        assert_eq!(
            found.get("o:7").and_then(|object| object.get("id")),
            Some(&json!("501"))
        );
        assert_eq!(read(answer, &asked, None), Err(Partial::LeftOut));
    }
}
