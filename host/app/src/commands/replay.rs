//! `cambist replay`: sends a message its way again, at the running host.

use std::process::ExitCode;

use anyhow::Result;
use cambist_contract::{message::MessageId, stage::Stage};
use clap::{Args, builder::PossibleValuesParser};
use serde_json::json;

use super::operator;
use crate::cli;

/// Which message, and from where.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The message's id, or its beginning.
    id: String,
    /// The stage it begins at.
    #[arg(long, default_value = "fetch", value_parser = PossibleValuesParser::new(Stage::ALL.map(Stage::name)))]
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
pub async fn run(options: &Options) -> Result<ExitCode> {
    let by = operator::who(options.by.as_ref());
    let body = json!({"from": options.from, "live": options.live, "by": by});
    let done = |id: &MessageId| format!("{id} goes again from {}", options.from);
    operator::ask(&options.common, &options.id, "resume", body, done).await?;
    Ok(ExitCode::SUCCESS)
}
