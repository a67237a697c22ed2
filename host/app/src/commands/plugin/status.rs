//! `cambist plugin status`: what is live, what waits, and what does not pass and why.

use anyhow::{Context as _, Result, bail};
use cambist_admin::answer::Plugins;
use cambist_registry::{ComponentStatus, PluginStatus, Standing};
use clap::Args;
use reqwest::Method;

use super::super::operator;
use crate::cli;

/// Which plugins.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// Only this one, with all its components.
    plugin: Option<String>,
}

/// Asks the host, and prints.
///
/// # Errors
///
/// No host is running, or it has no such plugin.
pub(super) async fn run(options: &Options) -> Result<()> {
    let reach = options.common.reach();
    let answer = operator::call(&reach, Method::GET, "plugins", None).await?;
    let mut told: Plugins = serde_json::from_value(answer).context("the host is of another version")?;
    if let Some(plugin) = &options.plugin {
        told.plugins.retain(|status| status.plugin == *plugin);
        told.bindings.retain(|binding| binding.plugin == *plugin);
        if told.plugins.is_empty() && told.bindings.is_empty() {
            bail!("no plugin `{plugin}` has a file or ever passed, and no binding names it");
        }
    }
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    for status in &told.plugins {
        say!("{}", line(status));
        if let Some(reason) = &status.refused {
            say!("  {reason}");
        }
        if let Some(checking) = &status.checking
            && status.live.is_some()
        {
            say!("  {checking}");
        }
        if let Some(held) = &status.held {
            say!("  {held}");
        }
        for next in &status.next {
            say!("  {next}");
        }
        for component in &status.components {
            let is_news = !matches!(component.standing, Standing::Retired | Standing::Refused { .. });
            if options.plugin.is_some() || is_news {
                say!("  {}", component_line(component));
                for warning in &component.warnings {
                    say!("    warning: {warning}");
                }
            }
        }
    }
    let bare = told.bindings.iter().filter(|binding| {
        let known = |status: &PluginStatus| status.plugin == binding.plugin;
        !told.plugins.iter().any(known)
    });
    for binding in bare {
        say!(
            "{}: no file, and a binding to `{}` names it",
            binding.plugin,
            binding.stage
        );
    }
    Ok(())
}

/// A plugin in a line.
pub(super) fn line(status: &PluginStatus) -> String {
    let version = status.version.as_deref().unwrap_or("without a version");
    match (&status.live, &status.refused) {
        (Some(live), None) => format!("{}: {version}, {} is live", status.plugin, live.short()),
        (Some(live), Some(_)) => format!(
            "{}: {version}, {} stays live, and what stands in the folder is not:",
            status.plugin,
            live.short()
        ),
        (None, _) => format!("{}: nothing is live:", status.plugin),
    }
}

fn component_line(component: &ComponentStatus) -> String {
    let mut text = format!(
        "{}  {:<9}  {:<10}  since {} by {}",
        component.component.short(),
        component.standing.name(),
        component.version.as_deref().unwrap_or("-"),
        component.since.strftime("%Y-%m-%d %H:%M:%S UTC"),
        component.by,
    );
    match component.pinned {
        None | Some(0) => {}
        Some(1) => text.push_str("; 1 message is to finish on it"),
        Some(many) => text.push_str(&format!("; {many} messages are to finish on it")),
    }
    match &component.standing {
        Standing::Refused { reason } | Standing::Killed { reason } => text.push_str(&format!("; {reason}")),
        Standing::Sharing { share } => text.push_str(&format!("; {} % of the keys", share.percent)),
        _ => {}
    }
    if let Some(why) = &component.withdrawn {
        text.push_str(&format!("; withdrawn: {why}"));
    }
    text
}
