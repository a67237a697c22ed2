//! `cambist status`: how the running host stands, and how long what is left takes.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cambist_admin::answer::{BacklogStanding, Left, Standing};
use reqwest::Method;

use super::operator;
use crate::cli;

/// Asks the host.
///
/// # Errors
///
/// No host is running, or it cannot read its journal.
pub async fn run(options: &cli::Printed) -> Result<ExitCode> {
    let reach = options.reach();
    let answer = operator::call(&reach, Method::GET, "status", None).await?;
    if options.json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    let told: Standing = serde_json::from_value(answer).context("the host is of another version")?;
    say!("{}", summary(&told.left));
    say!(
        "\n{:<34} {:>8} {:>8} {:>8} {:>8}  ready in",
        "flow, region",
        "due",
        "resting",
        "ended",
        "a minute"
    );
    for backlog in &told.backlogs {
        let left = &backlog.left;
        say!(
            "{:<34} {:>8} {:>8} {:>8} {:>8}  {}",
            name(backlog),
            left.due,
            left.resting,
            left.ended,
            left.ended_per_minute,
            time(left.seconds_left)
        );
    }
    say!("\nsystems");
    for system in &told.systems {
        let until = system
            .seconds
            .map_or(String::new(), |wait| format!(" for {}", time(Some(wait))));
        say!(
            "  {:<32} {}{until}, {} of {} at once",
            system.system,
            system.state,
            system.at_once,
            system.at_once_most
        );
    }
    say!("\nwhat rests");
    if told.parked.is_empty() {
        say!("  nothing");
    }
    for parked in &told.parked {
        say!(
            "  {:>8}  {} before {}",
            parked.messages,
            parked.code,
            parked.stage
        );
    }
    say!(
        "\njournal\n  {}",
        told.journal.trouble.as_deref().unwrap_or("is written")
    );
    if let Some(since) = told.journal.oldest_due {
        say!("  the oldest message that is due came at {since}");
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(left: &Left) -> String {
    match (left.due, left.seconds_left) {
        (0, _) => format!("nothing is due, {} rest", left.resting),
        (due, None) => format!("{due} due, {} rest; none ended in the last minute", left.resting),
        (due, wait) => format!(
            "{due} due, {} rest; {} end in a minute, ready in {}",
            left.resting,
            left.ended_per_minute,
            time(wait)
        ),
    }
}

fn name(backlog: &BacklogStanding) -> String {
    match (&backlog.flow, &backlog.region, &backlog.system) {
        (Some(flow), Some(region), _) => format!("{flow}, {region}"),
        (_, _, system) => format!("of {}, not looked at", system.as_deref().unwrap_or("-")),
    }
}

/// A time as people say it.
fn time(seconds: Option<u64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(seconds @ 0..120) => format!("{seconds} s"),
        Some(seconds @ 120..7_200) => format!("{} min", seconds.div_ceil(60)),
        Some(seconds) => format!("{} h", seconds.div_ceil(3_600)),
    }
}
