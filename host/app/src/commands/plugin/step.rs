//! `cambist plugin push|live|back|kill`: the steps of a plugin's life, at the running
//! host.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use cambist_admin::answer::Stepped;
use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::{super::operator, status::line};
use crate::cli;

/// What to send.
#[derive(Args, Clone, Debug)]
pub struct Push {
    #[command(flatten)]
    common: cli::Printed,
    /// The component.
    file: PathBuf,
    /// The plugin's name; left out, the file's without `.wasm`.
    #[arg(long = "as")]
    plugin: Option<String>,
    /// Makes it live when it passes; else it waits for `cambist plugin live`.
    #[arg(long)]
    live: bool,
    /// Who sends it, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// What is to go live.
#[derive(Args, Clone, Debug)]
pub struct Live {
    #[command(flatten)]
    common: cli::Printed,
    /// The plugin.
    plugin: String,
    /// The component's digest, or how it begins; left out, the latest that waits. Where the plugin is
    /// held, left out, the one from before that: with what the config says.
    component: Option<String>,
    /// How the id begins of an older revision of one of its bindings: all that was live with it is
    /// so again, with the settings, tables and limits that it had, and the plugin is held.
    #[arg(long, conflicts_with = "component")]
    revision: Option<String>,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// What is to go back.
#[derive(Args, Clone, Debug)]
pub struct Back {
    #[command(flatten)]
    common: cli::Printed,
    /// The plugin.
    plugin: String,
    /// Goes back to all that was live before the last change of any part, with the settings, tables and
    /// limits that it had, and holds the plugin there; left out, to the component before, on today's.
    #[arg(long)]
    whole: bool,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// What is to be taken out.
#[derive(Args, Clone, Debug)]
pub struct Kill {
    #[command(flatten)]
    common: cli::Printed,
    /// The plugin.
    plugin: String,
    /// The component's digest, or how it begins; left out, the live one.
    component: Option<String>,
    /// Why: it stands with every message that is parked for it.
    #[arg(long)]
    reason: String,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// Sends a component.
///
/// # Errors
///
/// The file cannot be read, no host is running, or it refuses.
pub(super) async fn push(options: &Push) -> Result<()> {
    let file = &options.file;
    let component = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let plugin = options
        .plugin
        .as_deref()
        .or(stem)
        .context("the file has no name")?;
    let by = operator::who(options.by.as_ref());
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("by", &by)
        .append_pair("live", &options.live.to_string())
        .finish();
    let what = format!("push?{query}");
    take(
        &options.common,
        plugin,
        &what,
        operator::Body::Component(component),
        "passed",
    )
    .await
}

/// Makes a component live.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn live(options: &Live) -> Result<()> {
    let mut body = json!({"by": operator::who(options.by.as_ref())});
    name(&mut body, options.component.as_ref());
    if let (Some(revision), Some(body)) = (&options.revision, body.as_object_mut()) {
        body.insert("revision".to_owned(), json!(revision));
    }
    take(
        &options.common,
        &options.plugin,
        "live",
        operator::Body::Json(body),
        "is live",
    )
    .await
}

/// Goes back.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn back(options: &Back) -> Result<()> {
    let body = json!({"by": operator::who(options.by.as_ref()), "whole": options.whole});
    take(
        &options.common,
        &options.plugin,
        "back",
        operator::Body::Json(body),
        "is live again",
    )
    .await
}

/// Takes a component out.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn kill(options: &Kill) -> Result<()> {
    let mut body = json!({"by": operator::who(options.by.as_ref()), "reason": options.reason});
    name(&mut body, options.component.as_ref());
    take(
        &options.common,
        &options.plugin,
        "kill",
        operator::Body::Json(body),
        "is taken out",
    )
    .await
}

pub(super) fn name(body: &mut serde_json::Value, component: Option<&String>) {
    if let (Some(component), Some(body)) = (component, body.as_object_mut()) {
        body.insert("component".to_owned(), json!(component));
    }
}

/// Asks the host for a step, and prints what came of it.
pub(super) async fn take(
    common: &cli::Printed,
    plugin: &str,
    what: &str,
    body: operator::Body,
    done: &str,
) -> Result<()> {
    let reach = common.reach();
    let path = format!("plugins/{plugin}/{what}");
    let answer = operator::call(&reach, Method::POST, &path, Some(body)).await?;
    if common.json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    let stepped: Stepped = serde_json::from_value(answer).context("the host is of another version")?;
    say!("component {} {done}", stepped.component.short());
    say!("{}", line(&stepped.status));
    if let Some(reason) = &stepped.status.refused {
        say!("  {reason}");
    }
    if let Some(held) = &stepped.status.held {
        say!("  {held}");
    }
    for next in &stepped.status.next {
        say!("  {next}");
    }
    Ok(())
}
