//! How a record of a target came to be what it is: from which message, by whom, on which
//! revisions, decided and taxed on which ground, and what the target answered.
//!
//! The API answers with it, and the command line with the same from the journal's file.

use std::{collections::BTreeMap, str::FromStr};

use cambist_contract::{digest::Digest, rollout::Step};
use cambist_journal::{Acted, Journal, JournalError, Ledger};
use serde::{Deserialize, Serialize};

mod found;

pub use self::found::{Decision, Found, Ground, Kept, Ordered, Person, Plugin, Refused, Routed, Served};

/// Messages that are told of, where nobody says how many.
pub const PAGE: usize = 20;

/// Most messages that are told of: what stages made is read for each, some ten kB of a usual one.
pub const PAGE_LIMIT: usize = 200;

/// Names a record of a target.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Record {
    /// The target, by its name in the config.
    pub system: String,
    /// The kind of record, such as `account.move`.
    pub model: String,
    /// The target's own id of it, or our external one.
    pub id: String,
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

/// A record, and the messages that touched it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Traced {
    /// The record.
    pub record: Record,
    /// The oldest first.
    pub messages: Vec<Found>,
}

/// What is known of a record, of its newest `limit` messages; none where no message touched it.
///
/// # Errors
///
/// The journal cannot be read.
pub async fn of(
    journal: &dyn Journal,
    ledger: &dyn Ledger,
    record: &Record,
    limit: usize,
) -> Result<Option<Traced>, JournalError> {
    let Record { system, model, id } = record;
    let ids = journal.touched(system, model, id, limit).await?;
    let plugins = plugins(&ledger.acts().await?);
    let mut claims = Vec::new();
    for id in ids.iter().rev() {
        claims.extend(journal.message(id).await?);
    }
    let names = found::names(&claims, system, model, id);
    let messages: Vec<Found> = claims
        .iter()
        .map(|claim| Found::of(claim, &plugins, (system, model, &names)))
        .collect();
    let record = record.clone();
    Ok((!messages.is_empty()).then_some(Traced { record, messages }))
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
            Step::Live { revisions, .. } | Step::Share { revisions, .. } => {
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
