//! What can go wrong between the registry and those who ask it.

use std::{io, path::PathBuf};

use cambist_contract::{delivery::NextTry, digest::Digest, stage::Stage};
use thiserror::Error;

use crate::examine::Obstacle;

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
    /// The ledger cannot be read.
    #[error("cannot read what was done with plugins: {0}")]
    Ledger(String),
}

/// A step in a plugin's life cannot be taken.
#[derive(Debug, Error)]
pub enum RolloutError {
    /// Nothing of that name ever came in.
    #[error("no plugin `{0}` ever came in; `cambist plugin status` lists them")]
    NoPlugin(String),
    /// Nothing would call it.
    #[error("no binding names plugin `{0}`; add one to the config, or give the file the plugin's name")]
    Unbound(String),
    /// No component of the plugin is meant.
    #[error("plugin `{plugin}` has no component `{wanted}`; `cambist plugin status {plugin}` lists them")]
    NoComponent {
        /// The plugin.
        plugin: String,
        /// What was asked for.
        wanted: String,
    },
    /// Several components are meant.
    #[error("several components of plugin `{plugin}` begin with `{wanted}`; give more of the digest")]
    Ambiguous {
        /// The plugin.
        plugin: String,
        /// What was asked for.
        wanted: String,
    },
    /// No revision of the plugin is meant.
    #[error(
        "no revision of plugin `{plugin}` that was live begins with `{wanted}`; `cambist show` and `trace` tell those of \
         messages"
    )]
    NoRevision {
        /// The plugin.
        plugin: String,
        /// What was asked for.
        wanted: String,
    },
    /// Several revisions are meant.
    #[error("several revisions of plugin `{plugin}` begin with `{wanted}`; give more of the digest")]
    AmbiguousRevision {
        /// The plugin.
        plugin: String,
        /// What was asked for.
        wanted: String,
    },
    /// Older revisions cannot serve as they were.
    #[error(
        "plugin `{plugin}` cannot go back whole, and nothing was changed: {reason}; or name other revisions by `cambist \
         plugin live {plugin} --revision ID`"
    )]
    NotAsItWas {
        /// The plugin.
        plugin: String,
        /// Everything that keeps them from it, each with the way out.
        reason: String,
    },
    /// The plugin has none that waits, or none that was live before.
    #[error("plugin `{plugin}` has no component that {what}; name one of `cambist plugin status {plugin}`")]
    None {
        /// The plugin.
        plugin: String,
        /// What it would have to be.
        what: &'static str,
    },
    /// Nothing can stand beside what is not there.
    #[error(
        "nothing of plugin `{0}` is live, so nothing can stand beside it; `cambist plugin live {0}` comes first"
    )]
    NothingLive(String),
    /// A component cannot stand beside itself.
    #[error("component {} of plugin `{plugin}` is live itself; name another one of `cambist plugin status {plugin}`", component.short())]
    IsLive {
        /// The plugin.
        plugin: String,
        /// The component.
        component: Digest,
    },
    /// There is no such share.
    #[error(
        "a share is 1 to 99 percent of the keys, of whose calls less than 100 percent may break and that take at least once as long"
    )]
    NoShare,
    /// The component did not pass its checks.
    #[error("component {} of plugin `{plugin}` does not pass: {reason}", component.short())]
    Refused {
        /// The plugin.
        plugin: String,
        /// The component.
        component: Digest,
        /// Why, with the way out.
        reason: String,
    },
    /// The host could not find out, or could not write it down.
    #[error("nothing was changed: {0}; try again when that is mended")]
    Trouble(String),
}

/// Other terms cannot hold.
#[derive(Debug, Error)]
pub enum ReloadError {
    /// What is live does not pass on them.
    #[error("{}", .0.iter().map(|it| it.reason.as_str()).collect::<Vec<_>>().join("; "))]
    Obstacles(Vec<Obstacle>),
    /// The host could not find out, or could not write it down.
    #[error("nothing was changed: {0}; try again when that is mended")]
    Trouble(String),
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
    /// A revision that a message is pinned to was taken out.
    #[error(
        "component {} of plugin `{plugin}` was taken out: {reason}; make one live by `cambist plugin back {plugin}` or \
         `cambist plugin live {plugin} DIGEST`, then retry the message with `--live`", component.short()
    )]
    Killed {
        /// The plugin.
        plugin: String,
        /// The component.
        component: Digest,
        /// Why, as who did it says.
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
            Self::NoBinding { .. } | Self::NotLive { .. } | Self::Gone { .. } | Self::Killed { .. } => {
                NextTry::Park
            }
        }
    }
}
