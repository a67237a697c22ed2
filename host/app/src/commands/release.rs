//! `cambist release`: lets a message pass that policy holds for a role.

use std::process::ExitCode;

use anyhow::Result;
use cambist_contract::message::MessageId;
use clap::Args;
use serde_json::json;

use super::operator;
use crate::cli;

/// Which message, and for which role.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
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
pub async fn run(options: &Options) -> Result<ExitCode> {
    let by = operator::who(options.by.as_ref());
    let body = json!({"role": options.role, "by": by});
    let done = |id: &MessageId| format!("{id} is released for {}", options.role);
    operator::ask(&options.common, &options.id, "release", body, done).await?;
    Ok(ExitCode::SUCCESS)
}
