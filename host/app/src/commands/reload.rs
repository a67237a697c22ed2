//! `cambist reload`: has the running host read its config file again, and tells what came of
//! it.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cambist_admin::answer::{Reloaded, TakenOut};
use reqwest::Method;
use serde_json::json;

use super::operator;
use crate::cli;

/// Asks the host.
///
/// # Errors
///
/// No host is running, or the config does not pass.
pub async fn run(options: &cli::Printed) -> Result<ExitCode> {
    let reach = options.reach();
    let body = operator::Body::Json(json!({}));
    let answer = operator::call(&reach, Method::POST, "config/reload", Some(body)).await?;
    if options.json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    let told: Reloaded = serde_json::from_value(answer).context("the host is of another version")?;
    say!("the config holds");
    for TakenOut {
        plugin,
        component,
        beside,
        reason,
    } in &told.out
    {
        let component = component.short();
        match beside {
            true => say!(
                "  {plugin}: component {component} does not stand beside the live one any more: {reason}"
            ),
            false => say!(
                "  {plugin}: component {component} WAS TAKEN OUT, and its messages park until another is live: {reason}"
            ),
        }
    }
    let is_out = |plugin: &String| told.out.iter().any(|it| it.plugin == *plugin && !it.beside);
    for plugin in told.plugins.iter().filter(|plugin| !is_out(plugin)) {
        say!("  {plugin} is served on other terms");
    }
    for held in &told.held {
        say!("  {}: {held}", held.plugin);
    }
    for setting in &told.restart {
        say!("  {setting} holds after a restart");
    }
    Ok(ExitCode::SUCCESS)
}
