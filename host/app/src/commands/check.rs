//! `cambist check`: names every problem of config and plugins, and starts nothing.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result};
use cambist_admin::Admin;
use cambist_connect::Systems;
use cambist_ingress::Ingress;
use cambist_registry::{Options, Registry};
use cambist_sandbox::Sandbox;

use crate::{
    cli,
    config::{Config, Problem},
    secrets,
};

/// Prints the problems. Exits with 1 if there is one.
///
/// # Errors
///
/// The check itself cannot be made.
#[expect(clippy::print_stdout, reason = "it is the command's answer")]
pub fn run(options: &cli::Config) -> Result<ExitCode> {
    let problems = match Config::read(&options.config) {
        Ok(config) => all(&config, &options.config)?,
        Err(problem) => vec![problem],
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&problems)?);
    } else if problems.is_empty() {
        println!("{}: config and plugins are good", options.config.display());
    } else {
        for problem in &problems {
            println!("{problem}");
        }
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn all(config: &Config, path: &Path) -> Result<Vec<Problem>> {
    let mut problems = config.problems(path);
    match secrets::resolve(config, path) {
        Ok(secrets) => {
            let wrong = |error: &dyn std::fmt::Display| Problem::of_file(path, error.to_string());
            let doors = Ingress::check(&config.ingress, &secrets)
                .err()
                .unwrap_or_default();
            problems.extend(doors.iter().map(|error| wrong(error)));
            let systems = Systems::new(&config.connect, &secrets).err().unwrap_or_default();
            problems.extend(systems.iter().map(|error| wrong(error)));
            let token = secrets.get(&config.admin.token);
            let operators = token.and_then(|token| Admin::check(&config.admin, token).err());
            problems.extend(operators.iter().map(|error| wrong(error)));
        }
        Err(missing) => problems.extend(missing),
    }
    problems.extend(plugins(config)?);
    Ok(problems)
}

/// Loads every plugin that bindings name, in folders of its own: a check leaves
/// nothing behind.
fn plugins(config: &Config) -> Result<Vec<Problem>> {
    let scratch = tempfile::tempdir().context("cannot make a folder for the check")?;
    let sandbox = Sandbox::new(&scratch.path().join("compiled"))?;
    let options = Options {
        plugins: config.host.plugins.clone(),
        archive: scratch.path().join("revisions"),
        bindings: config.bindings.clone(),
        tables: config.tables.clone(),
    };
    let registry = Registry::open(options, Arc::new(sandbox))?;
    registry.refresh(jiff::Timestamp::UNIX_EPOCH);
    let missing = registry.missing().into_iter();
    Ok(missing
        .map(|(plugin, reason)| Problem::of_file(&config.host.plugins.join(format!("{plugin}.wasm")), reason))
        .collect())
}
