//! A second generation beside the first, as small as one can be: `second/policy.wit`.
//!
//! For tests alone. It has no imports and one interface, whose function takes and answers
//! other types than 0.1's; what is shown is that such a one is all that has to be added.

use std::{collections::BTreeSet, sync::Arc};

use cambist_contract::{
    canonical::Change,
    context::Context,
    fault::{Fault, Reason, Violation},
    invoicing::{Billable, Draft},
    mapping::{Inbound, Outbound, Plan},
    plugin::{CallError, Called, Interface, Links, LoadError, Plugin},
    policy::{Decision, Proposal, Verdict},
    revision::Grant,
    tax::{Assessment, Document},
};
use wasmtime::component::Linker;

use super::Generation;
use crate::{
    export::{Export, Signature},
    guest::{Guest, State},
};

mod bindings {
    wasmtime::component::bindgen!({ path: "src/generation/second", world: "policy-plugin" });
}
use bindings::exports::cambist::plugin::policy::Refusal;

const VERSION: &str = "0.2.0";

pub(super) const GENERATION: Generation = Generation {
    version: VERSION,
    link,
    prepare,
};

struct Judge;

impl Signature for Judge {
    type Params<'a> = (&'a str, &'a [String]);
    type Return = (Result<Vec<String>, Refusal>,);
}

struct Prepared {
    guest: Guest,
    judge: Export<Judge>,
}

fn link(_: &mut Linker<State>, _: &BTreeSet<Grant>) -> wasmtime::Result<()> {
    Ok(())
}

fn prepare(guest: Guest, _: Vec<Interface>) -> Result<Arc<dyn Plugin>, LoadError> {
    let (pre, of) = (guest.pre.clone(), (Interface::Policy, VERSION));
    let judge = guest.try_out(|store, instance| Export::check(&pre, store, instance, of, "judge"))?;
    Ok(Arc::new(Prepared { guest, judge }))
}

impl Plugin for Prepared {
    fn judge(&self, context: &Context, proposal: &Proposal, links: Arc<dyn Links>) -> Called<Verdict> {
        let named = |change: &Change| change.entity.name().to_string();
        let subjects: Vec<String> = proposal.changes.iter().map(named).collect();
        self.guest.call(links, |store, instance| {
            let function = self.judge.function(store, instance)?;
            let (told,) = function.call(store, (&context.region, &subjects))?;
            Ok(match told {
                Ok(notes) => Ok(Verdict {
                    decision: Decision::Allow,
                    reasons: notes.into_iter().map(reason).collect(),
                }),
                Err(Refusal::Because(rule)) => Err(CallError::Fault(Fault::Invalid(Violation {
                    field: String::new(),
                    rule,
                }))),
            })
        })
    }

    fn read(&self, _: &Context, _: &Inbound, _: Arc<dyn Links>) -> Called<Vec<Change>> {
        no_words()
    }

    fn write(&self, _: &Context, _: &Outbound, _: Arc<dyn Links>) -> Called<Plan> {
        no_words()
    }

    fn assess(&self, _: &Context, _: &Document, _: Arc<dyn Links>) -> Called<Assessment> {
        no_words()
    }

    fn draft_invoice(&self, _: &Context, _: &Billable, _: Arc<dyn Links>) -> Called<Draft> {
        no_words()
    }
}

fn reason(text: String) -> Reason {
    Reason {
        code: "note".to_owned(),
        text,
        basis: None,
    }
}

fn no_words<T>() -> Called<T> {
    Called {
        answer: Err(CallError::Unsayable("it has no such interface")),
        cost: Default::default(),
    }
}

mod tests {
    use std::path::Path;

    use anyhow::Result;
    use cambist_contract::{
        canonical::{Account, ChangeKind, Entity, EntityKind, EntityRef},
        digest::Digest,
        limits::Limits,
        message::MessageId,
        plugin::{Loader as _, NoLinks},
        revision::{Revision, Tables},
    };
    use cambist_guests::{by_hand, component_in, contract_in};
    use jiff::Timestamp;

    use super::*;
    use crate::Sandbox;

    /// Answers the second text that it was handed first, as its one note: the list's
    /// first item stands where the list says.
    const GUEST: &str = r#"(module
        (memory (export "memory") 1)
        (global $free (mut i32) (i32.const 4096))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
            (global.set $free (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
        (func (export "cambist:plugin/policy@0.2.0#judge")
            (param $region i32) (param $bytes i32) (param $subjects i32) (param $count i32) (result i32)
            (i32.store (i32.const 20) (local.get $subjects))
            (i32.store (i32.const 24) (local.get $count))
            (i32.const 16)))"#;

    fn ask(plugin: &dyn Plugin) -> Called<Verdict> {
        let context = Context {
            message: MessageId::from_text("m1"),
            flow: "deal-won".to_owned(),
            region: "de".to_owned(),
            unit: String::new(),
            time: Timestamp::UNIX_EPOCH,
            settings: (&serde_json::json!({})).into(),
        };
        let account: Account = serde_json::from_value(
            serde_json::json!({"ref": {"kind": "account", "system": "crm", "id": "7"}}),
        )
        .unwrap_or_else(|error| unreachable!("{error}"));
        let change = Change {
            entity: Entity::Account(account),
            kind: ChangeKind::Upsert,
            cleared: Vec::new(),
            changed_by: None,
            changed_at: Timestamp::UNIX_EPOCH,
        };
        let proposal = Proposal {
            changes: vec![change],
            approvals: Vec::new(),
        };
        plugin.judge(&context, &proposal, Arc::new(NoLinks))
    }

    #[test]
    fn two_generations_are_served_side_by_side() -> Result<()> {
        let cache = tempfile::tempdir()?;
        let sandbox = Sandbox::new(cache.path())?;
        let load = |component: &[u8]| {
            let revision = Revision {
                plugin: "judge".to_owned(),
                component: Digest::of(component),
                settings: serde_json::json!({}),
                grants: BTreeSet::new(),
                limits: Limits::default(),
                tables: Tables::new(),
                kept: None,
            };
            assert_eq!(sandbox.describe(component)?.interfaces, [Interface::Policy]);
            sandbox.load(component, &revision)
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generation/second");
        let second = component_in(&contract_in(&folder)?, wat::parse_str(GUEST)?, "policy-plugin")?;
        let (first, second) = (load(&by_hand("good")?)?, load(&second)?);

        for _ in 0..2 {
            let told = ask(first.as_ref()).answer?;
            assert_eq!((told.decision, told.reasons.len()), (Decision::Allow, 0));
            let told = ask(second.as_ref()).answer?;
            let name = EntityRef {
                kind: EntityKind::Account,
                system: "crm".to_owned(),
                id: "7".to_owned(),
            };
            assert_eq!(told.reasons, [reason(name.to_string())]);
        }
        Ok(())
    }

    #[test]
    fn a_generation_that_nobody_knows_is_refused() -> Result<()> {
        let cache = tempfile::tempdir()?;
        let sandbox = Sandbox::new(cache.path())?;
        let folder = tempfile::tempdir()?;
        let text = include_str!("second/policy.wit").replace("@0.2.0", "@0.3.0");
        std::fs::write(folder.path().join("policy.wit"), text)?;
        let module = wat::parse_str(GUEST.replace("@0.2.0", "@0.3.0"))?;
        let third = component_in(&contract_in(folder.path())?, module, "policy-plugin")?;
        let refused = sandbox
            .describe(&third)
            .map(|_| ())
            .map_err(|error| error.to_string());
        let text = "exports none of mapping, policy, tax, invoicing of a known generation (it exports \
                    cambist:plugin/policy@0.3.0); build it against wit/v0.1.0";
        assert_eq!(refused, Err(text.to_owned()));
        Ok(())
    }
}
