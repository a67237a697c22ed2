//! The plugin port: how a loaded plugin is called, whatever runs it.
//!
//! The sandbox implements it with WebAssembly, tests with plain Rust. The
//! pipeline and the registry know nothing else of plugins.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    canonical::{Change, EntityRef},
    context::Context,
    delivery::NextTry,
    digest::Digest,
    fault::Fault,
    invoicing::{Billable, Draft},
    mapping::{Inbound, Outbound, Plan},
    policy::{Proposal, Verdict},
    revision::Revision,
    tax::{Assessment, Document},
};

/// One of the four interfaces a plugin may export.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interface {
    /// Between a system's words and the canonical ones.
    Mapping,
    /// Whether a change may pass.
    Policy,
    /// The tax on a document.
    Tax,
    /// What is to be billed.
    Invoicing,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mapping => "mapping",
            Self::Policy => "policy",
            Self::Tax => "tax",
            Self::Invoicing => "invoicing",
        })
    }
}

/// Answers which record in one system is which in another, for the `links`
/// import. The pipeline answers from the journal and keeps what was answered.
pub trait Links: Send + Sync {
    /// The record that stands for `entity` in `system`; none as well where that is not known
    /// `within` this time. Returns by then: the call that asks has no more of it.
    fn find(&self, entity: &EntityRef, system: &str, within: Duration) -> Option<Link>;
}

/// A record of a system, as far as the host knows it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Link {
    /// The kind of record.
    pub model: String,
    /// The id that a mapping gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The id that the system gave it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// No links at all: for checks and cases.
pub struct NoLinks;

impl Links for NoLinks {
    fn find(&self, _entity: &EntityRef, _system: &str, _within: Duration) -> Option<Link> {
        None
    }
}

/// A line that a plugin wrote for its owner.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LogLine {
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// What it says.
    pub text: String,
}

/// What one call cost and said, whether or not it answered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cost {
    /// Instructions, in wasmtime's fuel: the same on every machine.
    pub fuel: u64,
    /// Wall clock.
    pub elapsed: Duration,
    /// What the plugin wrote for its owner.
    pub log: Vec<LogLine>,
}

/// One call: what it answered and what it cost.
#[derive(Debug)]
pub struct Called<T> {
    /// The answer, or why there is none.
    pub answer: Result<T, CallError>,
    /// What it cost.
    pub cost: Cost,
}

/// A call brought no answer that can be used.
#[derive(Clone, Debug, Eq, PartialEq, Error)]
pub enum CallError {
    /// The plugin answered with a fault.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The plugin trapped. Carries its own last words where it left any.
    #[error("the plugin trapped: {0}")]
    Trapped(String),
    /// The call passed a limit. Carries the limit's setting and its value.
    #[error("the call passed the limit `{setting}` = {value}")]
    Limit {
        /// The setting's name in the binding.
        setting: &'static str,
        /// The value it had.
        value: u64,
    },
    /// The answer breaks the contract: an unknown currency, a number of scale
    /// 30, text that is not the JSON it should be.
    #[error("the plugin's answer breaks the contract: {0}")]
    BadAnswer(String),
    /// The plugin's generation of the contract cannot say what it would be handed.
    #[error("the plugin cannot be handed its input: {0}")]
    Unsayable(&'static str),
    /// The host could not make the call at all. Nothing is known about the
    /// plugin; the call may be made again.
    #[error("cannot call the plugin: {0}")]
    Host(String),
}

/// How a call ended, whatever it was about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// With an answer.
    Answered,
    /// The plugin has none for this message, which may be the message's fault: `invalid`,
    /// `waiting`, `unhandled`, or nothing that its generation of the contract has words for.
    Refused,
    /// The plugin broke: it did something that no input justifies.
    Broke,
}

impl Ended {
    /// How this call ended.
    pub fn of<T>(answer: &Result<T, CallError>) -> Self {
        answer.as_ref().map_or_else(CallError::ended, |_| Self::Answered)
    }
}

impl CallError {
    /// How the call ended, for who counts how a plugin does.
    pub fn ended(&self) -> Ended {
        match self {
            Self::Trapped(_) | Self::Limit { .. } | Self::BadAnswer(_) | Self::Fault(Fault::Broken(_)) => {
                Ended::Broke
            }
            Self::Fault(Fault::Invalid(_) | Fault::Waiting(_) | Fault::Unhandled(_))
            | Self::Unsayable(_)
            | Self::Host(_) => Ended::Refused,
        }
    }

    /// What may be done with the message. A plugin is a pure function, so only
    /// the host's own trouble may pass by itself.
    pub fn next_try(&self) -> NextTry {
        match self {
            Self::Host(_) => NextTry::SendAgain { not_before: None },
            Self::Fault(_)
            | Self::Trapped(_)
            | Self::Limit { .. }
            | Self::BadAnswer(_)
            | Self::Unsayable(_) => NextTry::Park,
        }
    }
}

/// A component was refused. Each text names what is wrong and the way out.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The bytes are not a component.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// It needs more than its binding grants. Every missing import is named.
    #[error("imports what its binding does not grant: {}; {hint}", missing.join(", "))]
    NotGranted {
        /// All imports that were not granted, in the order of the component.
        missing: Vec<String>,
        /// How to grant or avoid them.
        hint: String,
    },
    /// It exports none of the four interfaces in a generation that is known.
    #[error(
        "exports none of mapping, policy, tax, invoicing of a known generation{found}; build it against wit/v0.1.0"
    )]
    NoInterface {
        /// What it exports instead, for the text.
        found: String,
    },
    /// It exports an interface of the right name and the wrong type.
    #[error("exports `{interface}` with another type than the contract's: {detail}")]
    WrongType {
        /// The interface.
        interface: Interface,
        /// What differs.
        detail: String,
    },
    /// It imports an interface of the right name and the wrong type.
    #[error("imports an interface with another type than the contract's; build it against wit/v0.1.0: {0}")]
    WrongImport(String),
    /// Other components with code of their own stand in it.
    #[error(
        "is composed of several components; build it as one, with what it shares as a library of its language; of what \
         another language's tool has built `cambist plugin pack` takes the plugin's own part"
    )]
    Composed,
    /// It breaks before anything of it is called, within its limits.
    #[error("cannot be instantiated: {0}")]
    BreaksAtStart(String),
    /// It does not fit into the limits before it is called.
    #[error("does not fit the limits of its binding: {0}")]
    TooLarge(String),
    /// The host could not compile or store it.
    #[error("cannot prepare the component: {0}")]
    Host(String),
}

/// What a component says about itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Description {
    /// The digest of its bytes.
    pub component: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The interfaces it exports.
    pub interfaces: Vec<Interface>,
    /// The interfaces it imports that hold functions.
    pub imports: Vec<String>,
    /// Its name, from its metadata.
    pub name: Option<String>,
    /// Its version, from its metadata.
    pub version: Option<String>,
    /// The cases it carries in its metadata.
    pub cases: Vec<Case>,
}

/// A case that a plugin carries: an input and the answer it must give.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// The case's name: what it shows.
    #[serde(default)]
    pub name: String,
    /// The function that is called.
    pub call: Function,
    /// The context of the call.
    pub context: Context,
    /// The input, in the words of the WIT.
    pub input: serde_json::Value,
    /// The answer: `{"ok": …}` or `{"fault": …}`, in the words of the WIT.
    pub expect: Expectation,
}

/// The answer that a case must give.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// This answer.
    Ok(serde_json::Value),
    /// This fault.
    Fault(Fault),
}

/// One function of the four interfaces.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// `mapping.read`
    Read,
    /// `mapping.write`
    Write,
    /// `policy.judge`
    Judge,
    /// `tax.assess`
    Assess,
    /// `invoicing.draft-invoice`
    DraftInvoice,
}

/// Makes plugins of components. One for a host; cheap to share.
pub trait Loader: Send + Sync {
    /// Compiles, checks and prepares a component for a revision.
    ///
    /// # Errors
    ///
    /// Everything that can be wrong with the component before it is called, and
    /// nothing that a call could bring.
    fn load(&self, bytes: &[u8], revision: &Revision) -> Result<Arc<dyn Plugin>, LoadError>;

    /// Tells what a component says about itself, without running it.
    ///
    /// # Errors
    ///
    /// The bytes are not a component.
    fn describe(&self, bytes: &[u8]) -> Result<Description, LoadError>;
}

/// A plugin that is ready to be called, with its revision's limits and grants.
///
/// Calls block for as long as the plugin computes, which its `fuel` bounds; they
/// belong on a thread that may block. Each call has a fresh instance, or one that its
/// revision lets be kept.
pub trait Plugin: Send + Sync {
    /// `mapping.read`
    fn read(&self, context: &Context, input: &Inbound, links: Arc<dyn Links>) -> Called<Vec<Change>>;

    /// `mapping.write`
    fn write(&self, context: &Context, input: &Outbound, links: Arc<dyn Links>) -> Called<Plan>;

    /// `policy.judge`
    fn judge(&self, context: &Context, proposal: &Proposal, links: Arc<dyn Links>) -> Called<Verdict>;

    /// `tax.assess`
    fn assess(&self, context: &Context, document: &Document, links: Arc<dyn Links>) -> Called<Assessment>;

    /// `invoicing.draft-invoice`
    fn draft_invoice(&self, context: &Context, billable: &Billable, links: Arc<dyn Links>) -> Called<Draft>;
}
