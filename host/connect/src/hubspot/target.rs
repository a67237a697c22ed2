//! Carrying out a plan in HubSpot.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cambist_contract::{
    delivery::{Effect, Receipt},
    digest::Digest,
    mapping::{Command, RecordKey},
};

use super::{
    archive::{self, There},
    check,
    client::HubSpotClient,
    find, neighbours,
    receipts::{Receipts, removed},
    write,
};
use crate::{
    ConnectError,
    line::Line,
    target::{DeliverError, Target, digest_of},
};

/// An account to write to.
pub struct HubSpotTarget {
    client: HubSpotClient,
    unique: String,
    line: Line,
}

impl HubSpotTarget {
    /// `unique` is the property that holds the external ids.
    pub(crate) fn new(client: HubSpotClient, unique: &str, line: Line) -> Self {
        Self {
            client,
            unique: unique.to_owned(),
            line,
        }
    }

    async fn carry_out(&self, receipts: &mut Receipts<'_>) -> Result<(), ConnectError> {
        let mut at = 0;
        while let Some(first) = receipts.rest(at).first() {
            let length = neighbours::length(receipts.rest(at));
            match first {
                Command::Upsert(_) => self.upsert(receipts, at, length).await?,
                Command::Ensure(_) => self.ensure(receipts, at, length).await?,
                Command::Remove(_) => self.remove(receipts, at, length).await?,
                // refused before anything was sent
                Command::Act(_) => {}
            }
            at += length;
        }
        Ok(())
    }

    /// Writes what does not hold these values already.
    async fn upsert(
        &self,
        receipts: &mut Receipts<'_>,
        at: usize,
        length: usize,
    ) -> Result<(), ConnectError> {
        let mut changed = Vec::new();
        for (place, record) in receipts.records(at, length) {
            let digest = digest_of(record);
            match receipts.held(place) == Some(digest) {
                true => receipts.done(place, Effect::Unchanged, None, Some(digest)),
                false => changed.push((place, record)),
            }
        }
        write::write(&self.client, &self.unique, changed, receipts).await
    }

    /// Makes what is not there at all. What we wrote once is not even looked for.
    async fn ensure(
        &self,
        receipts: &mut Receipts<'_>,
        at: usize,
        length: usize,
    ) -> Result<(), ConnectError> {
        let mut unknown = Vec::new();
        for (place, record) in receipts.records(at, length) {
            match receipts.held(place).filter(|digest| *digest != removed()) {
                Some(before) => receipts.done(place, Effect::Unchanged, None, Some(before)),
                None => unknown.push((place, record)),
            }
        }
        let keys: Vec<&RecordKey> = unknown.iter().map(|(_, record)| &record.key).collect();
        let model = unknown.first().map(|(_, record)| record.model.as_str());
        let found = self.find(model.unwrap_or_default(), &keys).await?;
        let mut missing = Vec::new();
        for (place, record) in unknown {
            match found.get(record.key.id()) {
                Some(id) => receipts.done(place, Effect::Unchanged, Some(id.clone()), None),
                None => missing.push((place, record)),
            }
        }
        // an object of HubSpot's own that is gone is not made anew: writing it says so
        write::write(&self.client, &self.unique, missing, receipts).await
    }

    /// Archives what is there.
    async fn remove(
        &self,
        receipts: &mut Receipts<'_>,
        at: usize,
        length: usize,
    ) -> Result<(), ConnectError> {
        let commands = receipts.rest(at).get(..length).unwrap_or_default();
        let keys: Vec<&RecordKey> = commands.iter().map(Command::key).collect();
        let model = commands.first().map(Command::model).unwrap_or_default();
        let mut found = self.find(model, &keys).await?;
        let mut there = Vec::new();
        for (place, key) in (at..).zip(keys) {
            match found.remove(key.id()) {
                Some(id) => there.push(There {
                    place,
                    key: key.to_string(),
                    model,
                    id,
                }),
                None => receipts.done(place, Effect::AlreadyDone, None, Some(removed())),
            }
        }
        archive::archive(&self.client, &there, receipts).await
    }

    async fn find(&self, model: &str, keys: &[&RecordKey]) -> Result<BTreeMap<String, String>, ConnectError> {
        match keys {
            [] => Ok(BTreeMap::new()),
            keys => find::find(&self.client, &self.unique, model, keys).await,
        }
    }
}

#[async_trait]
impl Target for HubSpotTarget {
    /// Carries out the plan in calls of up to 100 objects. A row that is refused ends it after its call, whose other rows are
    /// written.
    async fn deliver(
        &self,
        plan: &[Command],
        written: &[Option<Digest>],
    ) -> Result<Vec<Receipt>, DeliverError> {
        if let Err(error) = check::plan(&self.client, &self.unique, plan) {
            let receipts = Vec::new();
            return Err(DeliverError { receipts, error });
        }
        let turn = self.line.turn().await;
        let mut receipts = Receipts::new(plan, written);
        let result = self.carry_out(&mut receipts).await;
        let receipts = receipts.into_list();
        let is_left_out =
            |receipt: &Receipt| receipt.effect == Effect::Unchanged && receipt.target_id.is_none();
        match result.is_ok() && receipts.iter().all(is_left_out) {
            // nobody was asked
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
