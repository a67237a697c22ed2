//! `cambist parked show`: one message that waits for a person, from the journal's file.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cambist_admin::parked;
use clap::Args;

use super::money;
use crate::{cli, commands::operator};

/// Which message.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    cambist parked show 3f9a\n  \
    cambist parked show 3f9a --input > deal.json     and, when that is put right:\n  \
    cambist parked edit 3f9a --body deal.json --reason \"the country was misspelt\"")]
pub(super) struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The message's id, or its beginning.
    id: String,
    /// Prints the input alone, in its source's words: the one to begin an edit from. It holds the
    /// message's data.
    #[arg(long)]
    input: bool,
}

/// Prints it.
///
/// # Errors
///
/// The journal cannot be read, there is no such message, or it does not wait.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let claim = operator::message(&operator::journal(&reach)?, &options.id).await?;
    if options.input {
        let input = parked::input(&claim.entries);
        let input =
            input.context("nothing was fetched yet; `cambist show --json ID` has what the system said")?;
        say!("{}", input.as_str());
        return Ok(ExitCode::SUCCESS);
    }
    let message = parked::message(&claim).with_context(|| {
        let state = claim.status.state.name();
        format!("the message is {state} and waits for nobody; `cambist show` tells what became of it")
    })?;
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&message)?);
        return Ok(ExitCode::SUCCESS);
    }
    let status = &message.status;
    say!("message   {}", status.id);
    say!(
        "from      {}, {} of {}",
        status.system,
        status.event,
        status.object
    );
    say!("waits     before {} ({})", message.stage, message.code);
    say!("since     {}, received {}", status.updated_at, status.received_at);
    say!("why       {}", message.reason);
    say!("way out   {}", message.way_out);
    if status.holds > 0 {
        say!(
            "holds     {} messages of its key, which wait behind it",
            status.holds
        );
    }
    if let Some(customer) = &message.customer {
        say!("customer  {customer}");
    }
    if let Some(amount) = &message.amount {
        say!("amount    {}, by the {}", money(Some(amount)), amount.of);
    }
    for edit in &message.edits {
        say!("input     {edit}");
    }
    Ok(ExitCode::SUCCESS)
}
