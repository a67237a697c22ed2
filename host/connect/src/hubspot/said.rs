//! HubSpot's error object: of a whole answer, or of one row of a batch.
//!
//! All of its fields may be missing ("Error handling" of HubSpot's documents), so it is read with patience. It decides nothing.

use serde::Deserialize;
use serde_json::Value;

use crate::error;

/// What stands before the list of verdicts, where property values were refused.
const VERDICTS: &str = "Property values were not valid: ";

/// What HubSpot says was wrong.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    /// The kind of error, such as `VALIDATION_ERROR`; empty where it has none.
    pub category: String,
    /// The sentence.
    pub message: String,
    /// What it is about: lists of texts by name.
    context: Value,
}

/// What HubSpot says of one property.
#[derive(Deserialize)]
struct Verdict {
    name: String,
    message: String,
}

impl Said {
    /// The error object in an answer's body; an empty one where there is none.
    pub(crate) fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Whether an object is not there.
    pub(crate) fn is_gone(&self) -> bool {
        self.category == "OBJECT_NOT_FOUND"
    }

    /// Whether another object has a value that must be unique.
    pub(crate) fn is_conflict(&self) -> bool {
        self.category == "CONFLICT"
    }

    /// The texts under a name of its context.
    pub(crate) fn about(&self, name: &str) -> impl Iterator<Item = &str> {
        let list = self.context.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The sentence, fit to be kept.
    pub(crate) fn reason(&self) -> String {
        error::reason(&self.message)
    }

    /// The first property that is named, and what is said of it; the whole sentence where none is.
    pub(crate) fn of_property(&self) -> (Option<String>, String) {
        let verdicts = self.message.strip_prefix(VERDICTS);
        let verdicts: Vec<Verdict> = verdicts
            .and_then(|list| serde_json::from_str(list).ok())
            .unwrap_or_default();
        match verdicts.into_iter().next() {
            Some(verdict) => (Some(verdict.name), error::reason(&verdict.message)),
            None => (None, self.reason()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_property_is_found_in_the_sentence_that_hubspot_documents() {
        let body = json!({
            "status": "error",
            "category": "VALIDATION_ERROR",
            "message": "Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"missing\\\" does not \
                        exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"missing\",\"portalId\":891936587}]",
            "context": {"objectWriteTraceId": ["549b1c2a9351"]},
        });
        let said = Said::of(body.to_string().as_bytes());
        assert_eq!(
            said.about("objectWriteTraceId").collect::<Vec<_>>(),
            ["549b1c2a9351"]
        );
        assert_eq!(
            said.of_property(),
            (
                Some("missing".to_owned()),
                "Property \"missing\" does not exist".to_owned()
            )
        );
    }

    #[test]
    fn a_sentence_without_verdicts_is_kept_as_it_is_and_none_is_no_error() {
        for (body, sentence) in [
            (
                json!({"message": "Contact already exists."}),
                "Contact already exists",
            ),
            (
                json!({"message": "Property values were not valid: many"}),
                "Property values were not valid: many",
            ),
            (json!({"context": null}), ""),
            (json!([]), ""),
        ] {
            let said = Said::of(body.to_string().as_bytes());
            assert_eq!(said.of_property(), (None, sentence.to_owned()));
            assert_eq!(said.about("ids").count(), 0);
        }
        let wrong: Result<Said, _> = serde_json::from_value(json!("text"));
        wrong.unwrap_err();
    }
}
