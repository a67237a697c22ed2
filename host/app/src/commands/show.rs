//! `cambist show`: what became of one message, stage by stage.

use std::process::ExitCode;

use anyhow::Result;
use cambist_contract::plugin::LogLine;
use cambist_journal::{Entry, Event, erasure::Extent};
use clap::Args;
use serde_json::json;

use super::operator;
use crate::cli;

/// Which message.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The message's id, or its beginning.
    id: String,
    /// Prints what each stage made, too. It holds the message's data.
    #[arg(long)]
    full: bool,
}

/// Prints the message.
///
/// # Errors
///
/// The journal cannot be read, or there is no such message.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let claim = operator::message(&operator::journal(&reach)?, &options.id).await?;
    if options.common.json {
        let whole = json!({"message": claim.message, "status": claim.status, "entries": claim.entries});
        say!("{}", serde_json::to_string_pretty(&whole)?);
        return Ok(ExitCode::SUCCESS);
    }
    let message = &claim.message;
    say!("message   {}", message.id);
    say!(
        "from      {}, {} of {}/{}",
        message.system,
        message.event,
        message.object_kind,
        message.object_id
    );
    say!(
        "happened  {}, received {}",
        message.occurred_at,
        message.received_at
    );
    say!("state     {}  {}", claim.status.state.name(), claim.status.why());
    if claim.status.holds > 0 {
        say!(
            "holds     {} messages of its key, which wait behind it",
            claim.status.holds
        );
    }
    say!();
    for entry in &claim.entries {
        say!("{:>6}  {}  {}", entry.place, entry.at, line(entry));
        if options.full
            && let Event::Passed { output, .. } = &entry.event
        {
            say!("{:#}", output.value());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a plugin wrote, a line each.
fn lines(log: &[LogLine]) -> String {
    let lines = log
        .iter()
        .map(|line| format!("\n        {}: {}", line.level, line.text));
    lines.collect()
}

/// An entry as a line for people.
fn line(entry: &Entry) -> String {
    let reasons = |reasons: &[cambist_contract::fault::Reason]| {
        reasons
            .iter()
            .map(|reason| reason.text.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    if let Some(edit) = entry.event.edit() {
        return format!("input {edit}");
    }
    match &entry.event {
        Event::Received { .. } => "received".to_owned(),
        Event::Routed {
            flow,
            region,
            target,
            pins,
            ..
        } => {
            let pins: Vec<String> = pins
                .iter()
                .map(|(stage, pin)| format!("{stage} {}", pin.short()))
                .collect();
            format!(
                "flow {flow}, region {region}, to {target}; revisions: {}",
                pins.join(", ")
            )
        }
        Event::Passed {
            stage,
            took_us,
            fuel,
            log,
            ..
        } => {
            let fuel = fuel.map_or(String::new(), |fuel| format!(", {fuel} fuel"));
            format!("{stage} in {took_us} us{fuel}{}", lines(log))
        }
        Event::Called {
            stage,
            took_us,
            fuel,
            log,
            ..
        } => format!(
            "{stage} called its plugin for {took_us} us, {fuel} fuel{}",
            lines(log)
        ),
        Event::Delivered { target, receipts } => {
            let receipts: Vec<String> = receipts
                .iter()
                .map(|receipt| {
                    let id = receipt
                        .target_id
                        .as_ref()
                        .map_or(String::new(), |id| format!(" = {id}"));
                    format!(
                        "\n        {:?} {} {}{id}",
                        receipt.effect, receipt.model, receipt.external_id
                    )
                })
                .collect();
            format!("delivered to {target}:{}", receipts.concat())
        }
        Event::Merged { entity, into } => format!("{entity} is {into} since"),
        Event::Failed {
            stage,
            attempt,
            error,
            retry_at,
        } => {
            format!("{stage} failed (attempt {attempt}): {error}; again at {retry_at}")
        }
        Event::Parked { stage, code, reason } => format!("parked before {stage} ({code}): {reason}"),
        Event::Held { role, reasons: why } => format!("held for {role}: {}", reasons(why)),
        Event::Waiting { stage, entity } => format!("waits before {stage} for {entity}"),
        Event::Ignored { reason } => format!("ignored: {reason}"),
        Event::Denied { reasons: why } => format!("denied: {}", reasons(why)),
        Event::Done => "done".to_owned(),
        Event::Released { role, by } => format!("released for {role} by {by}"),
        Event::Erased { extent, ground, .. } => {
            let what = match extent {
                Extent::Payloads => "its payloads",
                Extent::All => "all of it",
            };
            let request = ground
                .request
                .as_ref()
                .map_or(String::new(), |it| format!(" on request {it}"));
            format!("{what} erased by {}{request}: {}", ground.by, ground.reason)
        }
        Event::Resumed { .. } => entry.event.again().unwrap_or_default(),
    }
}
