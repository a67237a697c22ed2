//! The contract with plugin authors: it parses, and every item says what it is.
//!
//! A folder of `wit/` whose digest stands in `wit/digests.txt` is frozen: plugins are built
//! against it. Its documentation is not: a sentence may become clearer, or tell what the host
//! does by now, as long as what a plugin does by it stays right.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::digest::Digest;
use cambist_tidy::files::{none, root, tracked};
use wit_parser::{Docs, Interface, Resolve, Type, TypeDefKind};

#[test]
fn every_item_is_documented() -> Result<()> {
    let mut findings = Vec::new();
    let mut seen = 0;
    for folder in generations()? {
        let mut resolve = Resolve::default();
        let shown = folder.display().to_string();
        resolve
            .push_dir(&folder)
            .with_context(|| format!("{shown} does not parse"))?;
        let mut look = |name: String, docs: &Docs| {
            seen += 1;
            if docs.is_empty() {
                findings.push(name);
            }
        };
        for (_, interface) in &resolve.interfaces {
            items(&resolve, interface, &mut look);
        }
        for (_, world) in &resolve.worlds {
            look(format!("world {}", world.name), &world.docs);
        }
    }
    assert!(seen > 100, "only {seen} items found: this test has become blind");
    none("each needs a `///` that says what it is:", &findings)
}

#[test]
fn the_world_that_the_contract_shows_is_one() -> Result<()> {
    for folder in generations()? {
        let text = fs::read_to_string(folder.join("worlds.wit"))?;
        let lines = text.lines().map(|line| line.trim_start_matches("///").trim());
        let shown: Vec<&str> = lines
            .skip_while(|line| *line != "```wit")
            .skip(1)
            .take_while(|line| *line != "```")
            .collect();
        let mut resolve = Resolve::default();
        resolve.push_dir(&folder)?;
        let shown = resolve.push_str("worlds.wit", &shown.join("\n"))?;
        let world = resolve.select_world(&[shown], None)?;
        let imports = resolve.worlds.get(world).map(|world| world.imports.len());
        ensure!(
            imports.is_some_and(|imports| imports > 2),
            "it imports {imports:?}"
        );
    }
    Ok(())
}

#[test]
fn faults_are_variants_not_texts() -> Result<()> {
    let mut findings = Vec::new();
    for file in tracked()? {
        for (number, line) in (1..).zip(file.text.lines()) {
            let code = line.split("//").next().unwrap_or_default().replace(' ', "");
            if file.path.ends_with(".wit") && code.contains("result<") && code.contains(",string>") {
                findings.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none(
        "a fault is named by what the other side can do about it:",
        &findings,
    )
}

#[test]
fn frozen_generations_stay_as_they_are() -> Result<()> {
    let frozen = fs::read_to_string(root().join("wit/digests.txt"))?;
    for line in frozen.lines().filter(|line| !line.starts_with('#')) {
        let (digest, generation) = line.split_once("  ").context("a line is `DIGEST  GENERATION`")?;
        let found = digest_of(generation)?;
        ensure!(
            found == digest,
            "wit/{generation} is frozen and has changed: it is {found} now; add a generation"
        );
    }
    Ok(())
}

/// The folders of `wit/`.
fn generations() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root().join("wit"))? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    ensure!(!folders.is_empty(), "wit/ holds no generation");
    Ok(folders)
}

/// One digest over the names of a generation's files and what they say without their
/// documentation, in order.
fn digest_of(generation: &str) -> Result<String> {
    let mut files = BTreeMap::new();
    for file in tracked()? {
        if let Some(name) = file.path.strip_prefix(&format!("wit/{generation}/")) {
            let lines = file.text.lines().map(str::trim);
            let said: Vec<&str> = lines
                .filter(|line| !line.is_empty() && !line.starts_with("//"))
                .collect();
            files.insert(name.to_owned(), said.join("\n"));
        }
    }
    let whole: String = files
        .iter()
        .map(|(name, text)| format!("{name}\n{text}\n"))
        .collect();
    Ok(Digest::of(whole.as_bytes()).to_string())
}

fn items(resolve: &Resolve, interface: &Interface, look: &mut impl FnMut(String, &Docs)) {
    let owner = interface.name.as_deref().unwrap_or("?");
    look(format!("interface {owner}"), &interface.docs);
    for (name, id) in &interface.types {
        let Some(item) = resolve.types.get(*id) else {
            continue;
        };
        let name = format!("{owner}.{name}");
        match &item.kind {
            // `use other.{name}`: documented where it is defined
            TypeDefKind::Type(Type::Id(_)) => continue,
            TypeDefKind::Record(record) => {
                record
                    .fields
                    .iter()
                    .for_each(|field| look(format!("{name}.{}", field.name), &field.docs));
            }
            TypeDefKind::Variant(variant) => {
                variant
                    .cases
                    .iter()
                    .for_each(|case| look(format!("{name}.{}", case.name), &case.docs));
            }
            TypeDefKind::Enum(it) => {
                it.cases
                    .iter()
                    .for_each(|case| look(format!("{name}.{}", case.name), &case.docs));
            }
            TypeDefKind::Flags(flags) => {
                flags
                    .flags
                    .iter()
                    .for_each(|flag| look(format!("{name}.{}", flag.name), &flag.docs));
            }
            _ => {}
        }
        look(name, &item.docs);
    }
    for (name, function) in &interface.functions {
        look(format!("{owner}.{name}()"), &function.docs);
    }
}
