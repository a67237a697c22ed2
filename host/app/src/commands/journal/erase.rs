//! `cambist journal erase`: what is there about somebody goes, at the running host.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use cambist_admin::answer::Erasing;
use cambist_journal::erasure::Erased;
use clap::Args;
use reqwest::Method;
use serde_json::json;

use crate::{cli, commands::operator};

/// Whom it is about, and on what ground.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    cambist journal erase --object crm:contact/7 --text anna@example.com --reason \"she asked for it\" --request DSR-12 --dry\n  \
    cambist journal erase --message 3f9a… --payloads --reason \"a test with real data\"")]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// An object behind its system, as `cambist messages` shows it or by the contract's word,
    /// which finds what only came along with others: `crm:contact/7`. Messages
    /// about it go, those that brought it along, those about records that stand for it, and
    /// its links.
    #[arg(long, value_name = "SYSTEM:KIND/ID")]
    object: Vec<String>,
    /// A text, such as an address: every message that has it anywhere goes. Reads the whole
    /// journal.
    #[arg(long)]
    text: Vec<String>,
    /// A message, by its whole id.
    #[arg(long, value_name = "ID")]
    message: Vec<String>,
    /// Leaves receipts, decisions and what the messages are about.
    #[arg(long)]
    payloads: bool,
    /// Ends messages that have not ended, as a skip does, and erases them too.
    #[arg(long)]
    end: bool,
    /// Shows what would go, and erases nothing.
    #[arg(long)]
    dry: bool,
    /// Why, for the evidence, which keeps it: name nobody here whose data goes.
    #[arg(long)]
    reason: String,
    /// The request that it answers, by its name in your books, for the evidence.
    #[arg(long)]
    request: Option<String>,
    /// Who says so, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
}

/// Asks the host. Exits with 1 where something stayed that was to go.
///
/// # Errors
///
/// No host is running, or it refuses.
pub(super) async fn run(options: Options) -> Result<ExitCode> {
    if options.object.is_empty() && options.text.is_empty() && options.message.is_empty() {
        bail!("say what is to go: --object, --text or --message");
    }
    let reach = options.common.reach();
    let body = json!({
        "objects": options.object, "texts": options.text, "messages": options.message,
        "extent": if options.payloads { "payloads" } else { "all" },
        "end": options.end, "dry": options.dry,
        "by": operator::who(options.by.as_ref()), "reason": options.reason, "request": options.request,
    });
    let answer = operator::call(
        &reach,
        Method::POST,
        "journal/erase",
        Some(operator::Body::Json(body)),
    )
    .await?;
    let told: Erasing = serde_json::from_value(answer.clone()).context("the host answers something else")?;
    let stays = told
        .messages
        .iter()
        .any(|message| matches!(message.became, Erased::Open | Erased::Claimed));
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        tell(&told);
    }
    let is_done = told.dry || (!stays && told.forgotten);
    Ok(if is_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(told: &Erasing) {
    for message in &told.messages {
        let status = &message.status;
        let what = match (message.became, told.dry) {
            (Erased::Now, true) => "would go",
            (Erased::Now, false) => "erased",
            (Erased::Before, _) => "erased before",
            (Erased::Open, _) => "STAYS: it has not ended; --end ends it, or see `cambist parked`",
            (Erased::Claimed, _) => "STAYS: it is being worked on; ask again in a moment",
            (Erased::Unknown, _) => "there is no such message",
        };
        say!(
            "{}  {:<8}  {}:{}  {what}",
            status.id,
            status.state.name(),
            status.system,
            status.object
        );
    }
    let links = if told.dry { "would go" } else { "are gone" };
    for entity in &told.entities {
        say!("the links of {entity} {links}");
    }
    if told.messages.is_empty() && told.entities.is_empty() {
        say!("nothing is there about it");
    }
    if !told.dry && !told.forgotten {
        say!(
            "a backup or a check reads the journal's log, which still has it: ask the same again when that is done"
        );
    }
}
