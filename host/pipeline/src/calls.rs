//! How many plugin calls of one flow compute at once.
//!
//! A call cannot be stopped before its fuel is spent, and takes a processor for as long. If
//! a flow's calls could take all of them, a plugin that loops would slow down every other
//! flow, the journal and the doors of senders by as many times as there are such calls. So
//! a flow has a number of turns, and its calls wait for one; the other flows' calls do not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of all flows, made as they are needed.
pub(crate) struct Calls {
    of_a_flow: usize,
    all: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

/// A call's turn, until it is dropped.
#[expect(dead_code, reason = "the permit is held, and given back when dropped")]
pub(crate) struct Turn(Option<OwnedSemaphorePermit>);

impl Calls {
    /// So many for each flow, and one at least.
    pub(crate) fn new(of_a_flow: usize) -> Self {
        Self {
            of_a_flow: of_a_flow.max(1),
            all: Mutex::default(),
        }
    }

    /// Waits for a turn of a flow, in the order of coming.
    pub(crate) async fn turn(&self, flow: &str) -> Turn {
        let turns = {
            let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Semaphore::new(self.of_a_flow));
            Arc::clone(all.entry(flow.to_owned()).or_insert_with(new))
        };
        // the semaphore is never closed
        Turn(turns.acquire_owned().await.ok())
    }
}
