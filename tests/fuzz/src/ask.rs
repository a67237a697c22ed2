//! Calls every function of a plugin, and sees that what comes of it can be used.

use std::{fmt::Debug, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{
    Json,
    canonical::{EntityKind, EntityRef},
    context::Context,
    digest::Digest,
    invoicing::Billable,
    limits::Limits,
    mapping::{Inbound, Outbound},
    message::MessageId,
    plugin::{CallError, Called, Function, LoadError, NoLinks, Plugin},
    policy::Proposal,
    revision::{Revision, Tables},
    tax::Document,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// All there is to call.
pub const FUNCTIONS: [Function; 5] = [
    Function::Read,
    Function::Write,
    Function::Judge,
    Function::Assess,
    Function::DraftInvoice,
];

/// The longest text of an error: some names of imports, or a plugin's last words.
const LONGEST: usize = 16 << 10;

/// A revision of these bytes with little fuel, so that loops end soon.
pub fn revision(bytes: &[u8]) -> Revision {
    Revision {
        plugin: "fuzzed".to_owned(),
        component: Digest::of(bytes),
        settings: Value::Null,
        grants: ["log", "reference:rates", "links:odoo"]
            .iter()
            .filter_map(|grant| grant.parse().ok())
            .collect(),
        limits: Limits {
            fuel: 3_000_000,
            memory: 16 << 20,
            ..Limits::default()
        },
        tables: Tables::new(),
        kept: None,
    }
}

/// Calls a function with an input that says little, and sees that the answer, if
/// there is one, is the same after it was written down and read again. Tells the
/// error otherwise.
///
/// # Errors
///
/// It is not, or the error says too much.
pub fn ask(plugin: &dyn Plugin, function: Function, settings: &Value) -> Result<Option<CallError>> {
    let context = Context {
        message: MessageId::from_text("m1"),
        flow: "deal-won".to_owned(),
        region: "de".to_owned(),
        unit: String::new(),
        time: "2026-11-22T04:00:00Z".parse()?,
        settings: Json::from(settings),
    };
    let links = Arc::new(NoLinks);
    match function {
        Function::Read => seen(plugin.read(&context, &inbound(), links)),
        Function::Write => seen(plugin.write(&context, &outbound(), links)),
        Function::Judge => seen(plugin.judge(&context, &proposal(), links)),
        Function::Assess => seen(plugin.assess(&context, &document()?, links)),
        Function::DraftInvoice => seen(plugin.draft_invoice(&context, &billable()?, links)),
    }
}

fn seen<T: Serialize + DeserializeOwned + PartialEq + Debug>(called: Called<T>) -> Result<Option<CallError>> {
    match called.answer {
        Ok(answer) => {
            let text = serde_json::to_string(&answer)?;
            let again: T = serde_json::from_str(&text).context("it cannot be read again")?;
            ensure!(again == answer, "written down it is another: {answer:?}");
            Ok(None)
        }
        Err(CallError::Host(text)) => anyhow::bail!("the host could not call it: {text}"),
        Err(error) => {
            bounded(&error.to_string())?;
            Ok(Some(error))
        }
    }
}

/// Sees that a refusal is one that a person can read.
///
/// # Errors
///
/// It is not.
pub fn refused(error: &LoadError) -> Result<()> {
    bounded(&error.to_string())
}

fn bounded(text: &str) -> Result<()> {
    ensure!(text.len() <= LONGEST, "an error of {} bytes", text.len());
    Ok(())
}

fn deal() -> EntityRef {
    EntityRef {
        kind: EntityKind::Opportunity,
        system: "crm".to_owned(),
        id: "1".to_owned(),
    }
}

fn inbound() -> Inbound {
    Inbound {
        system: "crm".to_owned(),
        event: "won".to_owned(),
        object_kind: "deal".to_owned(),
        object_id: "1".to_owned(),
        body: Json::empty_object(),
    }
}

fn outbound() -> Outbound {
    Outbound {
        system: "odoo".to_owned(),
        changes: Vec::new(),
        assessments: Vec::new(),
    }
}

fn proposal() -> Proposal {
    Proposal {
        changes: Vec::new(),
        approvals: Vec::new(),
    }
}

fn document() -> Result<Document> {
    let party = json!({"name": "A", "address": {"country": "DE"}, "business": true});
    Ok(serde_json::from_value(json!({
        "ref": deal(), "kind": "order", "tax-point": "2026-11-22", "currency": "EUR",
        "supplier": party, "customer": party, "lines": [],
    }))?)
}

fn billable() -> Result<Billable> {
    Ok(serde_json::from_value(json!({
        "contract": {"ref": deal()}, "account": {"ref": deal()},
        "from": "2026-11-01", "until": "2026-11-30",
    }))?)
}
