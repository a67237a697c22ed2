//! Where a component can stand.
//!
//! # What is not here
//!
//! How it comes from one to the next: `life.rs`.

use cambist_contract::share::Share;
use serde::{Deserialize, Serialize};

/// Where a component stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Standing {
    /// It came in and is being checked, or the host ended while it was.
    Checking,
    /// It did not pass.
    Refused {
        /// Why, with the way out.
        reason: String,
    },
    /// It passed and waits for somebody to make it live.
    Candidate,
    /// It is called beside the live one, and what it answers is compared.
    Shadow,
    /// It serves a share of the keys, the live one the rest.
    Sharing {
        /// Which share, and what ends it.
        share: Share,
    },
    /// It serves its plugin's bindings.
    Live,
    /// It serves nothing new; messages that are pinned to it finish on it.
    Draining,
    /// No message is left that is pinned to it. It is kept, and can be made live again.
    Retired,
    /// It was taken out: nothing is called that has it, until it is made live again.
    Killed {
        /// Why.
        reason: String,
    },
}

impl Standing {
    /// Whether nothing is decided of it: it is to be checked, or to be checked again.
    pub(crate) fn is_open(standing: Option<&Self>) -> bool {
        matches!(standing, None | Some(Self::Checking | Self::Refused { .. }))
    }

    /// The state's name, as it stands in its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Refused { .. } => "refused",
            Self::Candidate => "candidate",
            Self::Shadow => "shadow",
            Self::Sharing { .. } => "sharing",
            Self::Live => "live",
            Self::Draining => "draining",
            Self::Retired => "retired",
            Self::Killed { .. } => "killed",
        }
    }
}
