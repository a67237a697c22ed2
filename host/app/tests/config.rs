//! The documented example is a config without problems, and the schema beside it
//! is the one the binary prints.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cambist_app::{
    commands::schema,
    config::{Config, Looked},
};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

#[test]
fn the_documented_example_has_no_problems() -> Result<()> {
    let path = examples().join("demo/cambist.toml");
    assert_eq!(Looked::at(&path).problems(), []);
    Ok(())
}

#[test]
fn a_config_comes_back_from_its_own_text() -> Result<()> {
    let config = Config::read(&examples().join("demo/cambist.toml"))?;
    let text = toml::to_string(&config)?;
    let again: Config = toml::from_str(&text)?;
    assert_eq!(toml::to_string(&again)?, text);
    Ok(())
}

/// `cargo run --release -- schema > examples/cambist.schema.json` writes it anew.
#[test]
fn the_schema_that_is_checked_in_is_the_binarys() -> Result<()> {
    let path = examples().join("cambist.schema.json");
    let kept = std::fs::read_to_string(&path).context("examples/cambist.schema.json")?;
    assert_eq!(
        kept.trim_end(),
        schema::text()?,
        "print it anew: cargo run --release -- schema > {}",
        path.display()
    );
    Ok(())
}

/// Each line is a change of the example and what is said about it.
#[test]
fn problems_are_named_with_their_line_and_the_way_out() -> Result<()> {
    let example = std::fs::read_to_string(examples().join("demo/cambist.toml"))?;
    for (from, to, said) in [
        (
            "listen = \"127.0.0.1:8700\"",
            "listens = \"127.0.0.1:8700\"",
            "unknown field `listens`",
        ),
        ("listen = \"127.0.0.1:8700\"", "listen = 8700", "invalid type"),
        (
            "[regions.in.supplier]",
            "[regions.it.supplier]",
            "add [regions.in.supplier]",
        ),
        (
            "from = [\"hubspot\"]",
            "from = [\"salesforce\"]",
            "add [ingress.systems.salesforce]",
        ),
        (
            "in = \"odoo-in\"",
            "in = \"odoo-it\"",
            "add [connect.systems.odoo-it]",
        ),
        (
            "from = [\"hubspot\"]",
            "from = [\"odoo-in\"]",
            "is from `odoo-in`, and nothing can be read from a system of its kind",
        ),
        (
            "stage = \"judge\"",
            "stage = \"own\"",
            "no plugin serves stage `own`",
        ),
        (
            "stage = \"judge\"",
            "stage = \"jugde\"",
            "unknown variant `jugde`",
        ),
        (
            "region = \"in\"\nplugin = \"tax-in-gst\"",
            "region = \"de\"\nplugin = \"tax-in-gst\"",
            "ties with an earlier one",
        ),
        (
            "plugin = \"policy-deal-desk\"",
            "plugin = \"policy-deal-desk\"\ngrants = [\"reference:rates\"]",
            "add [tables.rates]",
        ),
        (
            "plugin = \"policy-deal-desk\"",
            "plugin = \"policy-deal-desk\"\ngrants = [\"network\"]",
            "write `log`, `reference:TABLE`",
        ),
        (
            "[regions.in.supplier]",
            "[trust.keys.pune]\npublic-key = \"RWQ\"\n\n[regions.in.supplier]",
            "not a public key of minisign; give the line",
        ),
        (
            "[regions.in.supplier]",
            "[trust]\nsignatures = \"required\"\n\n[regions.in.supplier]",
            "add [trust.keys.NAME] with the `public-key`",
        ),
        (
            "[regions.in.supplier]",
            "[trust.keys.turin]\npublic-key = \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\"\n\
             regions = [\"it\"]\n\n[regions.in.supplier]",
            "add [regions.it.supplier]",
        ),
        (
            "[regions.in.supplier]",
            "[trust.keys.nobody]\npublic-key = \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\"\n\
             regions = []\n\n[regions.in.supplier]",
            "leave `regions` out if it is for all",
        ),
        (
            "[regions.in.supplier]",
            "[trust.keys]\n\
             one.public-key = \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\"\n\
             two.public-key = \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\"\n\n[regions.in.supplier]",
            "keys `one` and `two` have the same id",
        ),
        (
            "plugin = \"policy-deal-desk\"",
            "plugin = \"policy-deal-desk\"\ncomponent = \"sha256\"",
            "not a SHA-256 digest of 64 hex digits",
        ),
        ("pointer = \"/deal", "pointer = \"deal", "must be a JSON pointer"),
        (
            "token = { env = \"CAMBIST_ADMIN_TOKEN\" }",
            "token = \"secret\"",
            "a secret does not stand in the config",
        ),
    ] {
        anyhow::ensure!(example.contains(from), "the example has no `{from}`");
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("cambist.toml");
        std::fs::write(&path, example.replacen(from, to, 1))?;
        let problems = Looked::at(&path).problems();
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let found = problems.iter().find(|problem| problem.problem.contains(said));
        let found = found.with_context(|| format!("`{said}` is not among {texts:?}"))?;
        assert!(found.line.is_some(), "{found} has no line");
    }
    Ok(())
}
