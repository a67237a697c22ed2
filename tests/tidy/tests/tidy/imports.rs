//! Who may import whom. Imports go down only and never sideways on a floor, and
//! each edge is a decision: a line here, with its reason in `ARCHITECTURE.md`.

use anyhow::Result;
use cambist_tidy::files::{manifests, none};

/// A crate of the host, its floor, and which of ours it is built with.
struct Crate {
    name: &'static str,
    floor: u8,
    may: &'static [&'static str],
}

/// The host's crates by floor, bottom first.
const HOST: [Crate; 10] = [
    Crate {
        name: "cambist-contract",
        floor: 0,
        may: &[],
    },
    Crate {
        name: "cambist-journal",
        floor: 1,
        may: &["cambist-contract"],
    },
    Crate {
        name: "cambist-sandbox",
        floor: 1,
        may: &["cambist-contract"],
    },
    Crate {
        name: "cambist-registry",
        floor: 1,
        may: &["cambist-contract"],
    },
    Crate {
        name: "cambist-connect",
        floor: 1,
        may: &["cambist-contract"],
    },
    Crate {
        name: "cambist-ingress",
        floor: 2,
        may: &["cambist-contract", "cambist-journal"],
    },
    Crate {
        name: "cambist-pipeline",
        floor: 2,
        may: &[
            "cambist-contract",
            "cambist-journal",
            "cambist-registry",
            "cambist-connect",
        ],
    },
    Crate {
        name: "cambist-reconcile",
        floor: 2,
        may: &["cambist-contract", "cambist-journal", "cambist-connect"],
    },
    Crate {
        name: "cambist-admin",
        floor: 2,
        may: &["cambist-contract", "cambist-journal", "cambist-registry"],
    },
    Crate {
        name: "cambist-app",
        floor: 3,
        may: &[
            "cambist-contract",
            "cambist-journal",
            "cambist-sandbox",
            "cambist-registry",
            "cambist-connect",
            "cambist-ingress",
            "cambist-pipeline",
            "cambist-reconcile",
            "cambist-admin",
            // `cambist plugin build`, and the demo, whose CRM is the double
            "cambist-sdk-build",
            "cambist-doubles",
        ],
    },
];

/// What tests of the host may use besides: nothing that could make a circle.
const IN_TESTS: [&str; 2] = ["cambist-doubles", "cambist-guests"];

/// What a plugin is built with. No clock, no runtime, nothing of the host.
const PLUGINS: [&str; 3] = ["cambist-sdk", "serde", "serde_json"];

/// The authors' side and what proves it; those that are not named may import all.
const OTHERS: [(&str, &[&str]); 8] = [
    ("sdk/rust", &["cambist-sdk-derive"]),
    ("sdk/rust/derive", &[]),
    ("sdk/build", &[]),
    ("tests/doubles", &["cambist-contract"]),
    ("tests/guests", &["cambist-sdk-build"]),
    ("tests/guests/marked", &["cambist-sdk"]),
    ("tests/guests/mirror", &["cambist-sdk"]),
    ("tests/guests/unruly", &["cambist-sdk"]),
];

#[test]
fn host_crates_import_downward_by_decision() -> Result<()> {
    let mut findings = Vec::new();
    for (folder, manifest) in manifests()? {
        if !folder.starts_with("host/") {
            continue;
        }
        let name = name(&manifest);
        let Some(known) = HOST.iter().find(|it| it.name == name) else {
            findings.push(format!("{folder}: `{name}` is on no floor; add it to HOST"));
            continue;
        };
        let floor = |name: &str| HOST.iter().find(|it| it.name == name).map(|it| it.floor);
        for import in ours(&manifest, "dependencies") {
            if !known.may.contains(&import.as_str()) {
                findings.push(format!("{folder} imports {import}, and no decision says it may"));
            }
            if floor(&import).is_some_and(|floor| floor >= known.floor) {
                findings.push(format!("{folder} imports {import}, which is not below it"));
            }
        }
        for import in ours(&manifest, "dev-dependencies") {
            if !known.may.contains(&import.as_str()) && !IN_TESTS.contains(&import.as_str()) {
                findings.push(format!(
                    "{folder} tests with {import}, and no decision says it may"
                ));
            }
        }
    }
    none("imports go down only, and each edge is a decision:", &findings)
}

#[test]
fn only_the_app_and_what_tests_it_imports_the_sandbox() -> Result<()> {
    let importers: Vec<String> = manifests()?
        .into_iter()
        .filter(|(_, manifest)| ours(manifest, "dependencies").any(|import| import == "cambist-sandbox"))
        .map(|(folder, _)| folder)
        .filter(|folder| !["host/app", "tests/bench", "tests/e2e"].contains(&folder.as_str()))
        .collect();
    none(
        "the sandbox is handed in through the port, except by:",
        &importers,
    )
}

#[test]
fn plugins_import_the_sdk_and_nothing_of_the_host() -> Result<()> {
    let mut findings = Vec::new();
    for (folder, manifest) in manifests()? {
        if !folder.starts_with("plugins/") && !folder.starts_with("examples/") {
            continue;
        }
        for import in names(&manifest, "dependencies") {
            if !PLUGINS.contains(&import.as_str()) {
                findings.push(format!("{folder} imports {import}"));
            }
        }
        for import in ours(&manifest, "dev-dependencies") {
            findings.push(format!("{folder} tests with {import}"));
        }
    }
    none("a plugin is built with the SDK and serde alone:", &findings)
}

#[test]
fn sdk_doubles_and_guests_know_nothing_of_the_host() -> Result<()> {
    let mut findings = Vec::new();
    for (folder, manifest) in manifests()? {
        let Some((_, may)) = OTHERS.iter().find(|(other, _)| *other == folder) else {
            continue;
        };
        let imports = ours(&manifest, "dependencies").chain(ours(&manifest, "dev-dependencies"));
        for import in imports.filter(|import| !may.contains(&import.as_str())) {
            findings.push(format!("{folder} imports {import}"));
        }
    }
    none(
        "these import what is named in OTHERS and nothing else:",
        &findings,
    )
}

#[test]
fn packages_of_the_host_are_named_after_their_folders() -> Result<()> {
    let findings: Vec<String> = manifests()?
        .iter()
        .filter_map(|(folder, manifest)| {
            let wanted = format!("cambist-{}", folder.strip_prefix("host/")?);
            (name(manifest) != wanted).then(|| format!("{folder} should be {wanted}"))
        })
        .collect();
    none("host/NAME is the package cambist-NAME:", &findings)
}

#[test]
fn every_member_inherits_the_workspaces_lints() -> Result<()> {
    let inherits = |manifest: &toml::Table| {
        manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool)
            .unwrap_or(false)
    };
    let findings: Vec<String> = manifests()?
        .into_iter()
        .filter(|(_, manifest)| !inherits(manifest))
        .map(|(folder, _)| folder)
        .collect();
    none("[lints] workspace = true is missing in:", &findings)
}

#[test]
fn anyhow_is_for_the_binary_and_for_tests() -> Result<()> {
    let may = ["host/app", "tests/"];
    let findings: Vec<String> = manifests()?
        .into_iter()
        .filter(|(folder, manifest)| {
            !may.iter().any(|may| folder.starts_with(may))
                && names(manifest, "dependencies").any(|import| import == "anyhow")
        })
        .map(|(folder, _)| folder)
        .collect();
    none(
        "errors of a library are typed, so that callers can tell them apart:",
        &findings,
    )
}

fn name(manifest: &toml::Table) -> &str {
    manifest
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(toml::Value::as_str)
        .unwrap_or_default()
}

/// All dependencies of a kind.
fn names<'a>(manifest: &'a toml::Table, kind: &str) -> impl Iterator<Item = String> + 'a {
    let table = manifest.get(kind).and_then(toml::Value::as_table);
    table.into_iter().flat_map(|table| table.keys().cloned())
}

/// Those that are our own.
fn ours<'a>(manifest: &'a toml::Table, kind: &str) -> impl Iterator<Item = String> + 'a {
    names(manifest, kind).filter(|name| name.starts_with("cambist-"))
}
