//! `cambist check`: names every problem of config and plugins, and starts nothing.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result};
use cambist_registry::{Obstacle, Options, Part, Registry};
use cambist_sandbox::Sandbox;

use crate::{
    cli,
    config::{Config, Looked, Places, Problem},
    secrets,
};

/// Prints the problems. Exits with 1 if there is one.
///
/// # Errors
///
/// The check itself cannot be made.
#[expect(clippy::print_stdout, reason = "it is the command's answer")]
pub fn run(options: &cli::Printed) -> Result<ExitCode> {
    let file = &options.at.config;
    let problems = all(&Looked::at(file))?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&problems)?);
    } else if problems.is_empty() {
        println!("{}: config and plugins are good", file.display());
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

/// Everything that is wrong, in the order of the file.
fn all(looked: &Looked) -> Result<Vec<Problem>> {
    let mut problems = looked.problems();
    if let Some(config) = &looked.config {
        let (known, missing) = secrets::resolve(config, &looked.places);
        problems.extend(missing);
        problems.extend(looked.problems_of_parts(&known));
        problems.extend(plugins(config, &looked.places)?);
    }
    problems.sort_by_key(|problem| problem.line);
    Ok(problems)
}

/// Loads every plugin that bindings name, in folders of its own: a check leaves
/// nothing behind.
fn plugins(config: &Config, places: &Places) -> Result<Vec<Problem>> {
    let folder = &config.host.plugins;
    if places.is_lost(&["host", "plugins"]) {
        return Ok(Vec::new());
    }
    if !folder.is_dir() {
        let text = format!(
            "there is no plugin folder {}; make it, or set `plugins` under [host]",
            folder.display()
        );
        return Ok(vec![places.problem(&["host", "plugins"], text)]);
    }
    let scratch = tempfile::tempdir().context("cannot make a folder for the check")?;
    let sandbox = Sandbox::new(&scratch.path().join("compiled"))?;
    let options = Options {
        plugins: folder.clone(),
        archive: scratch.path().join("revisions"),
        bindings: config.bindings.clone(),
        tables: config.tables.clone(),
    };
    let registry = Registry::open(options, Arc::new(sandbox))?;
    let obstacles = registry
        .obstacles()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    let told = obstacles
        .into_iter()
        .filter_map(|it| of_binding(config, places, it));
    Ok(told.collect())
}

/// An obstacle with the place of the setting it is about.
fn of_binding(config: &Config, places: &Places, obstacle: Obstacle) -> Option<Problem> {
    let part = match obstacle.part {
        Part::Plugin => "plugin",
        Part::Stage => "stage",
        // the config's own check tells of tables
        Part::Tables => return None,
        Part::Grants => "grants",
        Part::Limits => "limits",
        Part::Settings => "settings",
    };
    let binding = obstacle.binding.to_string();
    let setting = ["bindings", &binding, part];
    if places.is_torn(&setting) {
        return None;
    }
    let plugin = &config.bindings.get(obstacle.binding)?.plugin;
    let is_there = config.host.plugins.join(format!("{plugin}.wasm")).is_file();
    let way_out = match obstacle.part {
        Part::Plugin if !is_there => "; `cambist plugin build` puts one there, or name another",
        Part::Stage => "; bind it to a stage that it serves, or name another",
        // the reason says it
        _ => "",
    };
    let text = format!("plugin `{plugin}`: {}{way_out}", obstacle.reason);
    Some(places.problem(&setting, text))
}
