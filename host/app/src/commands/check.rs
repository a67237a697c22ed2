//! `cambist check`: names every problem of config and plugins, and of systems if asked to;
//! it starts nothing.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result};
use cambist_connect::{ConnectError, Systems};
use cambist_journal::{Ledger as _, store::SqliteJournal};
use cambist_registry::{
    Registry,
    ledger::{Memory, Taken},
};
use cambist_sandbox::Sandbox;
use clap::Args;
use tokio::task::JoinSet;

use crate::{
    cli,
    config::{self, Config, Looked, Places, Problem},
    ledger, secrets,
};

/// What is checked.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// Also asks each CRM and Odoo, by one cheap call, whether it is there and takes
    /// its key.
    #[arg(long)]
    systems: bool,
}

/// Prints the problems. Exits with 1 if there is one that is not only a warning.
///
/// # Errors
///
/// The check itself cannot be made.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let file = &options.common.at.config;
    let looked = Looked::at(file);
    let mut problems = all(&looked).await?;
    if options.systems {
        problems.extend(systems(&looked).await);
        problems.sort_by_key(|problem| problem.line);
    }
    let is_good = problems.iter().all(|problem| problem.is_warning);
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&problems)?);
    } else {
        for problem in &problems {
            say!("{problem}");
        }
        if is_good {
            let systems = if options.systems { ", systems" } else { "" };
            say!("{}: config{systems} and plugins are good", file.display());
        }
    }
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Everything that is wrong, in the order of the file.
async fn all(looked: &Looked) -> Result<Vec<Problem>> {
    let mut problems = looked.problems();
    if let Some(config) = &looked.config {
        let (known, missing) = secrets::resolve(config, &looked.places);
        problems.extend(missing);
        problems.extend(looked.problems_of_parts(&known));
        problems.extend(plugins(config, &looked.places).await?);
    }
    problems.sort_by_key(|problem| problem.line);
    Ok(problems)
}

/// Asks every system that can be made, all at once; why another cannot be made is told
/// with the config.
async fn systems(looked: &Looked) -> Vec<Problem> {
    let Some(config) = &looked.config else {
        return Vec::new();
    };
    let (known, _) = secrets::resolve(config, &looked.places);
    let mut asked = JoinSet::new();
    for (name, system) in &config.connect.systems {
        let mut alone = config.connect.clone();
        alone.systems = [(name.clone(), system.clone())].into();
        if let Ok(systems) = Systems::new(&alone, &known, None) {
            let name = name.clone();
            asked.spawn(async move { (ready(&systems, &name).await, name) });
        }
    }
    let answers = asked.join_all().await.into_iter();
    answers
        .filter_map(|(answer, name)| {
            let setting = ["connect", "systems", name.as_str()];
            Some(looked.places.problem(&setting, answer.err()?.to_string()))
        })
        .collect()
}

/// Asks one system, once: as a source and as a target it answers the same.
async fn ready(systems: &Systems, name: &str) -> Result<(), ConnectError> {
    match (systems.source(name), systems.target(name)) {
        (Some(source), _) => source.ready().await,
        (None, Some(target)) => target.ready().await,
        (None, None) => Ok(()),
    }
}

/// What was done with plugins, where a host has kept it: what is live may be another component
/// than the one in the folder. Where it cannot be read, the folder says it alone.
async fn lived(config: &Config) -> Option<Vec<Taken>> {
    let (journal, archive) = (config.journal(), config.registry().archive);
    if !journal.is_file() || !archive.is_dir() {
        return None;
    }
    let journal = SqliteJournal::open_read_only(journal).ok()?;
    let acts = journal.acts().await.ok()?;
    Some(acts.into_iter().map(ledger::taken).collect())
}

/// Loads every plugin that bindings name, compiled in a folder of its own: a check leaves
/// nothing behind.
async fn plugins(config: &Config, places: &Places) -> Result<Vec<Problem>> {
    let folder = &config.host.plugins;
    if places.is_lost(&["host", "plugins"]) {
        return Ok(Vec::new());
    }
    if !folder.is_dir() {
        let text = format!(
            "there is no plugin folder {0}; `cambist plugin build CRATE --to {0}` makes it, or set `plugins` under [host]",
            folder.display()
        );
        return Ok(vec![places.problem(&["host", "plugins"], text)]);
    }
    let scratch = tempfile::tempdir().context("cannot make a folder for the check")?;
    let sandbox = Sandbox::new(&scratch.path().join("compiled"))?;
    let (known, archive) = match lived(config).await {
        Some(steps) => (steps, config.registry().archive),
        None => (Vec::new(), scratch.path().join("revisions")),
    };
    let options = cambist_registry::Options {
        archive,
        ..config.registry()
    };
    let registry = Registry::open(options, Arc::new(sandbox), Arc::new(Memory::behind(known)))?;
    let unreadable = || format!("cannot read {}", folder.display());
    let mut obstacles = registry.obstacles().with_context(unreadable)?;
    obstacles.extend(registry.obstacles_of_live().with_context(unreadable)?);
    let told = obstacles
        .into_iter()
        .filter_map(|it| config::of_binding(config, places, it));
    Ok(told.collect())
}
