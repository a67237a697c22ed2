//! Which messages are being worked on: in memory only.
//!
//! A claim written to disk would have to be told from one that a crash left
//! behind. These end with the process, and a host that starts again finds every
//! message as its entries left it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cambist_contract::message::MessageId;
use tokio::sync::watch;

/// One claim.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// The message's key: no other message of it is handed out meanwhile.
    pub(super) key: String,
    /// The journal's last place when it was handed out. What was written up to
    /// there its claimer can know; what came later it may have missed.
    pub(super) since: u64,
}

/// All claims of this process.
#[derive(Clone)]
pub(super) struct Claims {
    table: Arc<Mutex<Table>>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Table {
    by_id: HashMap<MessageId, Held>,
    keys: HashSet<String>,
    /// The backlog that was handed out of last.
    turn: String,
}

impl Claims {
    pub(super) fn new() -> Self {
        Self {
            table: Arc::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// Tells whoever waits for work that there may be some.
    pub(super) fn stir(&self) {
        self.changed.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// For those who wait for work.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether a message of this key is being worked on.
    pub(super) fn holds_key(&self, key: &str) -> bool {
        self.table().keys.contains(key)
    }

    /// The claim on a message, if there is one.
    pub(super) fn of(&self, id: &MessageId) -> Option<Held> {
        self.table().by_id.get(id).cloned()
    }

    /// Puts backlogs, which come in the order of their texts, in the order of their turns: those behind the one that had
    /// the last turn first.
    pub(super) fn in_turn(&self, backlogs: &mut [String]) {
        let table = self.table();
        let next = backlogs.partition_point(|backlog| *backlog <= table.turn);
        backlogs.rotate_left(next);
    }

    /// A backlog had a turn.
    pub(super) fn had_a_turn(&self, backlog: &str) {
        backlog.clone_into(&mut self.table().turn);
    }

    /// Claims messages. The answer gives them back when it is dropped, unless it
    /// was [kept](Taken::keep): a claimer that goes away before it has its
    /// messages leaves none behind.
    pub(super) fn take(&self, messages: Vec<(MessageId, Held)>) -> Taken {
        let mut table = self.table();
        let mut ids = Vec::with_capacity(messages.len());
        for (id, held) in messages {
            table.keys.insert(held.key.clone());
            table.by_id.insert(id.clone(), held);
            ids.push(id);
        }
        drop(table);
        Taken {
            ids,
            claims: self.clone(),
        }
    }

    /// Ends the claim on a message; false if there is none.
    pub(super) fn free(&self, id: &MessageId) -> bool {
        let mut table = self.table();
        let held = table.by_id.remove(id);
        held.is_some_and(|held| table.keys.remove(&held.key))
    }

    /// Gives a message back: its claim ends, and another may have it.
    pub(super) fn give_back(&self, id: &MessageId) {
        if self.free(id) {
            self.stir();
        }
    }

    /// A panic while it was locked left it whole: every change is one step.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Messages that were just claimed, on their way to the claimer.
pub(super) struct Taken {
    ids: Vec<MessageId>,
    claims: Claims,
}

impl Taken {
    /// The messages, in the order they are to be worked on.
    pub(super) fn ids(&self) -> &[MessageId] {
        &self.ids
    }

    /// The claimer has them now.
    pub(super) fn keep(mut self) {
        self.ids.clear();
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        for id in &self.ids {
            self.claims.give_back(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_reached_its_claimer_is_free_again() {
        let claims = Claims::new();
        let id = MessageId::of("crm", "1");
        let held = Held {
            key: "deal/7".into(),
            since: 0,
        };

        drop(claims.take(vec![(id.clone(), held.clone())]));
        assert!(!claims.holds_key("deal/7"));
        claims.take(vec![(id.clone(), held)]).keep();
        assert!(claims.holds_key("deal/7"));
        claims.free(&id);
        assert!(claims.of(&id).is_none());
    }
}
