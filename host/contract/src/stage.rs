//! The stages of the way of a message.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of the way, in order. `pipeline/src/stage/` has a file for each.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reads the object again where the event is thin. Connector.
    Fetch,
    /// Turns the source's words into changes. Mapping plugin.
    Read,
    /// Applies the system-of-record rules, field by field. Host.
    Own,
    /// Allows, changes, denies, holds or waits. Policy plugin.
    Judge,
    /// Makes an invoice of what is to be billed. Invoicing plugin.
    Draft,
    /// Assesses documents with lines. Tax plugin.
    Tax,
    /// Turns changes into a plan. Mapping plugin.
    Write,
    /// Carries out the plan. Connector.
    Deliver,
}

impl Stage {
    /// All stages, in the order of the way.
    pub const ALL: [Self; 8] = [
        Self::Fetch,
        Self::Read,
        Self::Own,
        Self::Judge,
        Self::Draft,
        Self::Tax,
        Self::Write,
        Self::Deliver,
    ];

    /// The stage's name in config, API and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Read => "read",
            Self::Own => "own",
            Self::Judge => "judge",
            Self::Draft => "draft",
            Self::Tax => "tax",
            Self::Write => "write",
            Self::Deliver => "deliver",
        }
    }

    /// The interface a plugin must export to serve this stage; none for the
    /// stages that the host itself does.
    pub fn interface(self) -> Option<crate::plugin::Interface> {
        use crate::plugin::Interface;
        match self {
            Self::Fetch | Self::Own | Self::Deliver => None,
            Self::Read | Self::Write => Some(Interface::Mapping),
            Self::Judge => Some(Interface::Policy),
            Self::Draft => Some(Interface::Invoicing),
            Self::Tax => Some(Interface::Tax),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.name() == text)
            .ok_or_else(|| format!("no stage is called `{text}`"))
    }
}
