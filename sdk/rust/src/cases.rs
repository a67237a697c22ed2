//! Runs a plugin's cases natively: fast, and with a debugger where it is needed.
//!
//! A case is a folder under the plugin's `cases/`: `input.json` with the call,
//! its context and its input, and `expected.json` with `{"ok": …}` or
//! `{"fault": …}`. A new case is a new folder and no Rust. The same folders run
//! against the component, in the host, before a revision goes live.
//!
//! ```ignore
//! #[test]
//! fn cases() {
//!     cambist_sdk::cases::Cases::of_crate(env!("CARGO_MANIFEST_DIR")).mapping::<HubSpot>();
//! }
//! ```

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::prelude::*;

/// The cases of a plugin.
pub struct Cases {
    folder: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    call: String,
    context: Context,
    input: Value,
}

impl Cases {
    /// The cases in the folder `cases` of a crate.
    pub fn of_crate(manifest_dir: &str) -> Self {
        Self {
            folder: PathBuf::from(manifest_dir).join("cases"),
        }
    }

    /// Runs the cases that call `read` or `write`.
    ///
    /// # Panics
    ///
    /// A case is not as expected, cannot be read, or there is none.
    pub fn mapping<P: Mapping>(&self) {
        self.run(|call| match call.call.as_str() {
            "read" => Some(answer(P::read(&call.context, input(call)))),
            "write" => Some(answer(P::write(&call.context, input(call)))),
            _ => None,
        });
    }

    /// Runs the cases that call `judge`.
    ///
    /// # Panics
    ///
    /// As [`mapping`](Self::mapping).
    pub fn policy<P: Policy>(&self) {
        self.run(|call| (call.call == "judge").then(|| answer(P::judge(&call.context, input(call)))));
    }

    /// Runs the cases that call `assess`.
    ///
    /// # Panics
    ///
    /// As [`mapping`](Self::mapping).
    pub fn tax<P: Tax>(&self) {
        self.run(|call| (call.call == "assess").then(|| answer(P::assess(&call.context, input(call)))));
    }

    /// Runs the cases that call `draft-invoice`.
    ///
    /// # Panics
    ///
    /// As [`mapping`](Self::mapping).
    pub fn invoicing<P: Invoicing>(&self) {
        self.run(|call| {
            (call.call == "draft-invoice").then(|| answer(P::draft_invoice(&call.context, input(call))))
        });
    }

    #[expect(clippy::panic, reason = "a test harness fails by panicking")]
    fn run(&self, call: impl Fn(&Call) -> Option<Compare>) {
        let mut failures = Vec::new();
        let mut ran = 0;
        let mut folders: Vec<_> = fs::read_dir(&self.folder)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", self.folder.display()))
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.is_dir())
            .collect();
        folders.sort();
        for folder in folders {
            let name = folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let Some(compare) = call(&load(&folder.join("input.json"))) else {
                continue;
            };
            ran += 1;
            let expected: Value = load(&folder.join("expected.json"));
            if let Err(difference) = compare(&expected) {
                failures.push(format!("== {name}\n{difference}"));
            }
        }
        assert!(
            failures.is_empty(),
            "{} of {ran} cases differ\n{}",
            failures.len(),
            failures.join("\n")
        );
        assert!(
            ran > 0,
            "no case under {} calls this interface",
            self.folder.display()
        );
    }
}

/// Compares an answer with what a case expects.
type Compare = Box<dyn Fn(&Value) -> std::result::Result<(), String>>;

/// The expected answer goes through the same types as the real one, so that
/// `119.0` and `119.00` are the same and a typing error in a case is found.
fn answer<T: Serialize + DeserializeOwned + 'static>(answer: Result<T>) -> Compare {
    Box::new(move |expected| {
        let real = match &answer {
            Ok(value) => serde_json::json!({ "ok": value }),
            Err(fault) => serde_json::json!({ "fault": fault }),
        };
        let expected = match (expected.get("ok"), expected.get("fault")) {
            (Some(value), None) => T::deserialize(value).map(|value| serde_json::json!({ "ok": value })),
            (None, Some(fault)) => {
                Fault::deserialize(fault).map(|fault| serde_json::json!({ "fault": fault }))
            }
            _ => return Err("expected.json must be {\"ok\": …} or {\"fault\": …}".to_owned()),
        }
        .map_err(|error| format!("expected.json: {error}; the answer was\n{real:#}"))?;
        if real == expected {
            Ok(())
        } else {
            Err(format!("expected\n{expected:#}\nbut the answer was\n{real:#}"))
        }
    })
}

#[expect(clippy::panic, reason = "a test harness fails by panicking")]
fn input<T: DeserializeOwned>(call: &Call) -> T {
    T::deserialize(&call.input).unwrap_or_else(|error| panic!("the input of a `{}` case: {error}", call.call))
}

#[expect(clippy::panic, reason = "a test harness fails by panicking")]
fn load<T: DeserializeOwned>(path: &std::path::Path) -> T {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
