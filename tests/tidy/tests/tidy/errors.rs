//! How an error speaks: a lower-case fragment that fits behind "cannot do it:",
//! without a full stop.

use anyhow::Result;
use cambist_tidy::files::{none, sources};

/// Names that are written with a capital wherever they stand.
const NAMES: [&str; 5] = ["Odoo", "HubSpot", "JSON", "HTTP", "SQLite"];

#[test]
fn error_texts_are_fragments() -> Result<()> {
    let mut findings = Vec::new();
    let mut seen = 0;
    for file in sources()? {
        for text in texts(&file.text) {
            seen += 1;
            let named = NAMES.iter().any(|name| text.starts_with(name));
            if text.chars().next().is_some_and(char::is_uppercase) && !named {
                findings.push(format!("{}: \"{text}\" begins with a capital", file.path));
            }
            if text.ends_with('.') {
                findings.push(format!("{}: \"{text}\" ends with a full stop", file.path));
            }
        }
    }
    assert!(seen > 50, "only {seen} texts found: this test has become blind");
    none(
        "error texts are lower-case fragments without a full stop:",
        &findings,
    )
}

/// The literal in each `#[error("…")]`.
fn texts(source: &str) -> impl Iterator<Item = &str> {
    source
        .split("#[error(")
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"'))
        .filter_map(|rest| {
            let mut escaped = false;
            let end = rest.find(|sign| {
                let ends = sign == '"' && !escaped;
                escaped = sign == '\\' && !escaped;
                ends
            });
            rest.get(..end?)
        })
}
