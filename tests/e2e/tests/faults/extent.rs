//! How much is done: a few minutes' worth, or all of it.

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Deals.
    pub(crate) keys: u64,
    /// Whether each trouble happens at each kind of request; else each trouble and each kind of request once, and none that
    /// is silent.
    pub(crate) all: bool,
    /// Of the points on a deal's way, a kill at one of so many.
    pub(crate) every: u32,
    /// Kills at random, under load.
    pub(crate) kills: usize,
}

impl Extent {
    /// What `CAMBIST_FAULTS` asks for.
    pub(crate) fn of_environment() -> Self {
        match std::env::var("CAMBIST_FAULTS").as_deref() {
            Ok("long") => Self {
                keys: 160,
                all: true,
                every: 1,
                kills: 120,
            },
            _ => Self {
                keys: 32,
                all: false,
                every: 7,
                kills: 12,
            },
        }
    }
}
