//! What a firm sells in a season: deals of all regions, and what changes of them from round to round. The same on every
//! run, so that two runs can be compared.

use serde_json::json;

use crate::deals::Deal;

/// The round that all deals end with, however many they had before.
pub const LAST: u64 = 1_000;

/// Deals, by the keys that their messages have.
#[derive(Clone, Debug)]
pub struct Season {
    first: u64,
    keys: u64,
}

impl Season {
    /// So many deals, from this id on.
    pub fn new(first: u64, keys: u64) -> Self {
        Self { first, keys }
    }

    /// The deals as they are in a round, 1 for the first, [`LAST`] for the last.
    pub fn round(&self, round: u64) -> Vec<Deal> {
        (0..self.keys).map(|key| self.deal(key, round)).collect()
    }

    /// One of the deals, 0 for the first, as it is in a round. Names of deals and lines end with the round; no total
    /// changes, so that orders go on being what was agreed.
    pub fn deal(&self, key: u64, round: u64) -> Deal {
        let id = self.first + key;
        let of_kind = |id| match key % 5 {
            0 => Deal::german(id),
            1 => Deal::french(id),
            2 => Deal::american(id),
            3 => Deal::gujarati(id),
            _ => Deal::maharashtrian(id),
        };
        let mut deal = of_kind(id);
        // every second ten has the customers of the ten before
        if key % 20 >= 10 {
            deal = deal.customer_of(&of_kind(id - 10));
        }
        // articles of its own, so that each deal makes all that a deal can make
        let lines = [("Implementation", "10", "120.50"), ("Workshop", "1", "845.00")];
        let lines = lines.map(|(name, quantity, price)| {
            json!({"name": format!("{name}, round {round}"), "quantity": quantity, "price": price, "hs_sku": format!("{name} {id}")})
        });
        deal.with(json!({"dealname": format!("Rollout {id}, round {round}")}))
            .lines(lines.into())
    }
}
