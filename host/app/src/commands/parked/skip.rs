//! `cambist parked skip`: ends a message that is to go nowhere, at the running host.

use std::process::ExitCode;

use anyhow::Result;
use cambist_contract::message::MessageId;
use clap::Args;
use serde_json::json;

use crate::{cli, commands::operator};

/// Which message, and why.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  \
    cambist parked skip 3f9a --reason \"a test deal; sales has deleted it\"")]
pub(super) struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The message's id, or its beginning.
    id: String,
    /// Why, for the evidence.
    #[arg(long)]
    reason: String,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// Asks the host.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let by = operator::who(options.by.as_ref());
    let body = json!({"reason": options.reason, "by": by}).to_string();
    let done = |id: &MessageId| format!("{id} is skipped; the next of its key goes on");
    operator::ask_parked(&options.common, &options.id, "skip", body, done).await?;
    Ok(ExitCode::SUCCESS)
}
