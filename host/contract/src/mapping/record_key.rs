//! What a record is found by at a target, and how it stands where one text is kept of it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// What stands before a target's own id in the text of a key.
const OWN: char = '#';

/// What a record is found by at the target.
///
/// As text an external id stands for itself, and a target's own id behind a `#`: that is
/// how receipts and the journal keep it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKey {
    /// The id that we give it. It does not begin with `#`.
    External(String),
    /// The target's own id of a record that was there before us.
    Own(String),
}

impl RecordKey {
    /// The id, whoever gave it.
    pub fn id(&self) -> &str {
        match self {
            Self::External(id) | Self::Own(id) => id,
        }
    }

    /// The key of a text that was kept.
    pub fn of_text(text: &str) -> Self {
        match text.strip_prefix(OWN) {
            Some(id) => Self::Own(id.to_owned()),
            None => Self::External(text.to_owned()),
        }
    }

    /// Whether it can be told from the other kind as text.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Own(_)) || !self.id().starts_with(OWN)
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::External(id) => f.write_str(id),
            Self::Own(id) => write!(f, "{OWN}{id}"),
        }
    }
}

impl<'de> Deserialize<'de> for RecordKey {
    /// Plans in journals of before the release have an external id as a bare text.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Before(String),
            Now(Now),
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Now {
            External(String),
            Own(String),
        }
        Ok(match Form::deserialize(from)? {
            Form::Before(id) | Form::Now(Now::External(id)) => Self::External(id),
            Form::Now(Now::Own(id)) => Self::Own(id),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::Record;

    #[test]
    fn a_key_is_told_from_the_other_kind_by_its_text() {
        for key in [RecordKey::External("x.901".into()), RecordKey::Own("901".into())] {
            assert!(key.is_plain());
            assert_eq!(RecordKey::of_text(&key.to_string()), key);
        }
        assert!(!RecordKey::External("#901".into()).is_plain());
    }

    #[test]
    fn a_record_that_was_kept_with_a_bare_external_id_is_read() {
        let kept: Record = serde_json::from_value(json!({
            "model": "res.partner", "external-id": "x.1", "values": {},
        }))
        .unwrap();
        let now = json!({"model": "res.partner", "key": {"external": "x.1"}, "values": {}});
        assert_eq!(kept, serde_json::from_value(now.clone()).unwrap());
        assert_eq!(serde_json::to_value(&kept).unwrap(), now);
        let own: RecordKey = serde_json::from_value(json!({"own": "901"})).unwrap();
        assert_eq!(own, RecordKey::Own("901".into()));
    }
}
