//! The four traits, one for each interface of `wit/`.

use crate::{
    bindings::{invoicing, mapping, policy, tax},
    prelude::*,
};

pub use invoicing::exports::cambist::plugin::invoicing::{Billable, Draft};
pub use mapping::exports::cambist::plugin::mapping::{
    Action, Command, Inbound, Outbound, Plan, Record, RecordKey, RecordName,
};
pub use policy::exports::cambist::plugin::policy::{Approval, Decision, Proposal, Verdict};
pub use tax::exports::cambist::plugin::tax::{Document, DocumentKind, DocumentLine, Party};

/// Between a system's own words and the canonical ones: `mapping.wit`.
pub trait Mapping {
    /// Tells what a source's object means.
    ///
    /// # Errors
    ///
    /// A fault, named by what the host does about it.
    fn read(context: &Context, input: Inbound) -> Result<Vec<Change>> {
        let _ = context;
        Err(unhandled(format!("this plugin reads no {}", input.object_kind)))
    }

    /// Tells what the target must be told.
    ///
    /// # Errors
    ///
    /// A fault, named by what the host does about it.
    fn write(context: &Context, input: Outbound) -> Result<Plan> {
        let _ = (context, input);
        Err(broken("this plugin writes nothing"))
    }
}

/// Whether a change may pass: `policy.wit`.
pub trait Policy {
    /// Judges one message.
    ///
    /// # Errors
    ///
    /// A fault, named by what the host does about it.
    fn judge(context: &Context, proposal: Proposal) -> Result<Verdict>;
}

/// The tax on a document: `tax.wit`.
pub trait Tax {
    /// Tells the tax on a document.
    ///
    /// # Errors
    ///
    /// A fault, named by what the host does about it.
    fn assess(context: &Context, document: Document) -> Result<Assessment>;
}

/// What is to be billed: `invoicing.wit`.
pub trait Invoicing {
    /// Makes a draft of what is to be billed.
    ///
    /// # Errors
    ///
    /// A fault, named by what the host does about it.
    fn draft_invoice(context: &Context, billable: Billable) -> Result<Draft>;
}

/// A verdict with one reason.
pub fn verdict(decision: Decision, code: &str, text: &str) -> Verdict {
    Verdict {
        decision,
        reasons: vec![reason(code, text)],
    }
}

/// A reason without a basis outside the plugin.
pub fn reason(code: &str, text: impl Into<String>) -> Reason {
    Reason {
        code: code.to_owned(),
        text: text.into(),
        basis: None,
    }
}

impl Reason {
    /// The same reason, resting on an article of law or a company rule.
    #[must_use]
    pub fn by(mut self, basis: impl Into<String>) -> Self {
        self.basis = Some(basis.into());
        self
    }
}

impl EntityRef {
    /// The name of an entity.
    pub fn new(kind: EntityKind, system: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            kind,
            system: system.into(),
            id: id.into(),
        }
    }
}

impl Entity {
    /// The entity's name for good.
    pub fn name(&self) -> &EntityRef {
        match self {
            Self::Account(it) => &it.ref_,
            Self::Contact(it) => &it.ref_,
            Self::Opportunity(it) => &it.ref_,
            Self::Contract(it) => &it.ref_,
            Self::Project(it) => &it.ref_,
            Self::Resource(it) => &it.ref_,
            Self::Timesheet(it) => &it.ref_,
            Self::Expense(it) => &it.ref_,
            Self::Invoice(it) => &it.ref_,
            Self::Payment(it) => &it.ref_,
        }
    }
}
