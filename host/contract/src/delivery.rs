//! What may be done after something failed at the other end.
//!
//! Every error that the pipeline can meet answers [`NextTry`]; there is no
//! fourth possibility and no default.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::mapping::RecordKey;

/// What may be done with a message after a failed attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NextTry {
    /// Send again. Nothing has happened at the far side, or the same again does
    /// no harm.
    SendAgain {
        /// The shortest wait the far side asked for, where it asked for one.
        not_before: Option<Duration>,
    },
    /// Ask for the record first. It may already be there.
    LookUpFirst {
        /// How long the first may still be at work. What it does cannot be
        /// seen before it has ended, so that looking earlier finds nothing.
        not_before: Duration,
    },
    /// Do not send again. A person has to change something.
    Park,
}

/// What the target did with one command of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The record was made or changed.
    Written,
    /// It was as it should be already; nothing was sent, or nothing changed.
    Unchanged,
    /// The action was carried out.
    Done,
    /// The action had been carried out before.
    AlreadyDone,
    /// Shown only: the target is a dry run.
    Shown,
}

/// The receipt for one command.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Receipt {
    /// The kind of record, such as `res.partner`.
    pub model: String,
    /// What the record is found by, as [text](crate::mapping::RecordKey): the external id
    /// that we gave it, or the target's own id behind a `#`.
    pub external_id: String,
    /// What happened.
    pub effect: Effect,
    /// The id that the target gave it, as text, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// The digest of the values that were written, for leaving out the same
    /// next time; none for actions, and one of no values for a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<crate::digest::Digest>,
    /// The entity the record stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<crate::canonical::EntityRef>,
    /// The entity's fields as the target was told them, by their names in the contract: the
    /// digest of each value. By it what comes back from the target is known for an echo.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, crate::digest::Digest>,
}

impl Receipt {
    /// Whether it is for this record: `id` is the target's own id of it, or our external one.
    pub fn is_for(&self, model: &str, id: &str) -> bool {
        let key = RecordKey::of_text(&self.external_id);
        self.model == model && (key.id() == id || self.target_id.as_deref() == Some(id))
    }
}
