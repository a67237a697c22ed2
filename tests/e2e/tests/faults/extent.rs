//! How much is done: a few minutes' worth, or all of it.

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Deals.
    pub(crate) keys: u64,
    /// How often each comes: once, and then changed.
    pub(crate) rounds: u64,
    /// Whether each trouble happens at each kind of request, and a kill at each point; else each trouble and each kind of
    /// request once, and a kill at some points.
    pub(crate) all: bool,
    /// Kills at random, under load.
    pub(crate) kills: usize,
}

impl Extent {
    /// What `CAMBIST_FAULTS` asks for.
    pub(crate) fn of_environment() -> Self {
        match std::env::var("CAMBIST_FAULTS").as_deref() {
            Ok("long") => Self {
                keys: 160,
                rounds: 3,
                all: true,
                kills: 200,
            },
            _ => Self {
                keys: 22,
                rounds: 2,
                all: false,
                kills: 10,
            },
        }
    }
}
