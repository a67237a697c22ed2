//! Where randomness comes from: a number, so that what was found can be found again.

/// How often to run what runs `by_default` times: `CAMBIST_FUZZ` times as often.
pub fn runs(by_default: u32) -> u32 {
    by_default.saturating_mul(number("CAMBIST_FUZZ").unwrap_or(1).max(1))
}

/// The seeds of so many runs.
pub fn seeds(by_default: u32) -> impl Iterator<Item = u64> {
    let first = u64::from(number("CAMBIST_FUZZ_SEED").unwrap_or(0)) << 32;
    (0..u64::from(runs(by_default))).map(move |at| first + at)
}

fn number(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

/// Numbers that look like chance: splitmix64, by Steele, Lea and Flood.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let number = self.number();
        usize::try_from(number % (end as u64).max(1)).unwrap_or(0)
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.number().to_le_bytes()[0]).collect()
    }
}
