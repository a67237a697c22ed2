//! What the journal knows of what differs: the message that stands in the way, or that is on its way.

use std::collections::BTreeMap;

use cambist_journal::{Journal, JournalError, State, Status, journal::Filter};

use crate::report::{Named, Why};

/// Messages of one question: some forty of each deal.
const LIMIT: usize = 10_000;

/// Differences of one question; it walks past every message once.
const DIFFERENCES: usize = 250;

/// What the journal knows of each of these: by the first object that it knows anything of which has not come to its end well.
///
/// # Errors
///
/// The journal cannot be read.
pub(crate) async fn ask(
    journal: &dyn Journal,
    about: &[Vec<Named>],
) -> Result<Vec<Option<Why>>, JournalError> {
    let mut found = Vec::with_capacity(about.len());
    for some in about.chunks(DIFFERENCES) {
        let filter = Filter {
            objects: Some(some.iter().flatten().map(object).collect()),
            limit: LIMIT,
            ..Filter::default()
        };
        let mut of: BTreeMap<(String, String), Vec<Status>> = BTreeMap::new();
        for status in journal.list(filter).await? {
            let key = (status.system.clone(), status.object.clone());
            of.entry(key).or_default().push(status);
        }
        found.extend(some.iter().map(|named| {
            let mut statuses = named
                .iter()
                .filter_map(|it| of.get(&(it.system.clone(), object(it))));
            statuses.find_map(|statuses| telling(statuses)).map(why)
        }));
    }
    Ok(found)
}

fn object(named: &Named) -> String {
    format!("{}/{}", named.kind, named.id)
}

/// Of an object's messages, the newest first, the one that tells why: the oldest that has not ended, which holds the others
/// up, or else the newest, if it did not come to be done.
fn telling(statuses: &[Status]) -> Option<&Status> {
    let is_open = |status: &&Status| {
        matches!(
            status.state,
            State::Due { .. } | State::Parked { .. } | State::Held { .. } | State::Waiting { .. }
        )
    };
    let open = statuses.iter().rev().find(is_open);
    open.or_else(|| statuses.first().filter(|status| status.state != State::Done))
}

fn why(status: &Status) -> Why {
    let reason = match &status.state {
        State::Due { .. } if status.attempts > 0 => format!("attempt {} failed", status.attempts),
        State::Due { .. } | State::Done => String::new(),
        State::Parked { code, reason } => format!("{code}: {reason}"),
        State::Held { role, reason } => format!("for {role}: {reason}"),
        State::Waiting { entity } => format!("for {entity}"),
        State::Ignored { reason } | State::Denied { reason } => reason.clone(),
    };
    Why {
        message: status.id.clone(),
        state: status.state.name().to_owned(),
        reason,
    }
}
