//! What is looked at before anything of a plan is sent.
//!
//! Names come from a plugin and become part of a path, beside our key: a model such as `..` would lead to another place of the
//! same server. So only what HubSpot itself calls kinds of objects and ids is let through; and nothing is begun that cannot be
//! ended, because HubSpot has no such thing.

use cambist_contract::mapping::{Command, Record, RecordKey};
use serde_json::Value;

use super::{client::HubSpotClient, values};
use crate::ConnectError;

/// Refuses a plan with a command in it that cannot be meant.
///
/// # Errors
///
/// A misfit about the first such command.
pub(crate) fn plan(client: &HubSpotClient, unique: &str, plan: &[Command]) -> Result<(), ConnectError> {
    for command in plan {
        let checked = model(command.model())
            .and_then(|()| key(command.key()))
            .and_then(|()| match command {
                Command::Ensure(wanted) | Command::Upsert(wanted) => record(wanted, unique),
                Command::Remove(_) => Ok(()),
                Command::Act(action) => Err(format!(
                    "`{}` cannot be done to `{}`: HubSpot knows no actions, so a mapping writes properties there",
                    action.name.escape_debug(),
                    action.key.to_string().escape_debug()
                )),
            });
        checked.map_err(|reason| client.misfit(command.model(), &reason))?;
    }
    Ok(())
}

/// Refuses what is no kind of object: small letters, digits, `_` and `-`, such as `companies`, `2-123456`, `p123_projects`.
fn model(name: &str) -> Result<(), String> {
    let is_word = !name.is_empty()
        && name.chars().all(|letter| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '_' | '-')
        });
    is_word.then_some(()).ok_or_else(|| {
        format!(
            "`{}` is no kind of object: write it as HubSpot does, such as `companies` or `2-123456`",
            name.escape_debug()
        )
    })
}

/// Refuses a key by which no object is found.
fn key(key: &RecordKey) -> Result<(), String> {
    match key {
        RecordKey::Own(id) if id.is_empty() || !id.chars().all(|digit| digit.is_ascii_digit()) => {
            Err(format!(
                "`#{}` is no id of HubSpot's: those are numbers; name what is not from there by an external id",
                id.escape_debug()
            ))
        }
        RecordKey::External(id) if id.is_empty() || id.trim() != id || id.chars().any(char::is_control) => {
            Err(format!(
                "`{}` is no external id: write a text of one line, without white space at its ends",
                id.escape_debug()
            ))
        }
        RecordKey::Own(_) | RecordKey::External(_) => Ok(()),
    }
}

/// Refuses values that are no texts, and another external id than the record is found by.
fn record(record: &Record, unique: &str) -> Result<(), String> {
    let properties = values::properties(&record.values).map_err(|name| {
        format!(
            "`{}` of `{}` is a list or an object, and HubSpot's values are texts: write several choices as `a;b`",
            name.escape_debug(),
            record.key.to_string().escape_debug()
        )
    })?;
    match (&record.key, properties.get(unique).and_then(Value::as_str)) {
        (RecordKey::External(id), Some(other)) if other != id => Err(format!(
            "`{unique}` of `{}` is given another value, and the record is found by it: leave it out",
            id.escape_debug()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_of_hubspot_pass_and_ways_to_elsewhere_do_not() {
        for name in ["companies", "line_items", "0-3", "2-123456", "p123_projects"] {
            assert_eq!(model(name), Ok(()), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../../settings",
            "deals/1",
            "Deals",
            "deals%2f",
            "deals?x",
            "é",
            "a b",
        ] {
            assert!(model(name).is_err(), "{name}");
        }
    }

    #[test]
    fn own_ids_are_numbers_and_external_ones_lines_of_text() {
        let own = |id: &str| RecordKey::Own(id.to_owned());
        let external = |id: &str| RecordKey::External(id.to_owned());
        for good in [own("901"), external("odoo-de:res.partner,7"), external("a b")] {
            assert_eq!(key(&good), Ok(()), "{good}");
        }
        for bad in [
            own(""),
            own("../1"),
            own("-1"),
            own("٣"),
            external(""),
            external(" a"),
            external("a\nb"),
        ] {
            assert!(key(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_record_does_not_get_another_name_than_it_is_found_by() {
        let of = |key: RecordKey, id: &str| {
            let values = json!({ "cambist_id": id });
            let record_of = Record {
                model: "companies".to_owned(),
                key,
                values: values.as_object().cloned().unwrap_or_default().into(),
                stands_for: None,
            };
            record(&record_of, "cambist_id").is_ok()
        };
        assert!(of(RecordKey::External("o:7".to_owned()), "o:7"));
        assert!(!of(RecordKey::External("o:7".to_owned()), "o:8"));
        // what HubSpot made may be given a name of ours
        assert!(of(RecordKey::Own("7".to_owned()), "o:8"));
    }
}
