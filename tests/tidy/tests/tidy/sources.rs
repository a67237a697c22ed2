//! Where a thing is found, and how much of it.

use std::io::Write as _;

use anyhow::Result;
use cambist_tidy::files::{none, sources};

/// The longest file: what one sitting takes.
const MAX_LINES: usize = 600;
/// The longest `lib.rs`: story, modules, names.
const MAX_LIB: usize = 80;

/// `lib.rs` files that hold more than names, and why.
const WITH_BODIES: [(&str, &str); 4] = [
    (
        "plugins/",
        "a plugin's lib.rs is the plugin: which rule answers which question",
    ),
    ("examples/", "as a plugin's"),
    ("tests/guests/", "one function, and a guest with its tricks"),
    (
        "sdk/rust/derive/",
        "Rust wants procedural macros at the root of their crate",
    ),
];

#[test]
fn every_file_begins_with_what_it_is_for() -> Result<()> {
    let findings: Vec<String> = sources()?
        .into_iter()
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| file.path)
        .collect();
    none("the first line of a .rs file is `//! …`:", &findings)
}

#[test]
fn no_file_is_longer_than_one_sitting() -> Result<()> {
    let mut lengths: Vec<(usize, String)> = sources()?
        .into_iter()
        .map(|file| (file.text.lines().count(), file.path))
        .collect();
    lengths.sort();
    let at = |percent: usize| lengths.get(lengths.len() * percent / 100).map_or(0, |it| it.0);
    let longest = lengths.last().cloned().unwrap_or_default();
    // not by `println!`, which a passing test keeps to itself
    writeln!(
        std::io::stderr(),
        "{} .rs files: median {} lines, p90 {}, longest {} ({})",
        lengths.len(),
        at(50),
        at(90),
        longest.0,
        longest.1
    )?;
    let findings: Vec<String> = lengths
        .iter()
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| format!("{path}: {lines}"))
        .collect();
    none(&format!("at most {MAX_LINES} lines:"), &findings)
}

#[test]
fn a_lib_names_and_orders_its_modules() -> Result<()> {
    let mut findings = Vec::new();
    for file in sources()? {
        if !file.path.ends_with("/lib.rs")
            || WITH_BODIES
                .iter()
                .any(|(folder, _)| file.path.starts_with(folder))
        {
            continue;
        }
        let lines = file.text.lines().count();
        if lines > MAX_LIB {
            findings.push(format!("{}: {lines} lines, at most {MAX_LIB}", file.path));
        }
        let code = file
            .text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        for line in code.filter(|line| line.contains("fn ") && !line.starts_with("macro_rules!")) {
            findings.push(format!("{}: `{line}` belongs to a module", file.path));
        }
    }
    none(
        "lib.rs holds the crate's story, its modules and their names:",
        &findings,
    )
}

#[test]
fn modules_stand_beside_their_folders() -> Result<()> {
    let findings: Vec<String> = sources()?
        .into_iter()
        .map(|file| file.path)
        .filter(|path| path.ends_with("/mod.rs"))
        .collect();
    none("name.rs beside name/, never mod.rs:", &findings)
}
