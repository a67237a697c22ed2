//! Components as they were built for earlier generations of the contract, kept as files:
//! they load and pass their own cases, for ever. See `tests/guests/frozen/README.md`.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{
    limits::Limits,
    plugin::{Function, Interface, Loader as _},
    revision::{Revision, Tables},
};
use cambist_registry::check;
use cambist_sandbox::Sandbox;

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
            settings: serde_json::json!({}),
            grants: ["log".parse()?].into(),
            limits: Limits::default(),
            tables: Tables::new(),
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
    }
    ensure!(found > 0, "no frozen plugin is in {}", folder.display());
    Ok(())
}
