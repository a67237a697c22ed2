//! `cambist trace`: how a record of a target came to be what it is, from the journal's file.

use std::{collections::BTreeMap, process::ExitCode, str::FromStr};

use anyhow::{Result, bail};
use cambist_contract::{digest::Digest, fault::Reason, rollout::Step};
use cambist_journal::{Acted, Journal as _, Ledger as _};
use clap::Args;
use serde::Serialize;

use self::found::{Decision, Found, Plugin};
use super::operator;
use crate::{cli, config::Config};

mod found;

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

/// Names a record of a target.
#[derive(Clone, Debug, Serialize)]
struct Record {
    system: String,
    model: String,
    id: String,
}

impl FromStr for Record {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(system), Some(model), Some(id))
                if [&system, &model, &id].iter().all(|part| !part.is_empty()) =>
            {
                Ok(Self { system, model, id })
            }
            _ => Err("a record is named as SYSTEM:MODEL:ID, such as odoo:account.move:42".to_owned()),
        }
    }
}

/// Prints what is known.
///
/// # Errors
///
/// The journal cannot be read, or no message has touched the record.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let config = Config::read(&options.common.at.config)?;
    let journal = operator::journal(&config)?;
    let Record { system, model, id } = &options.record;
    let ids = journal.touched(system, model, id, options.limit).await?;
    if ids.is_empty() {
        bail!(
            "no message of the journal has touched {model} `{id}` of `{system}`; the target's name is the one in the \
             config, the id the target's own or our external one"
        );
    }
    let plugins = plugins(&journal.acts().await?);
    let mut claims = Vec::new();
    for id in ids.iter().rev() {
        claims.extend(journal.message(id).await?);
    }
    let names = found::names(&claims, system, model, id);
    let found: Vec<Found> = claims
        .iter()
        .map(|claim| Found::of(claim, &plugins, (system, model, &names)))
        .collect();
    if options.common.json {
        let whole = serde_json::json!({"record": options.record, "messages": found});
        say!("{}", serde_json::to_string_pretty(&whole)?);
        return Ok(ExitCode::SUCCESS);
    }
    say!("{model} {} of {system}, touched by {} messages", id, found.len());
    for found in &found {
        tell(found);
    }
    Ok(ExitCode::SUCCESS)
}

/// Which component of which plugin each revision has that ever served.
fn plugins(acts: &[Acted]) -> BTreeMap<Digest, Plugin> {
    let mut versions = BTreeMap::new();
    let mut plugins = BTreeMap::new();
    for Acted { act, .. } in acts {
        match &act.step {
            Step::Passed { version } => {
                versions.insert(act.component, version.clone());
            }
            Step::Live { revisions } | Step::Share { revisions, .. } => {
                let plugin = Plugin {
                    name: act.plugin.clone(),
                    version: versions.get(&act.component).cloned().flatten(),
                    component: act.component,
                };
                plugins.extend(revisions.values().map(|revision| (*revision, plugin.clone())));
            }
            _ => {}
        }
    }
    plugins
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
}

fn reason(reason: &Reason) -> String {
    let basis = reason.basis.as_ref();
    let basis = basis.map_or(String::new(), |basis| format!(" [{basis}]"));
    format!("{}: {}{basis}", reason.code, reason.text)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::Record;

    #[test]
    fn a_record_is_named_by_system_model_and_an_id_that_may_hold_anything() {
        for (text, model, id) in [
            ("odoo:account.move:42", "account.move", "42"),
            ("odoo:sale.order:a:b", "sale.order", "a:b"),
        ] {
            let record: Record = text.parse().unwrap();
            assert_eq!(
                (record.system.as_str(), record.model.as_str(), record.id.as_str()),
                ("odoo", model, id)
            );
        }
        for text in [
            "",
            "odoo",
            "odoo:account.move",
            "odoo::42",
            ":account.move:42",
            "odoo:account.move:",
        ] {
            let told = text.parse::<Record>().unwrap_err();
            assert!(told.contains("SYSTEM:MODEL:ID"), "{text}: {told}");
        }
    }
}
