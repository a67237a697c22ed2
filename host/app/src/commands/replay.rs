//! `cambist replay`: sends a message its way again, at the running host.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::operator;
use crate::cli;

/// Which message, and from where.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Config,
    /// The message's id, or its beginning.
    id: String,
    /// The stage it begins at: fetch, read, own, judge, draft, tax, write, deliver.
    #[arg(long, default_value = "fetch")]
    from: String,
    /// Takes the live revisions of the plugins instead of those it was pinned to.
    #[arg(long)]
    live: bool,
    /// Who asks, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// Asks the host.
///
/// # Errors
///
/// No host is running, or it refuses.
#[expect(clippy::print_stdout, reason = "it is the command's answer")]
pub async fn run(options: &Options) -> Result<ExitCode> {
    let by = operator::who(options.by.as_ref());
    let body = json!({"from": options.from, "live": options.live, "by": by});
    operator::ask(&options.common.config, &options.id, "resume", body).await?;
    println!("{} goes again from {}", options.id, options.from);
    Ok(ExitCode::SUCCESS)
}
