//! What a component is, for people.

use cambist_registry::trust::Verdict;

use super::{About, Signed};

/// Says it.
pub(super) fn about(about: &About) {
    let unnamed = "a plugin without a name".to_owned();
    let name = about.name.as_ref().unwrap_or(&unnamed);
    let version = about.version.as_deref().unwrap_or_default();
    say!("{}", format!("{name} {version}").trim_end());
    if let Some(description) = &about.description {
        say!("  {description}");
    }
    row("authors", about.authors.as_deref().unwrap_or("not told"));
    row("component", &about.digest.to_string());
    row("size", &format!("{} bytes", about.size));
    row("contract", &about.generations.join(", "));
    let exports: Vec<String> = about.exports.iter().map(ToString::to_string).collect();
    row("exports", &exports.join(", "));
    row("imports", &list(&about.imports));
    let written_in = match about.written_in.as_slice() {
        [] => "not told".to_owned(),
        languages => languages.join(", "),
    };
    row("written in", &written_in);
    if !about.parts_in.is_empty() {
        row("parts in", &about.parts_in.join(", "));
    }
    let made: Vec<String> = about
        .made_with
        .iter()
        .map(|it| format!("{} {}", it.name, it.version).trim_end().to_owned())
        .collect();
    row("made with", &list(&made));
    if about.signatures.is_empty() {
        row("signed", "no");
    }
    for signature in &about.signatures {
        row("signed", &signed(signature));
    }
    row("cases", &format!("{} passed", about.cases_passed));
    for warning in &about.warnings {
        row("warning", warning);
    }
    for case in &about.cases {
        say!(
            "  {}: fuel {}, {} % of the default limit; {} µs here",
            case.name,
            case.fuel,
            case.percent,
            case.micros
        );
    }
}

fn row(what: &str, is: &str) {
    say!("  {what:<10} {is}");
}

fn list(items: &[String]) -> String {
    match items {
        [] => "none".to_owned(),
        items => items.join(", "),
    }
}

fn signed(signature: &Signed) -> String {
    let worth = match &signature.verdict {
        None => "not verified without --config".to_owned(),
        Some(Verdict::Good { key }) => format!("good, by `{key}`"),
        Some(Verdict::Revoked { key }) => format!("does not count, `{key}` is revoked"),
        Some(Verdict::Wrong { key }) => format!("wrong, not by `{key}` or not of these bytes"),
        Some(Verdict::Unknown) => "the config does not have its key".to_owned(),
    };
    // what is signed may still move a terminal's cursor
    let comment: String = signature
        .comment
        .chars()
        .map(|sign| if sign.is_control() { ' ' } else { sign })
        .collect();
    format!("{}: {worth} ({comment})", signature.key_id)
}
