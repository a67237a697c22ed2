//! Carrying out a plan in Odoo.

use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

use async_trait::async_trait;
use cambist_contract::{
    delivery::{Effect, Receipt},
    digest::Digest,
    mapping::{Command, Record},
};

use super::{
    OdooClient, action, batch, check,
    lane::Lane,
    load::{self, BATCH},
    lookup, remove, settle,
};
use crate::{
    ConnectError,
    line::Line,
    target::{Acting, DeliverError, Manner, Target, digest_of},
};

/// An Odoo database to write to.
pub struct OdooTarget {
    client: OdooClient,
    line: Line,
    lane: Lane,
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
    manner: Manner,
    skip: Skip,
    receipts: Vec<Option<Receipt>>,
}

impl OdooTarget {
    pub(crate) fn new(client: OdooClient, line: Line) -> Self {
        Self {
            lane: Lane::new(client.clone(), line.clone()),
            client,
            line,
        }
    }

    async fn carry_out(&self, delivery: &mut Delivery<'_>, acting: &Acting<'_>) -> Result<(), ConnectError> {
        let mut at = 0;
        while let Some(rest) = delivery.plan.get(at..).filter(|rest| !rest.is_empty()) {
            let length = batch::length(rest);
            match rest.first() {
                Some(Command::Act(action)) => {
                    let acted = self.in_a_turn(delivery.manner, action::act(&self.client, action, acting));
                    let (effect, id) = acted.await?;
                    delivery.done(at, effect, Some(id), None);
                }
                Some(Command::Remove(name)) => {
                    let removed = self.in_a_turn(delivery.manner, remove::remove(&self.client, name));
                    let (effect, id) = removed.await?;
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

    /// Does a step of a plan in a turn of its own.
    async fn in_a_turn<T>(
        &self,
        manner: Manner,
        step: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let turn = self.line.turn_for(manner.urgent).await;
        turn.may_ask()?;
        let result = step.await;
        turn.end(&result);
        result
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
        match delivery.manner.shares {
            _ if changed.is_empty() => Ok(()),
            true => self.load_among(delivery, &changed).await,
            false => {
                self.in_a_turn(delivery.manner, self.load(delivery, &changed))
                    .await
            }
        }
    }

    /// Creates what is not there at all. What we wrote once is not even looked for. All in one turn, so that nobody of ours makes
    /// it between the look and the load.
    async fn ensure(
        &self,
        delivery: &mut Delivery<'_>,
        at: usize,
        length: usize,
    ) -> Result<(), ConnectError> {
        let mut asked = Vec::new();
        for (index, record) in delivery.records(at, length) {
            match delivery.is_written(index, |_| true) {
                true => delivery.done(index, Effect::Unchanged, None, delivery.before(index)),
                false => asked.push((index, record)),
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let manner = delivery.manner;
        let step = async {
            let mut missing = Vec::new();
            for (index, record) in asked {
                match lookup::find(&self.client, &record.model, &record.key).await? {
                    Some(id) => delivery.done(index, Effect::Unchanged, Some(id), None),
                    // one with an id of Odoo's own is refused by `load`: it makes none
                    None => missing.push((index, record)),
                }
            }
            self.load(delivery, &missing).await
        };
        self.in_a_turn(manner, step).await
    }

    /// Loads rows together with those of other plans. A row that is refused is settled by itself.
    async fn load_among(
        &self,
        delivery: &mut Delivery<'_>,
        rows: &[(usize, &Record)],
    ) -> Result<(), ConnectError> {
        let manner = delivery.manner;
        let records = rows.iter().map(|(_, record)| (*record).clone()).collect();
        let mut failed = None;
        for ((index, record), loaded) in rows.iter().zip(self.lane.load(records, manner.urgent).await) {
            let settled = match loaded {
                Ok(id) => Ok((id, true)),
                Err(refusal @ ConnectError::Refused { .. }) => {
                    self.in_a_turn(manner, settle::settle(&self.client, record, refusal))
                        .await
                }
                Err(error) => Err(error),
            };
            match settled {
                Ok((id, changed)) => delivery.settled(*index, record, id, changed),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Loads rows together. A row that is refused is settled by itself, and the others are loaded without it.
    async fn load(&self, delivery: &mut Delivery<'_>, rows: &[(usize, &Record)]) -> Result<(), ConnectError> {
        let mut rows = rows.to_vec();
        while !rows.is_empty() {
            let records: Vec<&Record> = rows.iter().map(|(_, record)| *record).collect();
            let refusal = match load::load(&self.client, &records).await {
                Ok(ids) => {
                    for ((index, record), id) in rows.iter().zip(ids) {
                        delivery.settled(*index, record, id, true);
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
            delivery.settled(index, record, id, changed);
        }
        Ok(())
    }
}

#[async_trait]
impl Target for OdooTarget {
    /// Carries out the plan in calls of up to 100 rows.
    ///
    /// When a row is refused for one of its columns, or an action finds no record, and something was left out that we wrote
    /// once, that may be what is missing: somebody may have deleted it. The plan is then carried out once more with nothing left
    /// out, which makes it anew.
    /// Odoo's sentence would tell more, but it is in the language of the system.
    async fn deliver(
        &self,
        plan: &[Command],
        written: &[Option<Digest>],
    ) -> Result<Vec<Receipt>, DeliverError> {
        self.deliver_among(plan, written, Manner::default(), &|_| {})
            .await
    }

    async fn deliver_among(
        &self,
        plan: &[Command],
        written: &[Option<Digest>],
        manner: Manner,
        acting: &Acting<'_>,
    ) -> Result<Vec<Receipt>, DeliverError> {
        if let Err(error) = check::plan(&self.client, plan) {
            let receipts = Vec::new();
            return Err(DeliverError { receipts, error });
        }
        let mut delivery = Delivery {
            plan,
            written,
            manner,
            skip: Skip::Written,
            receipts: vec![None; plan.len()],
        };
        let mut result = self.carry_out(&mut delivery, acting).await;
        let left_out = delivery
            .receipts
            .iter()
            .flatten()
            .any(|receipt| receipt.target_id.is_none());
        if result.as_ref().is_err_and(may_miss_a_record) && left_out {
            delivery.skip = Skip::Nothing;
            result = self.carry_out(&mut delivery, acting).await;
        }
        let receipts = delivery.receipts.into_iter().flatten().collect();
        match result {
            Ok(()) => Ok(receipts),
            Err(error) => Err(DeliverError { receipts, error }),
        }
    }

    fn together(&self) -> NonZeroUsize {
        NonZeroUsize::new(BATCH).unwrap_or(NonZeroUsize::MIN)
    }

    fn at_work(&self) -> Duration {
        self.client.write_time()
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        self.client.ready().await
    }
}

/// Whether a row was refused for what one of its columns says, or a record is not there.
fn may_miss_a_record(error: &ConnectError) -> bool {
    matches!(
        error,
        ConnectError::Refused { field: Some(_), .. } | ConnectError::Gone { .. }
    )
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

    /// Keeps that a record has its values, and whether something had to be written for that.
    fn settled(&mut self, index: usize, record: &Record, id: i64, changed: bool) {
        let effect = if changed {
            Effect::Written
        } else {
            Effect::Unchanged
        };
        self.done(index, effect, Some(id), Some(digest_of(record)));
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
