//! Words that have no place in what is handed over.

use anyhow::Result;
use cambist_tidy::files::{none, tracked};

/// Written in two halves, so that this file does not find itself.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!(")];

#[test]
fn nothing_is_left_to_be_done_later() -> Result<()> {
    let mut findings = Vec::new();
    for file in tracked()? {
        for (number, line) in (1..).zip(file.text.lines()) {
            // in a test's double a method that nobody calls says so; in what ships, it is work left
            let missing = !file.path.contains("tests/") && line.contains(concat!("unimplemented", "!("));
            if missing || UNFINISHED.iter().any(|word| line.contains(word)) {
                findings.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none("do it, or say in the documents that it is not done:", &findings)
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() -> Result<()> {
    let places = [
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("arti", "factory"),
    ];
    let mut findings = Vec::new();
    for file in tracked()? {
        for (number, line) in (1..).zip(file.text.lines()) {
            if places.iter().any(|place| line.contains(place)) {
                findings.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none("no paths and no mirrors of one machine:", &findings)
}

#[test]
fn every_dependency_comes_from_the_public_registry() -> Result<()> {
    let lock = std::fs::read_to_string(cambist_tidy::files::root().join("Cargo.lock"))?;
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let findings: Vec<String> = lock
        .lines()
        .filter(|line| line.starts_with("source = ") && *line != public)
        .map(str::to_owned)
        .collect();
    none("Cargo.lock names crates.io alone:", &findings)
}
