//! Carrying out a plan in Odoo.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cambist_contract::{
    delivery::{Effect, Receipt},
    digest::Digest,
    mapping::{Command, Record},
};

use super::{OdooClient, action, batch, check, load, lookup, remove, settle};
use crate::{
    ConnectError,
    line::Line,
    target::{DeliverError, Target, digest_of},
};

/// An Odoo database to write to.
pub struct OdooTarget {
    client: OdooClient,
    line: Line,
}

/// What may be left out.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Skip {
    /// What was written before, as the digests say.
    Written,
    /// Nothing.
    Nothing,
}

/// The commands of a plan with what is known of each, and the receipts so far.
struct Delivery<'p> {
    plan: &'p [Command],
    written: &'p [Option<Digest>],
    skip: Skip,
    receipts: Vec<Option<Receipt>>,
}

impl OdooTarget {
    pub(crate) fn new(client: OdooClient, line: Line) -> Self {
        Self { client, line }
    }

    async fn carry_out(&self, delivery: &mut Delivery<'_>) -> Result<(), ConnectError> {
        let mut at = 0;
        while let Some(rest) = delivery.plan.get(at..).filter(|rest| !rest.is_empty()) {
            let length = batch::length(rest);
            match rest.first() {
                Some(Command::Act(action)) => {
                    let (effect, id) = action::act(&self.client, action).await?;
                    delivery.done(at, effect, Some(id), None);
                }
                Some(Command::Remove(name)) => {
                    let (effect, id) = remove::remove(&self.client, name).await?;
                    // the same values again are then no longer what was written last
                    delivery.done(at, effect, id, Some(Digest::of(b"")));
                }
                Some(Command::Ensure(_)) => self.ensure(delivery, at, length).await?,
                Some(Command::Upsert(_)) => self.upsert(delivery, at, length).await?,
                None => {}
            }
            at += length;
        }
        Ok(())
    }

    /// Writes what is not there with these values already.
    async fn upsert(
        &self,
        delivery: &mut Delivery<'_>,
        at: usize,
        length: usize,
    ) -> Result<(), ConnectError> {
        let mut changed = Vec::new();
        for (index, record) in delivery.records(at, length) {
            let digest = digest_of(record);
            match delivery.is_written(index, |before| before == digest) {
                true => delivery.done(index, Effect::Unchanged, None, Some(digest)),
                false => changed.push((index, record)),
            }
        }
        self.load(delivery, &changed).await
    }

    /// Creates what is not there at all. What we wrote once is not even looked for.
    async fn ensure(
        &self,
        delivery: &mut Delivery<'_>,
        at: usize,
        length: usize,
    ) -> Result<(), ConnectError> {
        let mut missing = Vec::new();
        for (index, record) in delivery.records(at, length) {
            if delivery.is_written(index, |_| true) {
                let before = delivery.before(index);
                delivery.done(index, Effect::Unchanged, None, before);
                continue;
            }
            match lookup::find(&self.client, &record.model, &record.key).await? {
                Some(id) => delivery.done(index, Effect::Unchanged, Some(id), None),
                // one with an id of Odoo's own is refused by `load`: it makes none
                None => missing.push((index, record)),
            }
        }
        self.load(delivery, &missing).await
    }

    /// Loads rows together. A row that is refused is settled by itself, and the others are loaded without it.
    async fn load(&self, delivery: &mut Delivery<'_>, rows: &[(usize, &Record)]) -> Result<(), ConnectError> {
        let mut rows = rows.to_vec();
        while !rows.is_empty() {
            let records: Vec<&Record> = rows.iter().map(|(_, record)| *record).collect();
            let refusal = match load::load(&self.client, &records).await {
                Ok(ids) => {
                    for ((index, record), id) in rows.iter().zip(ids) {
                        delivery.done(*index, Effect::Written, Some(id), Some(digest_of(record)));
                    }
                    return Ok(());
                }
                Err(refusal) => refusal,
            };
            let ConnectError::Refused { external_id, .. } = &refusal else {
                return Err(refusal);
            };
            let Some(place) = rows
                .iter()
                .position(|(_, record)| record.key.to_string() == *external_id)
            else {
                return Err(refusal);
            };
            let (index, record) = rows.remove(place);
            let (id, changed) = settle::settle(&self.client, record, refusal).await?;
            let effect = if changed {
                Effect::Written
            } else {
                Effect::Unchanged
            };
            delivery.done(index, effect, Some(id), Some(digest_of(record)));
        }
        Ok(())
    }
}

#[async_trait]
impl Target for OdooTarget {
    /// Carries out the plan in calls of up to 100 rows.
    ///
    /// When a row is refused for one of its columns and something was left out that we wrote once, the column may refer to that,
    /// and somebody may have deleted it: the plan is then carried out once more with nothing left out, which makes it anew.
    /// Odoo's sentence would tell more, but it is in the language of the system.
    async fn deliver(
        &self,
        plan: &[Command],
        written: &[Option<Digest>],
    ) -> Result<Vec<Receipt>, DeliverError> {
        if let Err(error) = check::plan(&self.client, plan) {
            let receipts = Vec::new();
            return Err(DeliverError { receipts, error });
        }
        let turn = self.line.turn().await;
        let mut delivery = Delivery {
            plan,
            written,
            skip: Skip::Written,
            receipts: vec![None; plan.len()],
        };
        let mut result = self.carry_out(&mut delivery).await;
        let left_out = delivery
            .receipts
            .iter()
            .flatten()
            .any(|receipt| receipt.target_id.is_none());
        if result.as_ref().is_err_and(is_of_a_column) && left_out {
            delivery.skip = Skip::Nothing;
            result = self.carry_out(&mut delivery).await;
        }
        let receipts: Vec<Receipt> = delivery.receipts.into_iter().flatten().collect();
        match result.is_ok() && receipts.iter().all(is_left_out) {
            true => turn.unused(),
            false => turn.end(&result),
        }
        match result {
            Ok(()) => Ok(receipts),
            Err(error) => Err(DeliverError { receipts, error }),
        }
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        self.client.ready().await
    }
}

/// Whether a command was done without a call.
fn is_left_out(receipt: &Receipt) -> bool {
    receipt.effect == Effect::Unchanged && receipt.target_id.is_none()
}

/// Whether a row was refused for what one of its columns says.
fn is_of_a_column(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Refused { field: Some(_), .. })
}

impl<'p> Delivery<'p> {
    /// The records of some commands, with their places in the plan.
    fn records(&self, at: usize, length: usize) -> Vec<(usize, &'p Record)> {
        let commands = self.plan.iter().enumerate().skip(at).take(length);
        commands
            .filter_map(|(index, command)| match command {
                Command::Ensure(record) | Command::Upsert(record) => Some((index, record)),
                Command::Act(_) | Command::Remove(_) => None,
            })
            .collect()
    }

    /// The digest of what was last written to a command's record.
    fn before(&self, index: usize) -> Option<Digest> {
        self.written.get(index).copied().flatten()
    }

    fn is_written(&self, index: usize, enough: impl Fn(Digest) -> bool) -> bool {
        self.skip == Skip::Written && self.before(index).is_some_and(enough)
    }

    /// Keeps a receipt; of two for one command the one that says more.
    fn done(&mut self, index: usize, effect: Effect, id: Option<i64>, written: Option<Digest>) {
        let (Some(command), Some(slot)) = (self.plan.get(index), self.receipts.get_mut(index)) else {
            return;
        };
        let acted = |effect| matches!(effect, Effect::Written | Effect::Done);
        if slot.as_ref().is_some_and(|earlier| acted(earlier.effect)) && !acted(effect) {
            return;
        }
        *slot = Some(Receipt {
            model: command.model().to_owned(),
            external_id: command.key().to_string(),
            effect,
            target_id: id.map(|id| id.to_string()),
            written,
            stands_for: match command {
                Command::Ensure(record) | Command::Upsert(record) => record.stands_for.clone(),
                Command::Act(_) | Command::Remove(_) => None,
            },
            fields: BTreeMap::new(),
        });
    }
}
