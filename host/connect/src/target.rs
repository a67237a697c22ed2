//! The side that is written to.

use std::{num::NonZeroUsize, time::Duration};

use async_trait::async_trait;
use cambist_contract::{
    delivery::{NextTry, Receipt},
    digest::Digest,
    mapping::{Command, Record},
    revision::canonical_json,
};
use serde_json::Value;
use thiserror::Error;

use crate::ConnectError;

/// Told whether an action that must not be done twice is under way.
pub type Acting<'a> = dyn Fn(bool) + Send + Sync + 'a;

/// A system that plans are carried out at.
#[async_trait]
pub trait Target: Send + Sync {
    /// Carries out a plan, in order, and gives one receipt for each command, in the plan's order.
    ///
    /// `written` has, for each command, the digest of what was last written to its record, none where nothing was; a list
    /// that is too short counts as none. An upsert with that digest is left out and receipted as unchanged. Every command is
    /// safe to repeat: after an error the same plan may be delivered again as the error's `next_try` allows, best with the
    /// digests of the receipts that came with it.
    ///
    /// # Errors
    ///
    /// The plan was not carried out to its end. The error has the receipts of what was done.
    async fn deliver(
        &self,
        plan: &[Command],
        written: &[Option<Digest>],
    ) -> Result<Vec<Receipt>, DeliverError>;

    /// The same among other plans that are carried out at the same time. `acting` is told true before an action is asked for
    /// that must not be done twice, and false when its answer has come; a system that has no such actions tells nothing.
    ///
    /// # Errors
    ///
    /// As of [`deliver`](Self::deliver).
    async fn deliver_among(
        &self,
        plan: &[Command],
        written: &[Option<Digest>],
        _: Manner,
        _: &Acting<'_>,
    ) -> Result<Vec<Receipt>, DeliverError> {
        self.deliver(plan, written).await
    }

    /// How many plans share a call of the system where many wait. So many for each of its calls are worth being under way.
    fn together(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// How long such an action may still be at work when nobody waits for it any more.
    fn at_work(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether the system answers and accepts our key, by one cheap call.
    ///
    /// # Errors
    ///
    /// What is the matter.
    async fn ready(&self) -> Result<(), ConnectError>;
}

/// How a plan is carried out among others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Manner {
    /// Its calls go before those of plans that are not urgent.
    pub urgent: bool,
    /// Its records may travel in one call with those of other plans. Not after it has failed some times: what has brought calls
    /// down is not to do so to others for ever.
    pub shares: bool,
}

/// A plan was not carried out to its end.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct DeliverError {
    /// The receipts of what was done, in the plan's order: they belong in the journal before anything else.
    pub receipts: Vec<Receipt>,
    /// Why it did not go on.
    pub error: ConnectError,
}

impl DeliverError {
    /// What may be done next.
    pub fn next_try(&self) -> NextTry {
        self.error.next_try()
    }
}

/// The digest of a record's values, as receipts carry it: of their JSON with sorted keys and without spaces.
pub fn digest_of(record: &Record) -> Digest {
    Digest::of(canonical_json(&Value::Object((*record.values).clone())).as_bytes())
}
