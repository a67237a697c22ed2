//! `cambist messages`: where messages stand, the newest first.

use std::process::ExitCode;

use anyhow::Result;
use cambist_journal::{Journal as _, journal::Filter};
use clap::{Args, builder::PossibleValuesParser};

use super::operator;
use crate::cli;

/// What to list.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// Only those in this state.
    #[arg(long, value_parser = PossibleValuesParser::new(cambist_admin::STATES))]
    state: Option<String>,
    /// Only those of this flow.
    #[arg(long)]
    flow: Option<String>,
    /// Only those of this region.
    #[arg(long)]
    region: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// Prints the list.
///
/// # Errors
///
/// The journal cannot be read.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let filter = Filter {
        state: options.state.clone(),
        flow: options.flow.clone(),
        region: options.region.clone(),
        limit: options.limit,
        ..Filter::default()
    };
    let messages = operator::journal(&reach)?.list(filter).await?;
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&messages)?);
        return Ok(ExitCode::SUCCESS);
    }
    say!(
        "{:<20}  {:<8}  {:<7}  {:<22}  {:<6}  why",
        "message",
        "state",
        "passed",
        "object",
        "region"
    );
    for status in &messages {
        say!(
            "{:<20}  {:<8}  {:<7}  {:<22}  {:<6}  {}",
            status.id,
            status.state.name(),
            status.passed.map_or("-", |stage| stage.name()),
            status.object,
            status.region.as_deref().unwrap_or("-"),
            status.why(),
        );
    }
    Ok(ExitCode::SUCCESS)
}
