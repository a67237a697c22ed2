//! The registry: which revision is live for whom.
//!
//! Plugins come as files in a folder. A new file is compiled, checked against
//! its bindings and their settings, and made to pass its own cases; only then does
//! it become live, for messages that begin afterwards. What does not pass leaves
//! the last good one where it is, and says why; also when the host has been
//! restarted between.
//!
//! A binding says which plugin serves a stage for a flow, region and unit, with
//! which settings, grants and limits; the most specific one wins. Component and
//! terms together are a revision, and messages are pinned to revisions: each one
//! that ever passed is kept on disk, so that a message that began before a restart
//! finishes on what it began with.
//!
//! # What is not here
//!
//! How a component is run: that is behind the port in `cambist_contract::plugin`. Of
//! WebAssembly the registry knows where a component's [`signature`]s stand, no more.
//!
//! # Where to start reading
//!
//! [`registry`] for who serves a message, [`binding`] for who wins, `look` and `rollout`
//! for how a plugin becomes live, [`life`] for where that brings it, [`examine`] and
//! [`check`] for what it must pass, [`trust`] for who must have signed it, `report` and
//! [`status`] for what operators see.

mod admit;
mod archive;
pub mod binding;
pub mod check;
pub mod error;
pub mod examine;
mod folder;
pub mod ledger;
pub mod life;
mod loaded;
mod look;
mod metrics;
mod prepare;
pub mod registry;
mod report;
mod rollout;
pub mod signature;
pub mod status;
pub mod trust;
pub mod watch;

pub use binding::Binding;
pub use error::{RegistryError, RolloutError, RouteError};
pub use examine::{Obstacle, Part};
pub use ledger::Ledger;
pub use life::Standing;
pub use metrics::describe;
pub use registry::{NewPlugins, Options, Pinned, Registry};
pub use status::{BindingStatus, ComponentStatus, PluginStatus};
pub use trust::Trust;
