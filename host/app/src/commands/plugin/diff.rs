//! `cambist plugin diff`: how a shadow compares with what is live.

use anyhow::{Context as _, Result};
use cambist_admin::answer::Diff;
use cambist_journal::comparison::{Comparison, Tally};
use clap::Args;
use reqwest::Method;

use super::super::operator;
use crate::cli;

/// Paths that are listed; `--json` has them all.
const PATHS: usize = 12;

/// Which shadow, and which of its calls.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The plugin.
    plugin: String,
    /// The shadow's digest, or how it begins; left out, what stands beside now.
    component: Option<String>,
    /// Only messages that differ in money.
    #[arg(long)]
    money: bool,
    /// At most so many messages that differ.
    #[arg(long, default_value_t = 7)]
    limit: usize,
}

/// Asks the host, and prints.
///
/// # Errors
///
/// No host is running, or it knows of no such shadow.
pub(super) async fn run(options: &Options) -> Result<()> {
    let reach = options.common.reach();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("money", &options.money.to_string())
        .append_pair("limit", &options.limit.to_string());
    if let Some(component) = &options.component {
        query.append_pair("component", component);
    }
    let path = format!("plugins/{}/diff?{}", options.plugin, query.finish());
    let answer = operator::call(&reach, Method::GET, &path, None).await?;
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    let diff: Diff = serde_json::from_value(answer).context("the host is of another version")?;
    print(&diff);
    Ok(())
}

fn print(diff: &Diff) {
    let told = &diff.comparisons;
    if told.tallies.is_empty() {
        say!(
            "{} of {} was not called beside anything yet",
            diff.shadow.short(),
            diff.plugin
        );
    }
    for tally in &told.tallies {
        say!("{}", line(tally));
    }
    if !told.paths.is_empty() {
        say!("\nwhere they differ, in how many messages:");
    }
    for path in told.paths.iter().take(PATHS) {
        let place = if path.path.is_empty() {
            "(the answer)"
        } else {
            &path.path
        };
        let money = if path.money { "  money" } else { "" };
        say!("{:>7}  {} {place}{money}", path.messages, path.stage);
    }
    if told.paths.len() > PATHS {
        say!("         and {} more", told.paths.len() - PATHS);
    }
    for call in &told.calls {
        show(call);
    }
}

/// A tally in a sentence.
fn line(tally: &Tally) -> String {
    let mut text = format!(
        "{} beside {}, {}: {}, {} differ, {} in money",
        tally.pair.shadow.short(),
        tally.pair.live.short(),
        tally.pair.stage,
        messages(tally.compared),
        tally.differ,
        tally.money
    );
    if tally.shadow_errors + tally.live_errors > 0 {
        text.push_str(&format!(
            "; without an answer {}, live {}",
            tally.shadow_errors, tally.live_errors
        ));
    }
    if let Some(percent) = (tally.shadow_cost.fuel * 100).checked_div(tally.live_cost.fuel) {
        text.push_str(&format!("; fuel {percent} % of the live one's"));
    }
    if let Some(percent) = (tally.shadow_cost.us * 100).checked_div(tally.live_cost.us) {
        text.push_str(&format!(", time {percent} %"));
    }
    if tally.skipped > 0 {
        text.push_str(&format!(
            "; {} were not compared, too many at once",
            tally.skipped
        ));
    }
    text
}

fn messages(count: u64) -> String {
    match count {
        1 => "1 message".to_owned(),
        many => format!("{many} messages"),
    }
}

fn show(call: &Comparison) {
    say!("\n{} {}  {}", call.message, call.pair.stage, call.at);
    for difference in &call.differences {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let place = if difference.path.is_empty() {
            "(the answer)"
        } else {
            &difference.path
        };
        let (live, shadow) = (side(&difference.live), side(&difference.shadow));
        say!("  {place}: {live} -> {shadow}");
    }
    if call.more > 0 {
        say!("  and {} more", call.more);
    }
}
