//! `cambist parked list`: why messages wait for a person, from the journal's file.

use std::process::ExitCode;

use anyhow::Result;
use cambist_admin::{
    answer::{Parked, ParkedMessage},
    parked::{PAGE, PAGE_LIMIT, Wanted, overview},
};
use clap::Args;

use super::money;
use crate::{cli, commands::operator};

/// Which of them.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    cambist parked                               why messages wait, and what would make them go on\n  \
    cambist parked list --code refused           those that the target refused, with customer and amount\n  \
    cambist parked list --code held --region de --json")]
pub(super) struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// Lists the messages that wait for this; `held` and `waiting` are codes too.
    #[arg(long)]
    code: Option<String>,
    /// Only messages of this flow.
    #[arg(long, requires = "code")]
    flow: Option<String>,
    /// Only messages of this region.
    #[arg(long, requires = "code")]
    region: Option<String>,
    /// Only messages of this system.
    #[arg(long, requires = "code")]
    system: Option<String>,
    /// Only messages that arrived before this place, as the list before says at its end.
    #[arg(long, requires = "code")]
    before: Option<u64>,
    /// At most so many messages.
    #[arg(long, default_value_t = PAGE)]
    limit: usize,
}

/// Prints the list.
///
/// # Errors
///
/// The journal cannot be read.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let wanted = Wanted {
        code: options.code.clone(),
        flow: options.flow.clone(),
        region: options.region.clone(),
        system: options.system.clone(),
        before: options.before,
        limit: options.limit.clamp(1, PAGE_LIMIT),
    };
    let parked = overview(&operator::journal(&reach)?, &wanted).await?;
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&parked)?);
        return Ok(ExitCode::SUCCESS);
    }
    if parked.causes.is_empty() {
        say!("nothing waits for a person");
    }
    causes(&parked);
    for message in &parked.messages {
        line(message);
    }
    if let Some(before) = parked.next_before {
        say!("\nmore of them: --before {before}");
    }
    Ok(ExitCode::SUCCESS)
}

fn causes(parked: &Parked) {
    for cause in &parked.causes {
        say!(
            "{:>5}  {} before {}, the oldest since {}{}",
            cause.messages,
            cause.code,
            cause.stage,
            cause.oldest,
            match cause.behind {
                0 => String::new(),
                behind => format!("; {behind} more wait behind them"),
            }
        );
        say!("       such as {}: {}", cause.example, cause.reason);
        say!("       way out: {}", cause.way_out);
    }
}

fn line(message: &ParkedMessage) {
    let status = &message.status;
    say!(
        "\n{:<20}  {:<22}  {:<6}  {}  {}",
        status.id,
        status.object,
        status.region.as_deref().unwrap_or("-"),
        message.customer.as_deref().unwrap_or("-"),
        money(message.amount.as_ref()),
    );
    say!("    {}", message.reason);
}
