//! A door before each system and each flow: how many messages go in at once, and where
//! the others wait.
//!
//! Slots of the pipeline are for work that always ends: calls of plugins and
//! writes to the journal. A call of a system may hang, so a message gives its slot
//! back before it: `fetch` goes through the door of its source, `deliver` through
//! the door of its target, and whoever waits there holds its name and little else.
//! A system that hangs therefore keeps its own messages, and nobody else's. How
//! many calls a system really gets at once is the connector's business, and less.
//!
//! # A flow's door
//!
//! Plugin calls always end, and may still take long: a call may compute for as long as its
//! fuel lasts. So a flow has most of the slots at most, never all: the rest is there for the
//! other flows, however many messages of this one wait. How many of its calls compute at
//! once is `calls.rs`.
//!
//! # Two sides
//!
//! A system that is both read from and written to has two doors: what hangs when
//! it writes may well answer when it reads.
//!
//! # More than can wait
//!
//! Who finds too many waiting is [put off](cambist_journal::Journal::put_off) to a
//! time of its own, a [`STEP`] behind the last one that was. So a backlog of any
//! length stays in the journal, comes back as fast as the door may be expected to
//! take it and no faster, and never stands between the journal and other systems'
//! messages. The price is that those who were put off may be overtaken by other
//! keys' messages; within a key nothing changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Messages behind one door at once. Each is held in memory; a system takes one or
/// some at a time, so that more would wait all the same.
const BEHIND: usize = 16;

/// Messages that may wait before one door, some kB each. A claim passes by each of
/// them, some microseconds each; and a burst of a few batches of webhooks keeps
/// its order of arrival.
const BEFORE: usize = 240;

/// How far those that were put off stand apart: 40 in a second. HubSpot lets read
/// some five deals in a second and Odoo takes fewer plans, so that the door has
/// always somebody to let in; and to look at 40 in vain costs a few milliseconds.
const STEP: SignedDuration = SignedDuration::from_millis(25);

/// What a door is before.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Side {
    /// It is read from.
    Source,
    /// It is written to.
    Target,
    /// No system, but a flow: its plugins are called.
    Flow,
}

/// What a message takes up while it is worked on: a slot of the pipeline, a place behind a
/// door, or, where plugins are called, both.
#[derive(Default)]
pub(crate) struct Place {
    slot: Option<OwnedSemaphorePermit>,
    behind: Option<(Side, OwnedSemaphorePermit)>,
}

impl Place {
    /// A slot alone, of one that was claimed and is on its way to a door.
    pub(crate) fn slot(slot: OwnedSemaphorePermit) -> Self {
        Self {
            slot: Some(slot),
            behind: None,
        }
    }

    /// Takes a slot besides.
    pub(crate) fn with(self, slot: Option<OwnedSemaphorePermit>) -> Self {
        Self { slot, ..self }
    }

    /// Gives the slot away.
    pub(crate) fn take_slot(&mut self) -> Option<OwnedSemaphorePermit> {
        self.slot.take()
    }

    /// Whether it has a slot.
    pub(crate) fn has_slot(&self) -> bool {
        self.slot.is_some()
    }

    /// Whether it is behind a door on this side.
    pub(crate) fn is_behind(&self, side: Side) -> bool {
        self.behind.as_ref().is_some_and(|(of, _)| *of == side)
    }
}

/// Names a door: the side, and the system or flow.
pub(crate) type Name = (Side, String);

/// All doors, made as they are needed.
pub(crate) struct Doors {
    all: Mutex<BTreeMap<Name, Arc<Door>>>,
    /// How many of a flow's messages may have a slot.
    of_a_flow: usize,
}

/// One system's door on one side, or a flow's.
pub(crate) struct Door {
    side: Side,
    behind: Arc<Semaphore>,
    before: Arc<Semaphore>,
    /// When the last one that was put off comes back.
    last: Mutex<Timestamp>,
}

impl Doors {
    /// The doors of a pipeline with so many slots. Three quarters of them are the most that
    /// a flow may have: with the default, 12 of 16, so that others find 4 at any time, and one
    /// that is alone hardly misses them, because more calls than processors gain nothing.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            all: Mutex::default(),
            of_a_flow: slots - slots / 4,
        }
    }

    /// The door of this name.
    pub(crate) fn of(&self, name: &Name) -> Arc<Door> {
        let mut doors = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let door = doors.entry(name.clone()).or_insert_with(|| {
            Arc::new(Door {
                side: name.0,
                behind: Arc::new(Semaphore::new(match name.0 {
                    Side::Source | Side::Target => BEHIND,
                    Side::Flow => self.of_a_flow,
                })),
                before: Arc::new(Semaphore::new(BEFORE)),
                last: Mutex::new(Timestamp::MIN),
            })
        });
        Arc::clone(door)
    }
}

impl Door {
    /// Goes in, if there is room.
    pub(crate) fn enter(&self) -> Option<Place> {
        let permit = Arc::clone(&self.behind).try_acquire_owned().ok()?;
        Some(self.inside(permit))
    }

    fn inside(&self, permit: OwnedSemaphorePermit) -> Place {
        Place {
            slot: None,
            behind: Some((self.side, permit)),
        }
    }

    /// Gives `place` back and calls `freed`, and goes in when there is room, in the
    /// order of coming; none when too many wait already.
    pub(crate) async fn wait(&self, place: Place, freed: impl FnOnce()) -> Option<Place> {
        let waits = Arc::clone(&self.before).try_acquire_owned();
        drop(place);
        freed();
        let _waits = waits.ok()?;
        // the semaphore is never closed
        let permit = Arc::clone(&self.behind).acquire_owned().await.ok()?;
        Some(self.inside(permit))
    }

    /// When one that found too many waiting is to come again.
    pub(crate) fn put_off(&self, now: Timestamp) -> Timestamp {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (*last).max(now).checked_add(STEP).unwrap_or(Timestamp::MAX);
        *last
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn target(system: &str) -> Name {
        (Side::Target, system.to_owned())
    }

    #[tokio::test]
    async fn a_full_door_takes_nobody_in_and_no_slot_away() {
        let (doors, slots) = (Doors::new(16), Arc::new(Semaphore::new(1)));
        let door = doors.of(&target("odoo"));
        let mut inside: Vec<_> = (0..BEHIND).map_while(|_| door.enter()).collect();
        assert_eq!(inside.len(), BEHIND);
        assert!(doors.of(&target("odoo")).enter().is_none(), "the same door");
        assert!(doors.of(&target("other")).enter().is_some(), "another door");
        let other_side = (Side::Source, "odoo".to_owned());
        assert!(doors.of(&other_side).enter().is_some(), "the system's other door");

        let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
        let (told, mut freed) = tokio::sync::mpsc::unbounded_channel();
        let waiting = tokio::spawn(async move {
            let door = doors.of(&target("odoo"));
            let freed = || told.send(()).unwrap();
            door.wait(Place::slot(slot), freed).await.is_some()
        });
        freed.recv().await.unwrap();
        assert_eq!(slots.available_permits(), 1, "who waits has no slot");
        inside.pop();
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn who_finds_too_many_waiting_is_sent_away_without_its_slot() {
        let (doors, slots) = (Doors::new(16), Arc::new(Semaphore::new(1)));
        let door = doors.of(&target("odoo"));
        let _inside: Vec<_> = (0..BEHIND).map_while(|_| door.enter()).collect();
        let _waiting = Arc::clone(&door.before).acquire_many_owned(240).await.unwrap();
        assert_eq!(door.before.available_permits(), 0);

        let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
        assert!(door.wait(Place::slot(slot), || ()).await.is_none());
        assert_eq!(slots.available_permits(), 1);
    }

    #[test]
    fn a_flow_never_has_all_slots_if_there_are_some() {
        for (slots, most) in [(1, 1), (3, 3), (4, 3), (16, 12)] {
            let door = Doors::new(slots).of(&(Side::Flow, "deals".to_owned()));
            let inside: Vec<_> = std::iter::repeat_with(|| door.enter())
                .map_while(|it| it)
                .collect();
            assert_eq!(inside.len(), most, "of {slots}");
        }
    }

    #[test]
    fn who_is_put_off_comes_back_one_after_the_other() {
        let doors = Doors::new(16);
        let (door, now) = (doors.of(&target("odoo")), Timestamp::UNIX_EPOCH);
        let first = door.put_off(now);
        assert!(first > now);
        assert_eq!(door.put_off(now), first + STEP);
        // a line that is over leaves nothing behind
        let later = now + SignedDuration::from_secs(60);
        assert_eq!(door.put_off(later), later + STEP);
    }
}
