//! LIMITS.md is true: every setting with its default, every bound with its number, and
//! the fixed words of every refusal are in it.

use anyhow::{Context as _, Result};
use cambist_contract::limits::Limits;
use cambist_tidy::files::{none, root};

fn page() -> Result<String> {
    let page = std::fs::read_to_string(root().join("LIMITS.md"))?;
    // a sentence may run over the end of a line
    Ok(words(&page))
}

/// A text with one space between its words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn source(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| path.to_owned())
}

#[test]
fn every_limit_has_its_line_with_its_default() -> Result<()> {
    let page = page()?;
    let limits = serde_json::to_value(Limits::default())?;
    let limits = limits.as_object().context("limits are settings by name")?;
    let findings: Vec<String> = limits
        .iter()
        .filter(|(setting, default)| {
            let line = page.split(&format!("| `{setting}` |")).nth(1);
            let line = line.and_then(|line| line.split(" | ").nth(1));
            !line.is_some_and(|line| line.starts_with(&default.to_string()))
        })
        .map(|(setting, default)| format!("`{setting}`, {default}"))
        .collect();
    assert!(limits.len() > 10, "this test has become blind");
    none(
        "LIMITS.md lacks a line for the setting, or its default:",
        &findings,
    )
}

#[test]
fn every_bound_is_told_with_its_number() -> Result<()> {
    let page = page()?;
    let mut findings = Vec::new();
    let mut seen = 0;
    for path in [
        "host/sandbox/src/bounds.rs",
        "host/sandbox/src/engine.rs",
        "host/sandbox/src/describe.rs",
        "host/contract/src/limits.rs",
        "host/contract/src/isolation.rs",
        "host/sandbox/src/kept.rs",
        "host/registry/src/signature.rs",
    ] {
        for line in source(path)?.lines() {
            let constant = line
                .split_once("const MAX_")
                .and_then(|(_, rest)| rest.split_once(" = "));
            let Some((name, value)) = constant else { continue };
            seen += 1;
            let Some(value) = number(value.trim_end_matches(';')) else {
                findings.push(format!("{path}: MAX_{name} is no number this test can read"));
                continue;
            };
            if !page
                .split(|sign: char| !sign.is_ascii_digit())
                .any(|word| word == value)
            {
                findings.push(format!("{path}: MAX_{name}, {value}"));
            }
        }
    }
    assert!(seen > 20, "only {seen} bounds found: this test has become blind");
    none("LIMITS.md lacks the bound:", &findings)
}

/// `1 << 20` and `60_000` as their digits.
fn number(text: &str) -> Option<String> {
    let plain = |text: &str| text.trim().replace('_', "").parse::<u64>().ok();
    let number = match text.split_once("<<") {
        Some((number, shift)) => plain(number)?.checked_shl(u32::try_from(plain(shift)?).ok()?)?,
        None => plain(text)?,
    };
    Some(number.to_string())
}

#[test]
fn every_refusals_words_are_told() -> Result<()> {
    let page = page()?;
    let mut findings = Vec::new();
    let mut seen = 0;
    for (path, begins) in [
        ("host/contract/src/plugin.rs", "#[error("),
        ("host/contract/src/fault.rs", "#[error("),
        ("host/registry/src/error.rs", "#[error("),
        ("host/registry/src/check.rs", "#[error("),
        ("host/registry/src/check.rs", "format!("),
        ("host/registry/src/check.rs", "let what ="),
        ("host/registry/src/examine.rs", "let reason ="),
        ("host/registry/src/examine.rs", "format!("),
        ("host/registry/src/prepare.rs", "let unbound ="),
        ("host/registry/src/prepare.rs", "let text ="),
        ("host/registry/src/step.rs", "format!("),
        ("host/registry/src/seen.rs", "format!("),
        ("host/registry/src/queue.rs", "format!("),
        ("host/registry/src/folder.rs", "format!("),
        ("host/registry/src/due.rs", "let text ="),
        ("host/registry/src/aside.rs", "format!("),
        ("host/registry/src/untried.rs", "format!("),
        ("host/registry/src/untried.rs", "then(|| {"),
        ("host/registry/src/rollout.rs", "let text ="),
        ("host/registry/src/rollout.rs", "format!("),
        ("host/registry/src/reload.rs", "let text ="),
        ("host/sandbox/src/generation/v0_1_0/answers.rs", "Wrong::new("),
        ("host/sandbox/src/generation/v0_1_0/convert.rs", "Wrong::new("),
        ("host/sandbox/src/generation/v0_1_0/convert.rs", "Date, "),
        ("host/sandbox/src/generation/v0_1_0/convert.rs", "Timestamp, "),
        ("host/sandbox/src/generation/v0_1_0/canonical.rs", "=> "),
        ("host/app/src/commands/plugin/oci.rs", "bail!("),
        ("host/app/src/commands/plugin/oci/artifact.rs", "bail!("),
        ("host/app/src/commands/plugin/oci/artifact.rs", "context("),
        ("host/app/src/commands/plugin/oci/proof.rs", "anyhow!("),
        ("host/app/src/commands/plugin/oci/proof.rs", "context("),
        ("host/app/src/commands/plugin/oci/repository.rs", "context("),
        ("host/app/src/commands/plugin/oci/wire.rs", "bail!("),
        ("host/app/src/commands/plugin/oci/wire.rs", "anyhow!("),
        ("host/app/src/commands/plugin/oci/wire.rs", "format!("),
        ("host/registry/src/admit.rs", "let reason ="),
        ("host/registry/src/signature.rs", "#[error("),
        ("host/registry/src/trust.rs", "#[error("),
        ("host/registry/src/trust.rs", "reasons.push("),
        ("host/sandbox/src/check.rs", "let text ="),
        ("host/registry/src/examine.rs", "let text ="),
        ("host/sandbox/src/check.rs", "WITHOUT_WASI: &str ="),
        ("host/sandbox/src/check.rs", "ways.push("),
        ("host/sandbox/src/describe.rs", "let text ="),
        ("host/sandbox/src/bounds.rs", "LoadError::TooLarge("),
        ("host/sandbox/src/bounds.rs", "most("),
        ("host/sandbox/src/trap.rs", "LoadError::TooLarge("),
    ] {
        let (source, before) = (source(path)?, seen);
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for text in source.split(begins).skip(1).filter_map(literal) {
            for piece in fixed(&text) {
                seen += 1;
                if !page.contains(&piece) {
                    findings.push(format!("{path}: \"{piece}\""));
                }
            }
        }
        if seen == before {
            findings.push(format!("{path}: nothing begins with `{begins}` any more"));
        }
    }
    assert!(seen > 150, "only {seen} texts found: this test has become blind");
    none("LIMITS.md does not tell the words:", &findings)
}

/// The string that the source begins with, perhaps after a macro's name.
fn literal(source: &str) -> Option<String> {
    let source = source.trim_start();
    let source = source.strip_prefix("format!(").unwrap_or(source).trim_start();
    let inside = source.strip_prefix('"')?;
    let end = inside.find('"')?;
    Some(inside.get(..end)?.replace("\\\n", " "))
}

/// What stands between the values: words of some length.
fn fixed(text: &str) -> Vec<String> {
    text.split('{')
        .map(|piece| piece.split_once('}').map_or(piece, |(_, rest)| rest))
        .map(|piece| words(piece.trim_matches(|sign: char| !sign.is_alphanumeric())))
        .filter(|piece| piece.len() > 4)
        .collect()
}
