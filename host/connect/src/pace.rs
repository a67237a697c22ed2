//! How much is asked of a system at once.
//!
//! A number and no more: a pace that follows the system's answers is for later.

use std::{num::NonZeroU32, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lets so many in at once, in the order they came.
#[derive(Clone, Debug)]
pub struct Pace(Arc<Semaphore>);

/// The right to be at work; it ends when dropped.
#[derive(Debug)]
pub struct Permit(#[expect(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

impl Pace {
    /// So many at once.
    pub fn new(at_once: NonZeroU32) -> Self {
        let permits = usize::try_from(at_once.get())
            .unwrap_or(1)
            .min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(permits)))
    }

    /// Waits for a turn.
    pub async fn enter(&self) -> Permit {
        // it is never closed, so that there is always a permit in the end
        Permit(Arc::clone(&self.0).acquire_owned().await.ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_more_than_allowed_waits_for_the_first_to_leave() {
        let pace = Pace::new(NonZeroU32::MIN);
        let first = pace.enter().await;
        let second = tokio::spawn({
            let pace = pace.clone();
            async move { pace.enter().await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.is_ok());
    }
}
