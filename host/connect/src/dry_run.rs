//! The target that keeps nothing: it shows what would be done.
//!
//! It has no state, so it neither knows nor says what a real target has already; the pipeline leaves the decision to it all
//! the same, which is how a dry run takes exactly the way of a real delivery.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cambist_contract::{
    delivery::{Effect, Receipt},
    digest::Digest,
    mapping::{Command, Record},
};
use serde_json::{Map, Value};

use crate::{
    ConnectError,
    target::{DeliverError, Target, digest_of},
};

/// The dry-run target.
#[derive(Clone, Copy, Debug, Default)]
pub struct DryRun;

#[async_trait]
impl Target for DryRun {
    /// Gives a receipt "shown" for each command, or "unchanged" for one whose digest is the one last written, when the
    /// target was no dry run yet: what is shown is not taken for written.
    async fn deliver(
        &self,
        plan: &[Command],
        written: &[Option<Digest>],
    ) -> Result<Vec<Receipt>, DeliverError> {
        let before = written.iter().copied().chain(std::iter::repeat(None));
        Ok(plan
            .iter()
            .zip(before)
            .map(|(command, before)| receipt(command, before))
            .collect())
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

fn receipt(command: &Command, before: Option<Digest>) -> Receipt {
    let (digest, stands_for) = match command {
        Command::Ensure(record) | Command::Upsert(record) => {
            (Some(digest_of(record)), record.stands_for.clone())
        }
        Command::Act(_) | Command::Remove(_) => (None, None),
    };
    Receipt {
        model: command.model().to_owned(),
        external_id: command.key().to_string(),
        effect: if digest.is_some() && digest == before {
            Effect::Unchanged
        } else {
            Effect::Shown
        },
        target_id: None,
        written: digest,
        stands_for,
        fields: BTreeMap::new(),
    }
}

/// A command as a person reads it: one line of what, then one line per field.
///
/// It shows values, so it is for the screen of whoever asked, never for a log.
pub fn render(command: &Command) -> String {
    match command {
        Command::Ensure(record) => record_lines("ensure", record),
        Command::Upsert(record) => record_lines("upsert", record),
        Command::Act(action) => {
            let mut lines = format!("act    {} {}: {}\n", action.model, action.key, action.name);
            if !action.arguments.is_empty() {
                lines.push_str(&format!("         with {}\n", state(&action.arguments)));
            }
            lines.push_str(&format!(
                "         from {}\n           to {}\n",
                state(&action.from),
                state(&action.to)
            ));
            lines
        }
        Command::Remove(name) => format!("remove {} {}\n", name.model, name.key),
    }
}

fn record_lines(verb: &str, record: &Record) -> String {
    let width = record
        .values
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    let mut lines = format!("{verb} {} {}\n", record.model, record.key);
    for (name, value) in record.values.iter() {
        lines.push_str(&format!("         {name:width$}  {}\n", shown(value)));
    }
    lines
}

/// A state as a person reads it: `state=draft, amount_total=119.00`.
pub(crate) fn state(fields: &Map<String, Value>) -> String {
    if fields.is_empty() {
        return "any state".to_owned();
    }
    fields
        .iter()
        .map(|(name, value)| format!("{name}={}", shown(value)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_contract::{
        JsonObject,
        mapping::{Action, RecordKey, RecordName},
    };
    use serde_json::json;

    use super::*;

    fn plan() -> Vec<Command> {
        let fields = |value: Value| JsonObject::from(value.as_object().cloned().unwrap());
        vec![
            Command::Upsert(Record {
                model: "res.partner".to_owned(),
                key: RecordKey::External("hub.acc_1".to_owned()),
                values: fields(json!({"name": "Muster GmbH", "is_company": true})),
                stands_for: None,
            }),
            Command::Act(Action {
                model: "sale.order".to_owned(),
                key: RecordKey::External("hub.so_1".to_owned()),
                name: "action_confirm".to_owned(),
                arguments: JsonObject::default(),
                from: fields(json!({"state": "draft", "amount_total": "119.00"})),
                to: fields(json!({"state": "sale"})),
            }),
            Command::Remove(RecordName {
                model: "companies".to_owned(),
                key: RecordKey::Own("901".to_owned()),
            }),
        ]
    }

    #[tokio::test]
    async fn everything_is_shown_and_what_was_shown_before_is_unchanged() -> anyhow::Result<()> {
        let receipts = DryRun.deliver(&plan(), &[]).await?;
        assert_eq!(
            receipts.iter().map(|receipt| receipt.effect).collect::<Vec<_>>(),
            [Effect::Shown; 3]
        );
        let written: Vec<_> = receipts.iter().map(|receipt| receipt.written).collect();
        let again = DryRun.deliver(&plan(), &written).await?;
        assert_eq!(
            again.iter().map(|receipt| receipt.effect).collect::<Vec<_>>(),
            [Effect::Unchanged, Effect::Shown, Effect::Shown]
        );
        Ok(())
    }

    #[test]
    fn commands_read_like_sentences() {
        let text: String = plan().iter().map(render).collect();
        assert_eq!(
            text,
            "upsert res.partner hub.acc_1\n\
             \x20        name        Muster GmbH\n\
             \x20        is_company  true\n\
             act    sale.order hub.so_1: action_confirm\n\
             \x20        from state=draft, amount_total=119.00\n\
             \x20          to state=sale\n\
             remove companies #901\n"
        );
    }
}
