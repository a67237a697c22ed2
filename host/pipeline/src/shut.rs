//! Which backlogs are not claimed from now, because a message of theirs could not go on: its system is left alone, or too many
//! wait before its door already.
//!
//! So a backlog of any length stays in the journal as it is, costs nothing there, and never stands between the journal and
//! other messages. It is in memory only: a host that starts finds out anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use cambist_journal::journal::Backlog;

use crate::door::Name;

/// Until when a backlog is shut.
#[derive(Clone, Debug)]
pub(crate) enum Until {
    /// Its system may be asked again then.
    Then(Instant),
    /// Fewer wait before this door.
    Room(Name),
}

/// The backlogs that are shut.
#[derive(Default)]
pub(crate) struct Shut(Mutex<BTreeMap<Backlog, Until>>);

impl Shut {
    /// Shuts a backlog.
    pub(crate) fn shut(&self, backlog: Backlog, until: Until) {
        self.all().insert(backlog, until);
    }

    /// Whether a backlog is shut, as far as was looked at last.
    pub(crate) fn is_shut(&self, backlog: &Backlog) -> bool {
        self.all().contains_key(backlog)
    }

    /// The backlogs that are still shut at `now`; `has_room` tells it of a door.
    pub(crate) fn still(&self, now: Instant, has_room: impl Fn(&Name) -> bool) -> BTreeSet<Backlog> {
        let mut all = self.all();
        all.retain(|_, until| match until {
            Until::Then(then) => now < *then,
            Until::Room(door) => !has_room(door),
        });
        all.keys().cloned().collect()
    }

    /// A panic while it was locked left it whole: every change is one step.
    fn all(&self) -> MutexGuard<'_, BTreeMap<Backlog, Until>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::door::Side;

    #[test]
    fn a_backlog_is_shut_until_its_time_or_until_there_is_room() {
        let backlog = |of: &str| Backlog {
            flow: None,
            of: of.to_owned(),
            event: None,
        };
        let (shut, now) = (Shut::default(), Instant::now());
        let then = now + Duration::from_secs(1);
        shut.shut(backlog("later"), Until::Then(then));
        shut.shut(backlog("behind"), Until::Room((Side::Target, "odoo".to_owned())));

        assert_eq!(shut.still(now, |_| false).len(), 2);
        assert_eq!(shut.still(then, |_| false), [backlog("behind")].into());
        assert!(!shut.is_shut(&backlog("later")));
        assert!(shut.still(now, |_| true).is_empty());
    }
}
