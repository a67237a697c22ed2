//! What is being delivered: to which system, and about which entities.
//!
//! A system may tell of a record before the receipt for it is in the journal. Taken up at once,
//! what we have just written there would look like somebody's change. So `own` waits until
//! what is under way about the same entities is recorded. It knows this process alone: after a
//! crash the delivery is carried out again and finds its own work.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cambist_contract::canonical::EntityRef;
use tokio::sync::watch;

/// The longest wait: as long as a write to Odoo may take where nothing else is set. What is
/// waited for holds nothing that the waiting message has, so it ends before.
const LONGEST: Duration = Duration::from_secs(120);

/// The deliveries under way.
#[derive(Default)]
pub(crate) struct Delivering {
    entities: Mutex<BTreeMap<(String, EntityRef), usize>>,
    ended: watch::Sender<()>,
}

/// A delivery under way; it ends when dropped.
pub(crate) struct Delivery<'d> {
    all: &'d Delivering,
    keys: BTreeSet<(String, EntityRef)>,
}

impl Delivering {
    /// A delivery to a system begins. To be dropped when it is recorded.
    pub(crate) fn begin(&self, system: &str, entities: impl IntoIterator<Item = EntityRef>) -> Delivery<'_> {
        let keys: BTreeSet<_> = entities
            .into_iter()
            .map(|entity| (system.to_owned(), entity))
            .collect();
        let mut under_way = self.entities();
        for key in &keys {
            *under_way.entry(key.clone()).or_default() += 1;
        }
        Delivery { all: self, keys }
    }

    /// Waits until nothing is being delivered to a system about any of these.
    pub(crate) async fn ended(&self, system: &str, entities: &BTreeSet<EntityRef>) {
        let mut ended = self.ended.subscribe();
        let is_free = || {
            let under_way = self.entities();
            let mut keys = entities.iter().map(|entity| (system.to_owned(), entity.clone()));
            keys.all(|key| !under_way.contains_key(&key))
        };
        let wait = async {
            while !is_free() {
                // the sender lives as long as we do
                if ended.changed().await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(LONGEST, wait).await.is_err() {
            tracing::warn!(system, "a delivery takes too long to be waited for");
        }
    }

    fn entities(&self) -> MutexGuard<'_, BTreeMap<(String, EntityRef), usize>> {
        self.entities.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        let mut under_way = self.all.entities();
        for key in &self.keys {
            if let Some(count) = under_way.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    under_way.remove(key);
                }
            }
        }
        drop(under_way);
        self.all.ended.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use cambist_contract::canonical::EntityKind;

    use super::*;

    fn account(id: &str) -> EntityRef {
        EntityRef {
            kind: EntityKind::Account,
            system: "crm".to_owned(),
            id: id.to_owned(),
        }
    }

    #[tokio::test]
    async fn who_speaks_of_what_is_being_delivered_waits_until_all_of_it_has_ended() {
        let all = Delivering::default();
        let first = all.begin("odoo", [account("1")]);
        let second = all.begin("odoo", [account("1"), account("2")]);
        let one = [account("1")].into();
        // elsewhere, and about others, nobody waits
        all.ended("other", &one).await;
        all.ended("odoo", &[account("3")].into()).await;
        let waiting = all.ended("odoo", &one);
        tokio::pin!(waiting);
        let mut is_over = async || {
            let once = std::future::poll_fn(|context| {
                std::task::Poll::Ready(std::future::Future::poll(waiting.as_mut(), context).is_ready())
            });
            once.await
        };
        assert!(!is_over().await);
        drop(first);
        assert!(!is_over().await);
        drop(second);
        assert!(is_over().await);
    }
}
