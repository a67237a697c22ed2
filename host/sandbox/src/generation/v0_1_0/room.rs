//! Where a call's input is written down before it is handed over.
//!
//! How the input's values get there is `convert.rs`'s business.

use std::cell::Cell;

use bumpalo::Bump;

/// Bytes that a call gets at once. The changes of the benchmark's large deal take a
/// third of it.
const SIZE: usize = 16 << 10;

/// Memory for what has to be written down first, such as a date or a list, and a note
/// of what this generation has no words for.
pub(super) struct Room {
    pub(super) bump: Bump,
    unsayable: Cell<Option<&'static str>>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            bump: Bump::with_capacity(SIZE),
            unsayable: Cell::new(None),
        }
    }

    /// Notes that something cannot be said. What is handed over in its place must
    /// not reach a plugin: look at [`unsayable`](Self::unsayable) before the call.
    pub(super) fn cannot_say(&self, what: &'static str) {
        self.unsayable.set(Some(what));
    }

    /// What could not be said, the last of it.
    pub(super) fn unsayable(&self) -> Option<&'static str> {
        self.unsayable.get()
    }
}
