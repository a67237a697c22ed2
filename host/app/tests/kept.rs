//! Isolation as a config chooses it, from binding to call: the registry on the real
//! sandbox, with a guest that counts its calls in memory.

use std::{collections::BTreeMap, fs, sync::Arc};

use anyhow::{Context as _, Result};
use cambist_contract::{
    Json, context::Context, message::MessageId, plugin::NoLinks, policy::Proposal, stage::Stage,
};
use cambist_registry::{Binding, NewPlugins, Options, Part, Registry, binding::Subject, ledger::Memory};
use cambist_sandbox::Sandbox;
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

fn registry(folder: &TempDir, bindings: &[Binding]) -> Result<Registry> {
    let options = Options {
        plugins: folder.path().join("plugins"),
        archive: folder.path().join("revisions"),
        bindings: bindings.to_vec(),
        tables: BTreeMap::from([("rates".to_owned(), BTreeMap::new())]),
        new_plugins: NewPlugins::Live,
        trust: Default::default(),
    };
    let sandbox = Sandbox::new(&folder.path().join("compiled"))?;
    Ok(Registry::open(
        options,
        Arc::new(sandbox),
        Arc::new(Memory::default()),
    )?)
}

fn binding(plugin: &str, region: &str, isolation: &serde_json::Value) -> Result<Binding> {
    let binding = json!({
        "stage": "judge", "plugin": plugin, "region": region, "isolation": isolation,
        "grants": ["log", "reference:rates", "links:odoo"], "settings": {"do": "count"},
    });
    Ok(serde_json::from_value(binding)?)
}

#[test]
fn a_plugin_that_remembers_is_refused_where_instances_are_kept() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bytes = with_case(&cambist_guests::component("unruly")?)?;
    let open = |isolation| registry(&folder, &[binding("unruly", "de", &isolation)?]);

    let status = open(json!("fresh"))?.offer("unruly", &bytes, NOW);
    assert_eq!(status.refused, None);
    for calls in [2, 3, 1000] {
        let registry = open(json!({"calls": calls}))?;
        let refused = registry.offer("unruly", &bytes, NOW).refused.unwrap_or_default();
        let told = "its case `a-call-is-counted-by-itself` has another answer the second time: `reasons[0].text` is \
                    \"2\", not \"1\", in an instance that has served before, as its binding's `isolation` lets it; its \
                    answer may not depend on what an earlier call has left; mend that, or set `isolation = \"fresh\"`";
        assert_eq!(refused, told, "{calls}");
    }

    fs::write(folder.path().join("plugins/unruly.wasm"), &*bytes)?;
    let obstacles = open(json!({"calls": 10}))?.obstacles()?;
    let parts: Vec<_> = obstacles.iter().map(|it| (it.part, it.is_warning)).collect();
    assert_eq!(parts, [(Part::Isolation, false)]);
    Ok(())
}

#[test]
fn bindings_that_are_alike_share_a_revision_and_no_instance() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // without a case nothing finds it out
    let bytes = cambist_guests::component("unruly")?;
    for (isolation, is_kept) in [(json!("fresh"), false), (json!({"calls": 1000}), true)] {
        let bindings = [
            binding("unruly", "de", &isolation)?,
            binding("unruly", "in", &isolation)?,
        ];
        let registry = registry(&folder, &bindings)?;
        assert_eq!(registry.offer("unruly", &bytes, NOW).refused, None);
        let of = |region| {
            let subject = Subject {
                flow: "f",
                region,
                unit: "",
                key: "",
            };
            let pins = registry.route(&[Stage::Judge], subject)?.revisions;
            pins.get(&Stage::Judge).copied().context("judge has a revision")
        };
        let (de, india) = (of("de")?, of("in")?);
        assert_eq!(de == india, !is_kept, "kept, they are two revisions");
        let count = |id| -> Result<String> {
            let called = judge(&registry, &id)?;
            Ok(called)
        };
        let counts = [count(de)?, count(de)?, count(india)?, count(de)?];
        let expected = if is_kept { ["1", "2", "1", "3"] } else { ["1"; 4] };
        assert_eq!(counts, expected);
    }
    Ok(())
}

/// What the guest says: the how-manieth call of its instance this one was.
fn judge(registry: &Registry, id: &cambist_contract::digest::Digest) -> Result<String> {
    let pinned = registry.pinned(id)?;
    let context = Context {
        message: MessageId::from_text("m"),
        flow: "f".to_owned(),
        region: "de".to_owned(),
        unit: String::new(),
        time: NOW,
        settings: Json::from(&pinned.revision.settings),
    };
    let nothing = Proposal {
        changes: Vec::new(),
        approvals: Vec::new(),
    };
    let verdict = pinned
        .plugin
        .judge(&context, &nothing, Arc::new(NoLinks))
        .answer?;
    let reason = verdict.reasons.first().context("it gives a reason")?;
    Ok(reason.text.clone())
}

/// The component with a case: the first call of an instance is counted as such. A custom
/// section is its id, its length, its name's length, its name, and what it holds.
fn with_case(component: &[u8]) -> Result<Vec<u8>> {
    let context =
        json!({"message": "case", "flow": "f", "region": "de", "time": NOW, "settings": {"do": "count"}});
    let reasons = json!([{"code": "count", "text": "1"}]);
    let case = json!([{"name": "a-call-is-counted-by-itself", "call": "judge", "context": context,
        "input": {"changes": []}, "expect": {"ok": {"decision": "allow", "reasons": reasons}}}]);
    let (name, data) = ("cambist-cases", case.to_string());
    let length = 1 + name.len() + data.len();
    let mut bytes = component.to_vec();
    // the length in two groups of seven bits
    bytes.extend([
        0,
        u8::try_from(length & 0x7f)? | 0x80,
        u8::try_from(length >> 7)?,
        13,
    ]);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(data.as_bytes());
    Ok(bytes)
}
