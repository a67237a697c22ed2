//! The side that is asked what has changed: a hint may be lost, a question is not.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ConnectError;

/// An object that has changed, itself or a part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changed {
    /// Its id in the system.
    pub id: String,
    /// The kind and id of the object that it is a part of and told as; the id is empty where it is a part of nothing, and
    /// nothing is told.
    pub whole: Option<(String, String)>,
    /// When it was changed, by the system's clock.
    pub at: Timestamp,
    /// Names this state of it: another one has another.
    pub state: String,
}

/// A system that can be asked what has changed.
#[async_trait]
pub trait Poll: Send + Sync {
    /// The kinds of object that are asked for, in the system's words.
    fn kinds(&self) -> &[String];

    /// How long to wait between two rounds.
    fn every(&self) -> Duration;

    /// How far before the latest change that is known a round begins: longer than the longest
    /// write, where a change bears the time at which its write began.
    fn overlap(&self) -> Duration;

    /// How long to wait between two looks for what was deleted.
    fn deletions(&self) -> Duration;

    /// When the object of a kind that was changed last was changed; none when there is none.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn latest(&self, kind: &str) -> Result<Option<Timestamp>, ConnectError>;

    /// Objects of a kind that were changed since, in the order of their ids, beginning behind
    /// `after`; fewer than [`PAGE`] when there are no more. An archived one counts.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn since(
        &self,
        kind: &str,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Vec<Changed>, ConnectError>;

    /// Which of these are there, archived or not.
    ///
    /// # Errors
    ///
    /// It could not be asked.
    async fn there(&self, kind: &str, ids: &[String]) -> Result<BTreeSet<String>, ConnectError>;
}

/// Objects of one answer. Odoo reads a thousand in 25 ms; these take some 100 kB.
pub const PAGE: usize = 500;
