//! `cambist replays`: what was ordered to be replayed, how far it has come and what came of it;
//! and the end of an order before its end. At the running host.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cambist_admin::answer::Replays;
use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::{operator, replay::report};
use crate::cli;

/// Which order, and what about it.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The order's number; left out, the latest are listed.
    number: Option<u64>,
    /// How many of the messages that differ are told of, those first that differ by the most money.
    #[arg(long, default_value_t = 7)]
    open: usize,
    /// Ends the order where it stands. What is on its way again goes on.
    #[arg(long, requires = "number")]
    stop: bool,
    /// Who asks, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// Asks the host, and prints.
///
/// # Errors
///
/// No host is running, or it knows of no such order.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let Some(number) = options.number else {
        let told = operator::call(&reach, Method::GET, "replays", None).await?;
        if options.common.json {
            say!("{}", serde_json::to_string_pretty(&told)?);
            return Ok(ExitCode::SUCCESS);
        }
        let told: Replays = serde_json::from_value(told).context("the host is of another version")?;
        if told.replays.is_empty() {
            say!("nothing was ordered to be replayed");
        }
        told.replays
            .iter()
            .for_each(|replay| say!("{}", report::line(replay)));
        return Ok(ExitCode::SUCCESS);
    };
    if options.stop {
        let body = json!({"by": operator::who(options.by.as_ref())});
        let path = format!("replays/{number}/stop");
        operator::call(&reach, Method::POST, &path, Some(operator::Body::Json(body))).await?;
    }
    let told = report::ask(&reach, number, options.open).await?;
    match options.common.json {
        true => say!("{}", serde_json::to_string_pretty(&told)?),
        false => report::tell(&told),
    }
    Ok(ExitCode::SUCCESS)
}
