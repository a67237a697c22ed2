//! A share: the part of all keys that a new component serves beside the live one.
//!
//! # What is not here
//!
//! Counting how it does, and withdrawing it: the registry's business.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The part of all keys that a component serves, and what ends that by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Share {
    /// Percent of the keys, 1 to 99.
    pub percent: u8,
    /// Percent of its calls that may break: end in a trap, at a limit, in an answer outside
    /// the contract or in the fault `broken`. With more it is withdrawn. By so many points it may
    /// also refuse more of its calls than the live one does.
    #[serde(default = "default_broken_percent")]
    pub broken_percent: u8,
    /// How many times as long as the live one's its calls may take in the mean. With more it
    /// is withdrawn.
    #[serde(default = "default_slower_times")]
    pub slower_times: u16,
}

/// One call in twenty. A plugin that works breaks on none; one that breaks on some inputs
/// of one customer stays below it, and its messages wait where they can be seen.
pub const BROKEN_PERCENT: u8 = 5;

/// Three times: the mean of some ten calls on a busy machine is seldom off by more than half,
/// and a plugin that takes three times as long has changed.
pub const SLOWER_TIMES: u16 = 3;

fn default_broken_percent() -> u8 {
    BROKEN_PERCENT
}

fn default_slower_times() -> u16 {
    SLOWER_TIMES
}

impl Share {
    /// A share of so many percent, with the default bounds.
    pub fn of(percent: u8) -> Self {
        Self {
            percent,
            broken_percent: BROKEN_PERCENT,
            slower_times: SLOWER_TIMES,
        }
    }

    /// Whether the share can be: neither nothing nor all, and with bounds that can be passed.
    pub fn is_sound(&self) -> bool {
        (1..=99).contains(&self.percent) && self.broken_percent < 100 && self.slower_times > 0
    }

    /// Whether a key of a plugin is in the share. It depends on nothing else, so a key never
    /// goes to and fro between revisions, and stays in a share that grows.
    pub fn takes(&self, plugin: &str, key: &str) -> bool {
        let digest = Digest::of_parts(&[plugin.as_bytes(), key.as_bytes()]);
        let head = digest.as_bytes().iter().take(8);
        let number = head.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        number % 100 < u64::from(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_takes_its_part_of_the_keys_and_keeps_them_when_it_grows() {
        let keys: Vec<String> = (0..10_000).map(|number| format!("deal:{number}")).collect();
        let taken = |percent: u8, plugin: &str| -> Vec<&String> {
            let share = Share::of(percent);
            keys.iter().filter(|key| share.takes(plugin, key)).collect()
        };
        let (few, many) = (taken(10, "map"), taken(40, "map"));
        // 3.3 standard deviations of 10 000 throws
        assert!((900..=1_100).contains(&few.len()), "{}", few.len());
        assert!((3_840..=4_160).contains(&many.len()), "{}", many.len());
        assert!(few.iter().all(|key| many.contains(key)));
        assert_ne!(few, taken(10, "tax"));
    }

    #[test]
    fn none_and_all_are_no_share() {
        let sound = |percent| Share::of(percent).is_sound();
        assert_eq!([0, 1, 99, 100].map(sound), [false, true, true, false]);
    }
}
