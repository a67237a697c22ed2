//! `cambist reload`: has the running host read its config file again, and tells what came of
//! it.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cambist_admin::answer::Reloaded;
use reqwest::Method;
use serde_json::json;

use super::operator;
use crate::{cli, config::Config};

/// Asks the host.
///
/// # Errors
///
/// No host is running, or the config does not pass.
pub async fn run(options: &cli::Printed) -> Result<ExitCode> {
    let config = Config::read(&options.at.config)?;
    let body = operator::Body::Json(json!({}));
    let answer = operator::call(&config, Method::POST, "config/reload", Some(body)).await?;
    if options.json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    let told: Reloaded = serde_json::from_value(answer).context("the host is of another version")?;
    say!("the config holds");
    for plugin in &told.plugins {
        say!("  {plugin} is served on other terms");
    }
    for setting in &told.restart {
        say!("  {setting} holds after a restart");
    }
    Ok(ExitCode::SUCCESS)
}
