//! What can go wrong between the registry and those who ask it.

use std::{io, path::PathBuf};

use cambist_contract::{delivery::NextTry, digest::Digest, stage::Stage};
use thiserror::Error;

/// The registry cannot be set up.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// A folder cannot be used.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A message finds nothing that serves it.
#[derive(Debug, Error)]
pub enum RouteError {
    /// No binding fits.
    #[error("no binding serves `{stage}` for flow `{flow}`, region `{region}`; add one to the config")]
    NoBinding {
        /// The stage.
        stage: Stage,
        /// The message's flow.
        flow: String,
        /// The message's region.
        region: String,
    },
    /// The binding's plugin never passed its checks.
    #[error("plugin `{plugin}` has no live revision: {reason}")]
    NotLive {
        /// The plugin.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// A revision that a message is pinned to cannot be had.
    #[error("revision {} cannot be loaded: {reason}", id.short())]
    Gone {
        /// The revision.
        id: Digest,
        /// Why.
        reason: String,
    },
    /// The host could not find out: the same may be had the next time.
    #[error("plugin `{plugin}` cannot be had for now: {reason}; the host tries again")]
    Trouble {
        /// The plugin, or the revision's short id.
        plugin: String,
        /// Why.
        reason: String,
    },
}

impl RouteError {
    /// What may be done with the message.
    pub fn next_try(&self) -> NextTry {
        match self {
            Self::Trouble { .. } => NextTry::SendAgain { not_before: None },
            Self::NoBinding { .. } | Self::NotLive { .. } | Self::Gone { .. } => NextTry::Park,
        }
    }
}
