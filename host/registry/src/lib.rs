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
//! [`registry`] for who serves a message, [`binding`] and `terms` for who wins, `serving`
//! for what serves at one moment, `look`, `due` and `rollout` for how a plugin becomes live,
//! `beside` for shadows and shares, `back`, `held` and `hold_check` for older revisions whole, `reload` for another config, `life` for where that
//! brings it, [`examine`] and [`check`] for what it must pass, [`cost`] and [`untried`] for what
//! it is warned of, [`trust`] for who must have signed it, `report`, `aside` and [`status`] for what
//! operators see.

mod admit;
mod archive;
mod aside;
mod back;
mod beside;
pub mod binding;
pub mod check;
pub mod cost;
mod difference;
mod due;
pub mod error;
pub mod examine;
mod folder;
mod handed;
mod held;
mod hold_check;
pub mod ledger;
mod life;
mod loaded;
mod look;
mod metrics;
mod prepare;
mod queue;
pub mod registry;
mod reload;
mod report;
mod rollout;
mod seen;
mod serving;
pub mod signature;
pub mod standing;
pub mod status;
mod step;
mod terms;
mod trial;
pub mod trust;
pub mod untried;
pub mod watch;
mod whole;

pub use binding::Binding;
pub use cost::CaseCost;
pub use error::{RegistryError, ReloadError, RolloutError, RouteError};
pub use examine::{Obstacle, Part};
pub use ledger::Ledger;
pub use metrics::describe;
pub use registry::{NewPlugins, Options, Pinned, Pins, Registry};
pub use reload::Reloaded;
pub use standing::Standing;
pub use status::{BindingStatus, ComponentStatus, HeldBinding, HeldStatus, PluginStatus};
pub use trust::Trust;
