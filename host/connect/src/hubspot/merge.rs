//! What a merge event says: which objects are one since, and which.
//!
//! HubSpot sends `primaryObjectId`, the one that was preferred, `mergedObjectIds`, the others,
//! and `newObjectId` where a new object came of it, which it makes of companies and contacts
//! (HubSpot, "New subscription types for webhooks", and the webhooks API's guide). The objects
//! that went are not found any more by their ids, or as the one that is left.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

/// A merge, as its event tells of it.
pub(super) struct Merge {
    /// The object that is left.
    pub(super) left: String,
    /// Those that went, in the order of their ids.
    pub(super) gone: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    primary_object_id: Value,
    #[serde(default)]
    merged_object_ids: Vec<Value>,
    #[serde(default)]
    new_object_id: Value,
}

impl Merge {
    /// Reads it from an event's body; none where that names no ids.
    pub(super) fn read(body: &str) -> Option<Self> {
        let told: Told = serde_json::from_str(body).ok()?;
        let primary = id(&told.primary_object_id)?;
        let left = id(&told.new_object_id).unwrap_or_else(|| primary.clone());
        let mut gone = told
            .merged_object_ids
            .iter()
            .map(id)
            .collect::<Option<BTreeSet<_>>>()?;
        gone.insert(primary);
        gone.remove(&left);
        Some(Self { left, gone })
    }
}

/// An id as text; HubSpot writes numbers, and 0 or nothing for none.
fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let is_id = text.chars().all(|digit| digit.is_ascii_digit()) && !text.trim_start_matches('0').is_empty();
    is_id.then_some(text)
}

/// Whether an event says that objects were merged.
pub(super) fn is_merge(event: &str) -> bool {
    event.ends_with(".merge")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<(String, Vec<String>)> {
        Merge::read(body).map(|merge| (merge.left, merge.gone.into_iter().collect()))
    }

    #[test]
    fn a_new_object_stands_for_all_that_were_merged() {
        let body = r#"{"primaryObjectId": 7, "mergedObjectIds": [9, "8"], "newObjectId": 12}"#;
        assert_eq!(
            read(body).unwrap(),
            ("12".to_owned(), ["7", "8", "9"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn without_a_new_object_the_primary_one_is_left() {
        for new in [
            "",
            r#", "newObjectId": null"#,
            r#", "newObjectId": 0"#,
            r#", "newObjectId": 7"#,
        ] {
            let body = format!(r#"{{"primaryObjectId": 7, "mergedObjectIds": [9, 7]{new}}}"#);
            assert_eq!(
                read(&body).unwrap(),
                ("7".to_owned(), vec!["9".to_owned()]),
                "{new}"
            );
        }
    }

    #[test]
    fn what_names_no_object_is_no_merge() {
        for body in [
            "{}",
            "x",
            r#"{"primaryObjectId": "a/b"}"#,
            r#"{"primaryObjectId": 7, "mergedObjectIds": [{}]}"#,
        ] {
            assert!(read(body).is_none(), "{body}");
        }
    }
}
