//! `cambist links`: which record stands for what, and that it does so no more.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use cambist_journal::{Erasures as _, erasure::Linked};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use super::operator;
use crate::cli;

/// What is to be done.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Tells which records stand for an object in other systems.
    Show(Show),
    /// Forgets a link, at the running host; who said so and why is in the evidence.
    ///
    /// The record stays in its system, and so does the external id that it bears there: take
    /// that off too, or the next message finds the record by it and links it again.
    Unlink(Unlink),
}

/// Of what.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  cambist links show hubspot:company/501")]
pub struct Show {
    #[command(flatten)]
    common: cli::Printed,
    /// The object behind its system, as `cambist messages` shows it or by the contract's word.
    #[arg(value_name = "SYSTEM:KIND/ID")]
    object: String,
}

/// Which link, and why.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  cambist links unlink hubspot:company/501 --from odoo-de --reason \"it is another firm's partner\""
)]
pub struct Unlink {
    #[command(flatten)]
    common: cli::Printed,
    /// The object behind its system, as `cambist messages` shows it or by the contract's word.
    #[arg(value_name = "SYSTEM:KIND/ID")]
    object: String,
    /// The system whose record it is linked to.
    #[arg(long, value_name = "SYSTEM")]
    from: String,
    /// Why, for the evidence.
    #[arg(long)]
    reason: String,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// Does it.
///
/// # Errors
///
/// The journal cannot be read, no host is running, or it refuses.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Show(options) => show(&options).await,
        Command::Unlink(options) => unlink(&options).await,
    }
}

/// A name's system, and what it is called there.
fn named(text: &str) -> Result<(&str, &str)> {
    text.split_once(':')
        .filter(|(system, object)| !system.is_empty() && object.contains('/'))
        .context("an object is SYSTEM:KIND/ID, such as hubspot:company/501")
}

async fn show(options: &Show) -> Result<ExitCode> {
    let (system, object) = named(&options.object)?;
    let reach = options.common.reach();
    let links = operator::journal(&reach)?.links(system, object).await?;
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&json!({ "links": links }))?);
    } else if links.is_empty() {
        say!("nothing is linked to {}", options.object);
    }
    if !options.common.json {
        tell(&links);
    }
    Ok(ExitCode::SUCCESS)
}

async fn unlink(options: &Unlink) -> Result<ExitCode> {
    let (system, object) = named(&options.object)?;
    let reach = options.common.reach();
    let body = json!({
        "system": system, "object": object, "from": options.from,
        "reason": options.reason, "by": operator::who(options.by.as_ref()),
    });
    let body = Some(operator::Body::Json(body));
    let answer = operator::call(&reach, Method::POST, "links/unlink", body).await?;
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    let told: cambist_admin::answer::Links =
        serde_json::from_value(answer).context("the host answers something else")?;
    tell(&told.links);
    say!("these are forgotten; the records are as they were");
    Ok(ExitCode::SUCCESS)
}

fn tell(links: &[Linked]) {
    for link in links {
        let id = link.id.as_deref().unwrap_or("an id that is not known");
        say!(
            "{}  {}:{}:{id}  by {}",
            link.entity,
            link.system,
            link.model,
            link.external_id
        );
    }
}
