//! What a policy plugin is asked, and what it answers: `wit/*/policy.wit`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    canonical::{Change, EntityRef},
    fault::Reason,
};

/// Somebody has released the message after it was held.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Approval {
    /// The role that released it.
    pub role: String,
    /// Who it was.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// One message, whole, as it is to be judged.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Proposal {
    /// What passed ownership.
    pub changes: Vec<Change>,
    /// Who released it so far.
    #[serde(default)]
    pub approvals: Vec<Approval>,
}

/// What to do with it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Let it pass as it is.
    Allow,
    /// Let these changes pass in place of the proposed ones.
    Amend(Vec<Change>),
    /// It does not pass, for good.
    Deny,
    /// It waits for this role.
    Hold(String),
    /// It waits for this entity.
    Wait(EntityRef),
}

/// The judgement.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Verdict {
    /// What to do.
    pub decision: Decision,
    /// Why: at least one reason.
    pub reasons: Vec<Reason>,
}
