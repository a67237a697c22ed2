//! Writing rows of one kind of object: by HubSpot's own ids, or by the unique property.
//!
//! HubSpot may refuse a whole batch for one of its rows, and need not say for which. Such a batch is sent again in halves, until
//! the bad row is by itself: the others are then written, and the error names that one. Nothing of it does harm twice, because
//! the same row gives the same values to the same object.

use cambist_contract::{
    delivery::{Effect, NextTry},
    mapping::{Record, RecordKey},
};
use serde_json::{Value, json};

use super::{
    client::{API, HubSpotClient, Wrote},
    receipts::Receipts,
    said::Said,
    values,
    written::{self, Written},
};
use crate::{ConnectError, error::Again, target::digest_of};

/// After so many refused rows of one batch the rest is left. One row has its own fault; ten have one in common, such as
/// a property that was never made, and each costs some calls of the account's share.
const REFUSALS: usize = 10;

/// A row that is to be written: its place in the plan, and the record.
pub(crate) type Row<'p> = (usize, &'p Record);

/// Rows that are sent together.
struct Group<'p> {
    rows: Vec<Row<'p>>,
    /// Whether they were sent by themselves before.
    again: bool,
}

/// How rows of one kind are sent.
struct Way<'c> {
    client: &'c HubSpotClient,
    model: &'c str,
    /// The property that keys are values of; none where they are HubSpot's ids.
    unique: Option<&'c str>,
}

/// Writes rows of one model and one kind of key, as many as a batch takes at most, and receipts each that is written.
///
/// # Errors
///
/// Rows were refused: the first of them in the plan's order is named, and all others are written, unless too many were refused.
/// Or HubSpot gave no answer, or not about each row.
pub(crate) async fn write<'p>(
    client: &HubSpotClient,
    unique: &str,
    rows: Vec<Row<'p>>,
    receipts: &mut Receipts<'p>,
) -> Result<(), ConnectError> {
    let Some((_, first)) = rows.first() else {
        return Ok(());
    };
    let way = Way {
        client,
        model: &first.model,
        unique: matches!(first.key, RecordKey::External(_)).then_some(unique),
    };
    let mut refused: Vec<(usize, ConnectError)> = Vec::new();
    let mut groups = vec![Group { rows, again: false }];
    while let Some(group) = groups.pop() {
        let outcome = match way.send(&group.rows).await? {
            Wrote::Refused(_) if group.rows.len() > 1 => {
                halve(group.rows, &mut groups);
                continue;
            }
            Wrote::Refused(said) => Written {
                wrong: vec![(0, said)],
                ..Written::default()
            },
            Wrote::Answer(answer) => way.read(answer, &group.rows)?,
        };
        for (at, id) in outcome.done {
            if let Some((place, record)) = group.rows.get(at) {
                receipts.done(*place, Effect::Written, Some(id), Some(digest_of(record)));
            }
        }
        for (at, said) in outcome.wrong {
            let Some(row) = group.rows.get(at).copied() else {
                continue;
            };
            // somebody may have made the same object in between: then it is found this time
            if said.is_conflict() && !group.again {
                let rows = vec![row];
                groups.push(Group { rows, again: true });
                continue;
            }
            let error = way.fault(row.1, &said);
            if error.next_try() != NextTry::Park {
                return Err(error);
            }
            refused.push((row.0, error));
        }
        let left: Vec<Row<'p>> = outcome
            .left
            .iter()
            .filter_map(|at| group.rows.get(*at).copied())
            .collect();
        match left.len() {
            0 => {}
            1 if group.rows.len() == 1 => return Err(way.left_out()),
            some if some == group.rows.len() => halve(left, &mut groups),
            _ => groups.push(Group {
                rows: left,
                again: false,
            }),
        }
        if refused.len() >= REFUSALS {
            break;
        }
    }
    let first = refused.into_iter().min_by_key(|(place, _)| *place);
    first.map_or(Ok(()), |(_, error)| Err(error))
}

/// Puts a group back as two, the first of which comes first.
fn halve<'p>(mut rows: Vec<Row<'p>>, groups: &mut Vec<Group<'p>>) {
    let second = rows.split_off(rows.len() / 2);
    for rows in [second, rows] {
        groups.push(Group { rows, again: false });
    }
}

impl Way<'_> {
    async fn send(&self, rows: &[Row<'_>]) -> Result<Wrote, ConnectError> {
        let mut inputs = Vec::new();
        for (at, (_, record)) in rows.iter().enumerate() {
            inputs.push(self.input(at, record)?);
        }
        let verb = if self.unique.is_some() { "upsert" } else { "update" };
        let path = format!("{API}/{}/batch/{verb}", self.model);
        self.client
            .write(&path, &json!({ "inputs": inputs }), self.model)
            .await
    }

    fn input(&self, at: usize, record: &Record) -> Result<Value, ConnectError> {
        let misfit = |name: String| self.client.misfit(self.model, &format!("`{name}` is no text"));
        let mut properties = values::properties(&record.values).map_err(misfit)?;
        let (id, trace) = (record.key.id(), written::trace(at));
        Ok(match self.unique {
            None => json!({"id": id, "properties": properties, "objectWriteTraceId": trace}),
            Some(unique) => {
                // an object that is made without it would be made again next time
                properties.insert(unique.to_owned(), Value::from(id));
                json!({"id": id, "idProperty": unique, "properties": properties, "objectWriteTraceId": trace})
            }
        })
    }

    fn read(&self, answer: Value, rows: &[Row<'_>]) -> Result<Written, ConnectError> {
        let sent: Vec<&str> = rows.iter().map(|(_, record)| record.key.id()).collect();
        written::read(answer, &sent, self.unique).ok_or_else(|| ConnectError::Strange {
            system: self.client.system().to_owned(),
            what: "a batch without results".to_owned(),
            again: Again::Harmless,
        })
    }

    /// What it means that a row was not written.
    fn fault(&self, record: &Record, said: &Said) -> ConnectError {
        let system = self.client.system().to_owned();
        let (field, reason) = said.of_property();
        match said.category.as_str() {
            "OBJECT_NOT_FOUND" if self.unique.is_none() => ConnectError::Gone {
                system,
                what: format!("{} {}", self.model, record.key.id()),
            },
            "MISSING_SCOPES" => ConnectError::NotAllowed { system, reason },
            "RATE_LIMITS" => ConnectError::Busy { system, wait: None },
            "INTERNAL_ERROR" => ConnectError::Troubled {
                system,
                what: format!("INTERNAL_ERROR about some of the {}", self.model),
                again: Again::Harmless,
            },
            category => ConnectError::Refused {
                system,
                model: self.model.to_owned(),
                external_id: record.key.to_string(),
                field,
                reason: match (reason.is_empty(), category) {
                    (false, _) => reason,
                    (true, "") => "it gives no reason".to_owned(),
                    (true, category) => crate::error::reason(category),
                },
            },
        }
    }

    fn left_out(&self) -> ConnectError {
        ConnectError::Troubled {
            system: self.client.system().to_owned(),
            what: format!(
                "it does not say what became of one of the {} that it was to write",
                self.model
            ),
            again: Again::Harmless,
        }
    }
}
