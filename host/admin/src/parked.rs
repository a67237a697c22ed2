//! What is told of work that waits for a person: by cause, and message by message with who the
//! customer is and what it is worth.
//!
//! The API answers with it, and the command line with the same from the journal's file.
//!
//! # What is not here
//!
//! What operators do about it: that is `api/parked/`.

use cambist_contract::stage::Stage;
use cambist_journal::{
    Event, Journal, JournalError, State,
    journal::{Cause, Claim, Filter},
};

use crate::answer::{Parked, ParkedCause, ParkedMessage};

mod glimpse;
mod way_out;

pub use glimpse::input;
pub use way_out::way_out;

/// Messages on one page, where the call does not say: a screen or two.
pub const PAGE: usize = 50;

/// Most messages on one page. What stages made is read for each, some ten kB of a usual one and
/// 8 MiB of the largest, one after the other.
pub const PAGE_LIMIT: usize = 200;

/// Which messages are looked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those of this code; none for the causes alone.
    pub code: Option<String>,
    /// Only messages of this flow.
    pub flow: Option<String>,
    /// Only messages of this region.
    pub region: Option<String>,
    /// Only messages of this system.
    pub system: Option<String>,
    /// Only messages that arrived before this place: for the next page.
    pub before: Option<u64>,
    /// At most so many messages; see [`PAGE_LIMIT`].
    pub limit: usize,
}

impl Wanted {
    /// The same for the journal, with one message more, which tells whether there is a next page.
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            cause: self.code.clone(),
            flow: self.flow.clone(),
            region: self.region.clone(),
            system: self.system.clone(),
            before: self.before,
            limit: self.limit + 1,
            ..Filter::default()
        }
    }
}

/// What waits for a person: the causes, and for a code its messages.
///
/// # Errors
///
/// The journal cannot be read.
pub async fn overview(journal: &dyn Journal, wanted: &Wanted) -> Result<Parked, JournalError> {
    let causes = journal.causes().await?.into_iter();
    let causes = causes.filter(|cause| wanted.code.as_ref().is_none_or(|code| *code == cause.code));
    let mut parked = Parked {
        causes: causes.map(told).collect(),
        messages: Vec::new(),
        next_before: None,
    };
    if wanted.code.is_none() {
        return Ok(parked);
    }
    let found = journal.list(wanted.filter()).await?;
    let is_last = found.len() <= wanted.limit;
    for status in found.into_iter().take(wanted.limit) {
        parked.next_before = (!is_last).then_some(status.arrival);
        // one at a time: what stages made of all of them may be large
        let claim = journal.message(&status.id).await?;
        parked.messages.extend(claim.as_ref().and_then(message));
    }
    Ok(parked)
}

/// What is told of one message; none for one that does not rest.
pub fn message(claim: &Claim) -> Option<ParkedMessage> {
    let (code, reason) = cause(&claim.status.state)?;
    let stage = claim.entries.last().and_then(|entry| match &entry.event {
        Event::Parked { stage, .. } | Event::Waiting { stage, .. } => Some(*stage),
        _ => None,
    });
    let glimpse = glimpse::of(&claim.entries);
    let edits = claim.entries.iter().filter_map(|entry| entry.event.edit());
    Some(ParkedMessage {
        way_out: way_out(&code).to_owned(),
        status: claim.status.clone(),
        code,
        // policy alone holds
        stage: stage.unwrap_or(Stage::Judge),
        reason,
        customer: glimpse.customer,
        amount: glimpse.amount,
        edits: edits.map(str::to_owned).collect(),
    })
}

fn told(cause: Cause) -> ParkedCause {
    let reason = self::cause(&cause.oldest.state).map(|(_, reason)| reason);
    ParkedCause {
        way_out: way_out(&cause.code).to_owned(),
        code: cause.code,
        stage: cause.stage,
        messages: cause.messages,
        behind: cause.behind,
        oldest: cause.oldest.received_at,
        example: cause.oldest.id,
        reason: reason.unwrap_or_default(),
    }
}

/// Code and reason of a state in which a message rests that has not ended.
fn cause(state: &State) -> Option<(String, String)> {
    match state {
        State::Parked { code, reason } => Some((code.clone(), reason.clone())),
        State::Held { role, reason } => Some(("held".to_owned(), format!("for {role}: {reason}"))),
        State::Waiting { entity } => Some(("waiting".to_owned(), format!("for {entity}"))),
        State::Due { .. } | State::Ignored { .. } | State::Denied { .. } | State::Done => None,
    }
}
