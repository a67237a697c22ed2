//! Components as they were built for earlier generations of the contract, kept as files:
//! they load and pass their own cases, for ever. See `tests/guests/frozen/README.md`.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{
    canonical::EntityRef,
    context::Context,
    limits::Limits,
    message::MessageId,
    plugin::{CallError, Function, Interface, Link, Links, Loader as _, Plugin},
    policy::Proposal,
    revision::{Revision, Tables},
};
use cambist_registry::check;
use cambist_sandbox::Sandbox;
use jiff::Timestamp;
use serde_json::json;

#[test]
fn what_was_built_for_a_generation_goes_on_running() -> Result<()> {
    let cache = tempfile::tempdir()?;
    let sandbox = Sandbox::new(cache.path())?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/frozen");
    let mut found = 0;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        found += 1;
        let bytes = fs::read(&path)?;
        let about = sandbox.describe(&bytes)?;
        let revision = Revision {
            plugin: "frozen".to_owned(),
            component: about.component,
            settings: json!({}),
            grants: [
                "log".parse()?,
                "reference:granted".parse()?,
                "links:granted".parse()?,
            ]
            .into(),
            limits: Limits::default(),
            tables: table(),
            kept: None,
        };
        let plugin = sandbox.load(&bytes, &revision)?;
        check::cases(plugin.as_ref(), &about.cases).with_context(|| path.display().to_string())?;

        // else it would prove less than it says
        let all = [
            Interface::Mapping,
            Interface::Policy,
            Interface::Tax,
            Interface::Invoicing,
        ];
        ensure!(all.iter().all(|interface| about.interfaces.contains(interface)));
        let called = [
            Function::Read,
            Function::Write,
            Function::Judge,
            Function::Assess,
            Function::DraftInvoice,
        ];
        ensure!(
            called
                .iter()
                .all(|call| about.cases.iter().any(|case| case.call == *call))
        );
        host_functions(plugin.as_ref());
    }
    ensure!(found > 0, "no frozen plugin is in {}", folder.display());
    Ok(())
}

fn table() -> Tables {
    let rows = [("DE".to_owned(), json!({"rate": "19"}))].into();
    [("granted".to_owned(), rows)].into()
}

struct OneLink;

impl Links for OneLink {
    fn find(&self, entity: &EntityRef, _: &str, _: Duration) -> Option<Link> {
        Some(Link {
            model: "res.partner".to_owned(),
            external_id: Some("x.1".to_owned()),
            id: Some(format!("partner-{}", entity.id)),
        })
    }
}

/// What the plugin is answered by the host's functions, and what reaches the host by them.
fn host_functions(plugin: &dyn Plugin) {
    let ask = |unit: &str| {
        let context = Context {
            message: MessageId::from_text("m-1"),
            flow: "won-deal".to_owned(),
            region: "de".to_owned(),
            unit: unit.to_owned(),
            time: Timestamp::UNIX_EPOCH,
            settings: (&json!({"ok": {"decision": "allow"}})).into(),
        };
        let proposal = Proposal {
            changes: Vec::new(),
            approvals: Vec::new(),
        };
        plugin.judge(&context, &proposal, Arc::new(OneLink))
    };
    let called = ask("looks-up");
    let reasons = called.answer.map(|verdict| verdict.reasons).unwrap_or_default();
    let told: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert_eq!(
        told,
        [
            r#"Ok(Some("{\"rate\":\"19\"}"))"#,
            r#"Err(ReferenceError::NotGranted("other"))"#,
            r#"Ok(Some(Link { model: "res.partner", external-id: Some("x.1"), id: Some("partner-1") }))"#,
            r#"Err(LinksError::NotGranted("other"))"#,
            r#"{}"#,
        ]
    );
    let lines: Vec<(&str, &str)> = called
        .cost
        .log
        .iter()
        .map(|line| (line.level.as_str(), line.text.as_str()))
        .collect();
    let levels = ["debug", "info", "warn", "error"];
    assert_eq!(lines, levels.map(|level| (level, "seen")));

    let Err(CallError::Trapped(words)) = ask("panics").answer else {
        unreachable!("it panics");
    };
    assert!(words.contains("these are its last words"), "{words}");
}
