//! `cambist parked edit`: gives a message another input, at the running host.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use cambist_contract::{Json, message::MessageId};
use clap::Args;
use serde::Serialize;

use crate::{cli, commands::operator};

/// Which message, and its input.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  \
    cambist parked show 3f9a --input > deal.json     the input as it is; put it right with any editor\n  \
    cambist parked edit 3f9a --body deal.json --reason \"the country was misspelt\"\n\n\
    The message goes on from `read`, on the revisions it is pinned to, and what was approved is asked for \
    anew. Its system, its object's kind and id stay. What the source says is not changed: put it right there \
    too, or the next message brings it back.")]
pub(super) struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The message's id, or its beginning.
    id: String,
    /// A file with the whole object as JSON, in its source's words.
    #[arg(long)]
    body: PathBuf,
    /// Why, for the evidence.
    #[arg(long)]
    reason: String,
    /// Routes it anew and takes the live revisions of the plugins: for another region.
    #[arg(long)]
    live: bool,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// What is asked. The input stays the text it is, so that no number loses a digit.
#[derive(Serialize)]
struct Edit<'a> {
    body: Json,
    reason: &'a str,
    live: bool,
    by: String,
}

/// Asks the host.
///
/// # Errors
///
/// The file is no JSON, no host is running, or it refuses.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let path = options.body.display();
    let text = std::fs::read_to_string(&options.body).with_context(|| format!("cannot read {path}"))?;
    let edit = Edit {
        body: Json::parse(text.trim().to_owned()).with_context(|| format!("{path} is no JSON"))?,
        reason: &options.reason,
        live: options.live,
        by: operator::who(options.by.as_ref()),
    };
    let body = serde_json::to_string(&edit)?;
    let done = |id: &MessageId| format!("{id} goes on from read with the edited input");
    operator::ask_parked(&options.common, &options.id, "edit", body, done).await?;
    Ok(ExitCode::SUCCESS)
}
