//! `cambist parked retry`: messages go on from where they stand, at the running host.

use std::process::ExitCode;

use anyhow::{Result, bail};
use cambist_admin::answer::Retried;
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    cli,
    commands::operator::{self, Body},
    config::Reach,
};

/// Messages that are named in one call, as many as the host takes.
const AT_ONCE: usize = 100;

/// Which messages, and on which revisions.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    cambist parked retry 3f9a 77c1                       these two, on the revisions they are pinned to\n  \
    cambist parked retry --code attempts-spent --all     all whose target was away, when it is back\n  \
    cambist parked retry --code plugin-trapped --live    on today's revisions, when the plugin is mended")]
pub(super) struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The messages' ids, or their beginnings.
    #[arg(required_unless_present = "code")]
    ids: Vec<String>,
    /// All that wait for this, the newest hundred of them; `held` and `waiting` are codes too.
    #[arg(long, conflicts_with = "ids")]
    code: Option<String>,
    /// Goes on until all of the code were asked.
    #[arg(long, requires = "code")]
    all: bool,
    /// Only messages of this flow.
    #[arg(long, requires = "code")]
    flow: Option<String>,
    /// Only messages of this region.
    #[arg(long, requires = "code")]
    region: Option<String>,
    /// Only messages of this system.
    #[arg(long, requires = "code")]
    system: Option<String>,
    /// Only messages that arrived before this place, as the call before says at its end.
    #[arg(long, requires = "code")]
    before: Option<u64>,
    /// Takes the live revisions of the plugins instead of those they were pinned to.
    #[arg(long)]
    live: bool,
    /// Who asks, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// Asks the host, and prints what it did. It ends with 1 where a message was not retried.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let by = operator::who(options.by.as_ref());
    let told = match &options.code {
        None => named(options, &reach, &by).await?,
        Some(code) => of_cause(options, &reach, code, &by).await?,
    };
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        say!("{} go on", told.retried.len());
        for refused in &told.refused {
            say!("{} does not: {}", refused.id, refused.reason);
        }
        if let Some(before) = told.next_before {
            say!("there are more: --before {before}, or --all");
        }
    }
    Ok(if told.refused.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn named(options: &Options, reach: &Reach, by: &str) -> Result<Retried> {
    if options.ids.len() > AT_ONCE {
        bail!("at most {AT_ONCE} messages can be named; `--code` retries all of a cause");
    }
    let journal = operator::journal(reach)?;
    let mut ids = Vec::new();
    for id in &options.ids {
        ids.push(operator::message(&journal, id).await?.message.id);
    }
    ask(reach, json!({"ids": ids, "live": options.live, "by": by})).await
}

async fn of_cause(options: &Options, reach: &Reach, code: &str, by: &str) -> Result<Retried> {
    let mut all = Retried {
        retried: Vec::new(),
        refused: Vec::new(),
        next_before: options.before,
    };
    loop {
        let told = ask(
            reach,
            json!({"code": code, "flow": options.flow, "region": options.region, "system": options.system,
                "before": all.next_before, "live": options.live, "by": by}),
        )
        .await?;
        all.retried.extend(told.retried);
        all.refused.extend(told.refused);
        all.next_before = told.next_before;
        // it gets smaller with every call, so this ends
        if !options.all || all.next_before.is_none() {
            return Ok(all);
        }
    }
}

async fn ask(reach: &Reach, body: Value) -> Result<Retried> {
    let told = operator::call(reach, Method::POST, "parked/retry", Some(Body::Json(body))).await?;
    Ok(serde_json::from_value(told)?)
}
