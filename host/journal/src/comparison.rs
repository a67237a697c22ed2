//! What shadows answered beside the live revisions: kept for whoever decides what goes live.
//!
//! It stands beside the chain and is no evidence: a shadow's answer goes nowhere. So it is
//! bounded, and may be lost where the host ends at that moment.

use async_trait::async_trait;
use cambist_contract::{digest::Digest, message::MessageId, stage::Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::JournalError;

/// Calls that differ and are kept one by one, for each shadow of a plugin: more than a person
/// opens. Those beyond are counted alone.
pub const KEPT_CALLS: u64 = 1_000;

/// Paths that are counted one by one, for each shadow of a plugin: more than the contract has
/// fields. A plugin whose answers have names without end fills it, and no more.
pub const KEPT_PATHS: u64 = 500;

/// Whose call it was, and beside which other.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pair {
    /// The plugin.
    pub plugin: String,
    /// Its component that is live.
    pub live: Digest,
    /// Its component that is the shadow.
    pub shadow: Digest,
    /// The stage they were called for.
    pub stage: Stage,
}

/// What came of a shadow's turn.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Compared {
    /// It was called.
    Called(Comparison),
    /// It was not, so many times: too many were under way already.
    Skipped(Pair, u64),
}

/// One call of a shadow, beside the live revision's with the same input.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparison {
    /// Whose.
    #[serde(flatten)]
    pub pair: Pair,
    /// The message.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// What the live call cost.
    pub live_cost: Took,
    /// What the shadow's cost.
    pub shadow_cost: Took,
    /// Where the answers differ: the first ones. None when they are the same.
    pub differences: Vec<Difference>,
    /// How many there are besides.
    pub more: u64,
}

/// How one of the two calls went.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Took {
    /// Instructions, in wasmtime's fuel.
    pub fuel: u64,
    /// Wall clock, in microseconds.
    pub us: u64,
    /// Why there was no answer, when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One place where two answers differ.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// The place, such as `lines[0].unit-price`; empty for the answer as a whole.
    pub path: String,
    /// What the live one answers there, as JSON, cut when it is long; none where it has nothing.
    pub live: Option<String>,
    /// What the shadow answers.
    pub shadow: Option<String>,
    /// Whether it is about money: a price, an amount, a rate, a currency.
    pub money: bool,
}

/// What a shadow came to at one stage.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tally {
    /// Whose.
    #[serde(flatten)]
    pub pair: Pair,
    /// Messages that were compared; one that came by twice counts twice.
    pub compared: u64,
    /// Those whose answers differ, or of which one is missing.
    pub differ: u64,
    /// Those of them that differ in money.
    pub money: u64,
    /// Those of which the live one had no answer.
    pub live_errors: u64,
    /// Those of which the shadow had none.
    pub shadow_errors: u64,
    /// Messages that were not compared, because too many were.
    pub skipped: u64,
    /// What the live calls cost together.
    pub live_cost: Took,
    /// What the shadow's cost together.
    pub shadow_cost: Took,
}

/// How often a place differs; list positions count as one place: `lines[].unit-price`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Path {
    /// The stage.
    pub stage: Stage,
    /// The place.
    pub path: String,
    /// Whether it is about money.
    pub money: bool,
    /// In how many messages.
    pub messages: u64,
}

/// Which of the kept calls to tell of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Which {
    /// Only those that differ in money.
    pub money: bool,
    /// At most so many, the newest first.
    pub limit: usize,
}

/// All that is known of a plugin's shadow.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Comparisons {
    /// What it came to, by live component and stage.
    pub tallies: Vec<Tally>,
    /// Where it differs, what differs most first.
    pub paths: Vec<Path>,
    /// Calls that differ, the newest first.
    pub calls: Vec<Comparison>,
}

/// Where comparisons are kept.
#[async_trait]
pub trait Shadows: Send + Sync + 'static {
    /// Counts what shadows came to, and keeps those that differ, within
    /// [`KEPT_CALLS`] and [`KEPT_PATHS`]. A message that is compared again for the same pair
    /// takes the place of what was kept of it.
    ///
    /// # Errors
    ///
    /// Nothing of it was written.
    async fn compared(&self, batch: Vec<Compared>) -> Result<(), JournalError>;

    /// What is known of a plugin's shadow.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn comparisons(
        &self,
        plugin: &str,
        shadow: &Digest,
        which: Which,
    ) -> Result<Comparisons, JournalError>;
}

impl Compared {
    /// Whose turn it was.
    pub fn pair(&self) -> &Pair {
        match self {
            Self::Called(comparison) => &comparison.pair,
            Self::Skipped(pair, _) => pair,
        }
    }
}

impl Comparison {
    /// Whether the two calls came to different ends.
    pub fn differs(&self) -> bool {
        !self.differences.is_empty()
    }

    /// Whether they differ in money.
    pub fn differs_in_money(&self) -> bool {
        self.differences.iter().any(|difference| difference.money)
    }
}

impl Difference {
    /// The place without positions in lists.
    pub fn place(&self) -> String {
        let mut place = String::with_capacity(self.path.len());
        let mut within = false;
        for letter in self.path.chars() {
            within = (within || letter == '[') && letter != ']';
            if !within || letter == '[' {
                place.push(letter);
            }
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_positions() {
        let difference = |path: &str| Difference {
            path: path.to_owned(),
            live: None,
            shadow: None,
            money: false,
        };
        for (path, place) in [
            ("", ""),
            ("net", "net"),
            ("lines[12].rates[0].percent", "lines[].rates[].percent"),
            ("[3]", "[]"),
        ] {
            assert_eq!(difference(path).place(), place);
        }
    }
}
