//! `cambist trace`: how a record of a target came to be what it is, from the journal's file.

use std::process::ExitCode;

use anyhow::{Result, bail};
use cambist_admin::trace::{self, Decision, Found, Record, Traced};
use cambist_contract::fault::Reason;
use clap::Args;

use super::operator;
use crate::cli;

/// Which record.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    cambist trace odoo:account.move:42                 by the id that Odoo shows in the address bar\n  \
    cambist trace odoo:sale.order:hubspot_contract_17  by the external id that we gave it\n  \
    cambist trace odoo:account.move:42 --json          the same for programs, with what the commands hold")]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// The record, as SYSTEM:MODEL:ID: the target's name in the config, the kind of record, and
    /// the target's own id of it or our external one.
    record: Record,
    /// At most so many messages, the newest.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Prints what is known.
///
/// # Errors
///
/// The journal cannot be read, or no message has touched the record.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let journal = operator::journal(&reach)?;
    let found = trace::of(&journal, &journal, &options.record, options.limit).await?;
    let Record { system, model, id } = &options.record;
    let Some(Traced { messages, .. }) = &found else {
        bail!(
            "no message of the journal has touched {model} `{id}` of `{system}`; the target's name is the one in the \
             config, the id the target's own or our external one"
        );
    };
    if options.common.json {
        say!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(ExitCode::SUCCESS);
    }
    say!("{model} {id} of {system}, touched by {} messages", messages.len());
    for found in messages {
        tell(found);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(found: &Found) {
    say!("\nmessage   {}", found.message);
    say!("from      {}, {} of {}", found.system, found.event, found.object);
    if !found.changed_by.is_empty() {
        say!("changed   by {}", found.changed_by.join(", "));
    }
    say!("happened  {}, received {}", found.occurred_at, found.received_at);
    say!("state     {}", found.state);
    for route in &found.routes {
        say!(
            "way       flow {}, region {}, to {}",
            route.flow,
            route.region,
            route.target
        );
        for (stage, served) in &route.revisions {
            let plugin = served.plugin.as_ref().map_or("a plugin".to_owned(), |plugin| {
                let version = plugin
                    .version
                    .as_ref()
                    .map_or(String::new(), |it| format!(" {it}"));
                format!("{}{version}, component {}", plugin.name, plugin.component.short())
            });
            say!(
                "          {stage} by {plugin}, revision {}",
                served.revision.short()
            );
        }
    }
    for person in &found.people {
        say!("operator  {}  {}", person.at, person.what);
    }
    for Decision { at, what, reasons } in &found.decisions {
        say!("decided   {at}  {what}");
        reasons.iter().for_each(|it| say!("          {}", reason(it)));
    }
    for ground in &found.tax {
        let rates = ground.rates.join(", ");
        say!(
            "taxed     {} line {}, net {} {}: {rates}",
            ground.document,
            ground.line,
            ground.net,
            ground.currency
        );
        say!("          {}", reason(&ground.reason));
    }
    for command in &found.commands {
        say!("command   {}", command.short());
    }
    for receipt in &found.receipts {
        let own = receipt.receipt.target_id.as_ref();
        let own = own.map_or(String::new(), |id| format!(" = {id}"));
        say!(
            "receipt   {}  {:?} {} {}{own}, entry {}",
            receipt.at,
            receipt.receipt.effect,
            receipt.receipt.model,
            receipt.receipt.external_id,
            receipt.place
        );
    }
    for refusal in &found.refusals {
        say!(
            "refused   {}  {}, entry {}",
            refusal.at,
            refusal.what,
            refusal.place
        );
    }
}

fn reason(reason: &Reason) -> String {
    let basis = reason.basis.as_ref();
    let basis = basis.map_or(String::new(), |basis| format!(" [{basis}]"));
    format!("{}: {}{basis}", reason.code, reason.text)
}
