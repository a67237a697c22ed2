//! `cambist release`: lets a message pass that policy holds for a role.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::operator;
use crate::cli;

/// Which message, and for which role.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Config,
    /// The message's id, or its beginning.
    id: String,
    /// The role it is held for, which you have.
    #[arg(long)]
    role: String,
    /// Who releases it, for the evidence; left out, the user.
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
    let body = json!({"role": options.role, "by": by});
    operator::ask(&options.common.config, &options.id, "release", body).await?;
    println!("{} is released for {}", options.id, options.role);
    Ok(ExitCode::SUCCESS)
}
