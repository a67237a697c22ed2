//! Where a message stands: what its entries come to.

use cambist_contract::{canonical::EntityRef, message::MessageId, stage::Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{erasure::Extent, journal::Backlog};

/// Where a message stands.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// It is to be worked on, not before `at`.
    Due {
        /// Not before.
        at: Timestamp,
    },
    /// It waits for a person.
    Parked {
        /// Why, as a report groups it.
        code: String,
        /// Why, as a person reads it.
        reason: String,
    },
    /// It waits for a role.
    Held {
        /// The role.
        role: String,
        /// Why, as a person reads it.
        reason: String,
    },
    /// It waits for an entity.
    Waiting {
        /// What it waits for.
        entity: EntityRef,
    },
    /// It ended: nothing was to be done.
    Ignored {
        /// Why.
        reason: String,
    },
    /// It ended: policy did not let it pass.
    Denied {
        /// Why.
        reason: String,
    },
    /// It ended: the target has what it says.
    Done,
}

impl State {
    /// The state's name in filters, the API and the metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Due { .. } => "due",
            Self::Parked { .. } => "parked",
            Self::Held { .. } => "held",
            Self::Waiting { .. } => "waiting",
            Self::Ignored { .. } => "ignored",
            Self::Denied { .. } => "denied",
            Self::Done => "done",
        }
    }

    /// Whether the message has come to its end, so that the next one of its key
    /// may go on.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Ignored { .. } | Self::Denied { .. } | Self::Done => true,
            Self::Due { .. } | Self::Parked { .. } | Self::Held { .. } | Self::Waiting { .. } => false,
        }
    }
}

impl Status {
    /// Whose turns it is handed out in.
    pub fn backlog(&self) -> Backlog {
        let kind = self.object.split_once('/').map_or("", |(kind, _)| kind);
        Backlog {
            flow: self.flow.clone(),
            of: self.region.as_ref().unwrap_or(&self.system).clone(),
            event: self.flow.is_none().then(|| format!("{} {kind}", self.event)),
        }
    }
}

/// A message at a glance.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The message.
    pub id: MessageId,
    /// Its place among all messages, in the order of receipt: 1 for the first.
    pub arrival: u64,
    /// The system that sent it.
    pub system: String,
    /// What happened, in the source's words.
    pub event: String,
    /// The object it is about, as `kind/id` in the source's words.
    pub object: String,
    /// The key whose messages are worked on in order.
    pub key: String,
    /// The flow, once it is routed.
    pub flow: Option<String>,
    /// The region, once it is routed.
    pub region: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// When its last entry was written that is no erasure.
    pub updated_at: Timestamp,
    /// The last stage it passed.
    pub passed: Option<Stage>,
    /// Failed attempts at the stage it stands before.
    pub attempts: u32,
    /// What was erased of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Extent>,
    /// The message of its key that goes before it; none where nothing does, or it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<MessageId>,
    /// How many messages of its key wait behind it while it rests. No more than
    /// [`MOST_BEHIND`](crate::journal::MOST_BEHIND) of one event of one object.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub holds: u64,
    /// Where it stands.
    #[serde(flatten)]
    pub state: State,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Status {
    /// Why it stands where it stands, in a person's words; empty where there is nothing to say.
    pub fn why(&self) -> String {
        match &self.state {
            State::Due { .. } => match (&self.behind, self.attempts) {
                (Some(first), _) => format!("behind {first}, which is of the same key"),
                (None, 0) => String::new(),
                (None, attempts) => format!("attempt {attempts} failed"),
            },
            State::Done => String::new(),
            State::Parked { code, reason } => format!("{code}: {reason}"),
            State::Held { role, reason } => format!("for {role}: {reason}"),
            State::Waiting { entity } => format!("for {entity}"),
            State::Ignored { reason } | State::Denied { reason } => reason.clone(),
        }
    }
}
