//! Which commands of a plan go in one call.
//!
//! Only neighbours of one kind and one model that are found in the same way: the plan's order says what must be there before
//! what, and a call names either HubSpot's ids or the values of one property. A key that comes again begins another call,
//! because HubSpot refuses a batch that names an object twice.

use std::collections::BTreeSet;

use cambist_contract::mapping::{Command, RecordKey};

use super::client::BATCH;

/// How many commands from the first on go together; at least one, unless there is none.
pub(crate) fn length(commands: &[Command]) -> usize {
    let Some(first) = commands.first() else { return 0 };
    let mut keys = BTreeSet::new();
    commands
        .iter()
        .take(BATCH)
        .take_while(|other| alike(first, other) && keys.insert(other.key()))
        .count()
}

fn alike(first: &Command, other: &Command) -> bool {
    let one_kind = matches!(
        (first, other),
        (Command::Ensure(_), Command::Ensure(_))
            | (Command::Upsert(_), Command::Upsert(_))
            | (Command::Remove(_), Command::Remove(_))
            | (Command::Act(_), Command::Act(_))
    );
    one_kind && first.model() == other.model() && is_own(first.key()) == is_own(other.key())
}

fn is_own(key: &RecordKey) -> bool {
    matches!(key, RecordKey::Own(_))
}

#[cfg(test)]
mod tests {
    use cambist_contract::{
        JsonObject,
        mapping::{Record, RecordName},
    };

    use super::*;

    fn upsert(model: &str, key: RecordKey) -> Command {
        Command::Upsert(Record {
            model: model.to_owned(),
            key,
            values: JsonObject::default(),
            stands_for: None,
        })
    }

    fn own(id: &str) -> RecordKey {
        RecordKey::Own(id.to_owned())
    }

    fn external(id: &str) -> RecordKey {
        RecordKey::External(id.to_owned())
    }

    #[test]
    fn neighbours_alike_go_together_until_a_key_comes_again() {
        let remove = Command::Remove(RecordName {
            model: "deals".to_owned(),
            key: own("4"),
        });
        let plan = [
            upsert("deals", own("1")),
            upsert("deals", own("2")),
            upsert("deals", own("1")),
            upsert("deals", external("1")),
            upsert("companies", external("1")),
            remove,
        ];
        let mut lengths = Vec::new();
        let mut at = 0;
        while let Some(rest) = plan.get(at..).filter(|rest| !rest.is_empty()) {
            lengths.push(length(rest));
            at += length(rest);
        }
        assert_eq!(lengths, [2, 1, 1, 1, 1]);
        assert_eq!(length(&[]), 0);
    }

    #[test]
    fn at_most_a_hundred_go_together() {
        let plan: Vec<Command> = (0..250)
            .map(|number| upsert("deals", own(&number.to_string())))
            .collect();
        assert_eq!(length(&plan), BATCH);
    }
}
