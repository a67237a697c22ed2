//! A component of this generation behind the plugin port.

use std::sync::Arc;

use cambist_contract::{
    canonical::Change,
    context::Context,
    invoicing::{Billable, Draft},
    mapping::{Inbound, Outbound, Plan},
    plugin::{CallError, Called, Interface, Links, LoadError, Plugin},
    policy::{Proposal, Verdict},
    tax::{Assessment, Document},
};

use super::{
    VERSION,
    answers::answer,
    bindings::{
        cambist::plugin::{assessments, canonical, types},
        exports::cambist::plugin::{invoicing, mapping, policy, tax},
    },
    convert::{Allowed, ToWit as _},
    room::Room,
};
use crate::{
    export::{Export, Signature},
    guest::Guest,
    trap,
};

type Answer<T> = (Result<T, types::Fault>,);

/// The functions of the contract: what each takes and answers.
macro_rules! signatures {
    ($($name:ident: $input:ty => $output:ty;)+) => {$(
        struct $name;
        impl Signature for $name {
            type Params<'a> = (types::Context<'a>, $input);
            type Return = Answer<$output>;
        }
    )+};
}
signatures! {
    Read: mapping::Inbound<'a> => Vec<canonical::ChangeResult>;
    Write: mapping::Outbound<'a> => mapping::Plan;
    Judge: policy::Proposal<'a> => policy::Verdict;
    Assess: tax::Document<'a> => assessments::AssessmentResult;
    DraftInvoice: invoicing::Billable<'a> => invoicing::Draft;
}

/// A guest whose exports were found and checked, once, at load.
struct Prepared {
    guest: Guest,
    read: Option<Export<Read>>,
    write: Option<Export<Write>>,
    judge: Option<Export<Judge>>,
    assess: Option<Export<Assess>>,
    draft_invoice: Option<Export<DraftInvoice>>,
}

/// Checks the exports of a linked guest; `interfaces` are those it has.
pub(crate) fn prepare(guest: Guest, interfaces: Vec<Interface>) -> Result<Arc<dyn Plugin>, LoadError> {
    let mut prepared = Prepared {
        read: None,
        write: None,
        judge: None,
        assess: None,
        draft_invoice: None,
        guest,
    };
    let pre = prepared.guest.pre.clone();
    for interface in interfaces {
        let of = (interface, VERSION);
        match interface {
            Interface::Mapping => {
                let (read, write) = prepared.guest.try_out(|store, instance| {
                    let read = Export::check(&pre, store, instance, of, "read")?;
                    Ok((read, Export::check(&pre, store, instance, of, "write")?))
                })?;
                (prepared.read, prepared.write) = (Some(read), Some(write));
            }
            Interface::Policy => {
                let check = |store: &mut _, instance: &_| Export::check(&pre, store, instance, of, "judge");
                prepared.judge = Some(prepared.guest.try_out(check)?);
            }
            Interface::Tax => {
                let check = |store: &mut _, instance: &_| Export::check(&pre, store, instance, of, "assess");
                prepared.assess = Some(prepared.guest.try_out(check)?);
            }
            Interface::Invoicing => {
                let check =
                    |store: &mut _, instance: &_| Export::check(&pre, store, instance, of, "draft-invoice");
                prepared.draft_invoice = Some(prepared.guest.try_out(check)?);
            }
        }
    }
    Ok(Arc::new(prepared))
}

/// One function of the port: finds the export, lowers, calls, lifts.
macro_rules! function {
    ($self:ident, $context:ident, $links:ident, $input:ident, $export:ident, $interface:expr) => {{
        let Some(export) = &$self.$export else {
            return not_exported($interface);
        };
        $self.guest.call($links, |store, instance| {
            let room = Room::new();
            let function = export.function(store, instance)?;
            let told = ($context.to_wit(&room), $input.to_wit(&room));
            if let Some(what) = room.unsayable() {
                return Ok(Err(CallError::Unsayable(what)));
            }
            let (told,) = function.call(store, told)?;
            let limits = &$self.guest.terms.limits;
            Ok(answer(told, Allowed::new(limits.items, limits.depth)).map_err(trap::short))
        })
    }};
}

impl Plugin for Prepared {
    fn read(&self, context: &Context, input: &Inbound, links: Arc<dyn Links>) -> Called<Vec<Change>> {
        function!(self, context, links, input, read, Interface::Mapping)
    }

    fn write(&self, context: &Context, input: &Outbound, links: Arc<dyn Links>) -> Called<Plan> {
        function!(self, context, links, input, write, Interface::Mapping)
    }

    fn judge(&self, context: &Context, proposal: &Proposal, links: Arc<dyn Links>) -> Called<Verdict> {
        function!(self, context, links, proposal, judge, Interface::Policy)
    }

    fn assess(&self, context: &Context, document: &Document, links: Arc<dyn Links>) -> Called<Assessment> {
        function!(self, context, links, document, assess, Interface::Tax)
    }

    fn draft_invoice(&self, context: &Context, billable: &Billable, links: Arc<dyn Links>) -> Called<Draft> {
        function!(
            self,
            context,
            links,
            billable,
            draft_invoice,
            Interface::Invoicing
        )
    }
}

/// The binding names a plugin that does not export what its stage needs; the
/// registry refuses that, so nobody should see it.
fn not_exported<T>(interface: Interface) -> Called<T> {
    let text = format!("the plugin does not export `{interface}`");
    Called {
        answer: Err(CallError::BadAnswer(text)),
        cost: Default::default(),
    }
}
