//! `cambist plugin inspect`: what a component is made of, who signed it, and what its
//! cases cost.

mod cost;
mod print;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use cambist_contract::{
    digest::Digest,
    limits::Limits,
    plugin::{Interface, Loader as _},
    revision::{Revision, Tables},
};
use cambist_registry::{
    Trust, check,
    trust::{KeyId, Signature, Verdict},
    untried,
};
use cambist_sandbox::Sandbox;
use cambist_sdk_build::metadata::{self, Producer};
use clap::Args;
use serde::Serialize;

use self::cost::CaseCost;
use super::file;
use crate::config::Config;

/// What is looked at.
#[derive(Args, Clone, Debug)]
pub struct Inspect {
    /// The component.
    file: PathBuf,
    /// A host's config, for whether its keys made the signatures.
    #[arg(long, short)]
    config: Option<PathBuf>,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// What a component is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct About {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) authors: Option<String>,
    description: Option<String>,
    digest: Digest,
    /// In bytes.
    size: u64,
    /// The generations of the contract that it was built against; one, mostly.
    generations: Vec<String>,
    exports: Vec<Interface>,
    pub(super) imports: Vec<String>,
    /// The languages that its author wrote, as far as it says.
    written_in: Vec<String>,
    /// Languages of what else is in it, such as a runtime.
    parts_in: Vec<String>,
    /// The tools that it went through, or something in it did.
    made_with: Vec<Tool>,
    signatures: Vec<Signed>,
    cases_passed: usize,
    cases: Vec<CaseCost>,
    /// What its owner should know though it passed.
    warnings: Vec<String>,
}

/// A tool it was made with, as it says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Tool {
    /// What for: `processed-by` or `sdk`.
    #[serde(rename = "as")]
    field: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
}

/// A signature it carries.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Signed {
    key_id: KeyId,
    comment: String,
    /// None where there is no config to ask.
    #[serde(flatten)]
    verdict: Option<Verdict>,
}

impl About {
    /// The ids of the keys it says it was signed with; nothing is verified.
    pub(super) fn signers(&self) -> Vec<String> {
        let all = self.signatures.iter();
        all.map(|signature| signature.key_id.to_string()).collect()
    }
}

/// Prints it.
///
/// # Errors
///
/// The component does not load, or does not do what its cases say.
pub(super) fn run(options: &Inspect) -> Result<()> {
    let trust = match &options.config {
        Some(path) => Some(Config::read(path)?.trust),
        None => None,
    };
    let bytes = file::read(&options.file)?;
    let about = look(&bytes, trust.as_ref()).context(options.file.display().to_string())?;
    match options.json {
        true => say!("{}", serde_json::to_string_pretty(&about)?),
        false => print::about(&about),
    }
    Ok(())
}

/// Looks at a component and runs its cases, with all grants that need no name.
pub(super) fn look(bytes: &[u8], trust: Option<&Trust>) -> Result<About> {
    let found = trust.unwrap_or(&Trust::default()).look(bytes)?;
    let signatures = found
        .into_iter()
        .map(|signature| told(signature, trust.is_some()));
    let scratch = tempfile::tempdir().context("cannot make a folder")?;
    let sandbox = Sandbox::new(scratch.path())?;
    let said = sandbox.describe(bytes)?;
    let revision = Revision {
        plugin: said.name.clone().unwrap_or_default(),
        component: said.component,
        settings: serde_json::json!({}),
        grants: ["log", "reference:none", "links:none"]
            .iter()
            .filter_map(|grant| grant.parse().ok())
            .collect(),
        limits: Limits::default(),
        tables: Tables::new(),
        kept: None,
    };
    let plugin = sandbox.load(bytes, &revision)?;
    let costs = check::cases(plugin.as_ref(), &said.cases)?;
    let made = metadata::read(bytes).map_err(anyhow::Error::msg)?;
    Ok(About {
        name: said.name,
        version: said.version,
        generations: owned(made.generations()),
        written_in: owned(made.languages()),
        parts_in: owned(made.languages_within()),
        made_with: made.tools().into_iter().map(tool).collect(),
        authors: made.authors,
        description: made.description,
        digest: said.component,
        size: said.size,
        exports: said.interfaces,
        imports: said.imports,
        signatures: signatures.collect(),
        cases_passed: said.cases.len(),
        cases: said
            .cases
            .iter()
            .zip(&costs)
            .map(|(case, cost)| cost::of(case, cost, &revision.limits))
            .collect(),
        warnings: untried::whole(&said.cases).into_iter().collect(),
    })
}

fn owned<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn tool(of: &Producer) -> Tool {
    let Producer { field, name, version } = of.clone();
    Tool { field, name, version }
}

fn told(signature: Signature, is_known: bool) -> Signed {
    Signed {
        key_id: signature.key_id,
        comment: signature.comment,
        verdict: is_known.then_some(signature.verdict),
    }
}
