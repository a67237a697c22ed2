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
//! # Who goes next
//!
//! Those who wait stand in lanes, one for each region, which take turns (`queue.rs`). Where all
//! places are taken, the last one of the longest lane makes room for one of a shorter lane. So
//! a region's backlog makes its own messages wait, and urgent flows' go before.
//!
//! # More than can wait
//!
//! Who finds too many waiting goes back to the journal as it came, and its backlog is
//! [shut](crate::shut) until half of them have gone in: so a backlog of any length stays in the
//! journal, and the door has always somebody to let in.

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::queue::{Lane, Queue};

/// Messages behind the door of a system that has no line of its own, where nothing says how many it takes at once.
const BEHIND: usize = 16;

/// Messages behind a door for each that its system takes at once, or for each that shares a call of it: one is at work, and the
/// next is at hand when it ends. More would have chosen their order too early.
const FOR_EACH: usize = 2;

/// Messages that may wait before one door, some kB each. A claim passes by each of
/// them, some microseconds each; and a burst of a few batches of webhooks keeps
/// its order of arrival.
const BEFORE: usize = 240;

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
    behind: Option<(Side, Permit)>,
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
    room: Arc<Mutex<Room>>,
}

/// What is behind a door, and before it.
struct Room {
    /// Places that nobody has.
    free: usize,
    /// Those who wait for one. Who is crowded out finds its end of the channel closed.
    before: Queue<oneshot::Sender<Permit>>,
}

/// A place behind a door; whoever waits has it next when it is dropped.
struct Permit(Arc<Mutex<Room>>);

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

    /// The door of this name. A system takes so many calls `at_once`, where that is known, each for so many messages
    /// `together`.
    pub(crate) fn of(
        &self,
        name: &Name,
        at_once: Option<NonZeroU32>,
        together: Option<NonZeroUsize>,
    ) -> Arc<Door> {
        let mut doors = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let door = doors.entry(name.clone()).or_insert_with(|| {
            let of_a_system = at_once.and_then(|at_once| usize::try_from(at_once.get()).ok());
            Arc::new(Door::new(
                name.0,
                match name.0 {
                    Side::Source | Side::Target => of_a_system.map_or(BEHIND, |at_once| {
                        let calls = at_once.saturating_mul(FOR_EACH);
                        calls.saturating_mul(together.map_or(1, NonZeroUsize::get))
                    }),
                    Side::Flow => self.of_a_flow,
                },
            ))
        });
        Arc::clone(door)
    }
}

impl Door {
    fn new(side: Side, free: usize) -> Self {
        let room = Room {
            free,
            before: Queue::new(),
        };
        Self {
            side,
            room: Arc::new(Mutex::new(room)),
        }
    }

    /// Goes in, if there is room.
    pub(crate) fn enter(&self) -> Option<Place> {
        let mut room = lock(&self.room);
        room.free = room.free.checked_sub(1)?;
        Some(self.inside(Permit(Arc::clone(&self.room))))
    }

    fn inside(&self, permit: Permit) -> Place {
        Place {
            slot: None,
            behind: Some((self.side, permit)),
        }
    }

    /// Gives `place` back and calls `freed`, and goes in when it is the lane's turn; none when
    /// too many wait already, or too many came of lanes that wait less.
    pub(crate) async fn wait(&self, place: Place, lane: &Lane, freed: impl FnOnce()) -> Option<Place> {
        let turn = self.line_up(lane);
        drop(place);
        freed();
        Some(self.inside(turn?.await.ok()?))
    }

    fn line_up(&self, lane: &Lane) -> Option<oneshot::Receiver<Permit>> {
        let (sender, turn) = oneshot::channel();
        let mut room = lock(&self.room);
        if let Some(free) = room.free.checked_sub(1) {
            room.free = free;
            drop(room);
            // should nobody wait for it any more, it is dropped, which gives it back
            drop(sender.send(Permit(Arc::clone(&self.room))));
            return Some(turn);
        }
        if room.before.len() >= BEFORE {
            drop(room.before.crowd_out(lane)?);
        }
        room.before.push(lane, sender);
        Some(turn)
    }

    /// Whether those who were sent back for want of room may come again.
    pub(crate) fn has_room(&self) -> bool {
        let room = lock(&self.room);
        room.free > 0 || room.before.len() <= BEFORE / 2
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut room = lock(&self.0);
        let next = room.before.pop();
        if next.is_none() {
            room.free += 1;
        }
        drop(room);
        if let Some(next) = next {
            // who has gone away does not take it: then it is dropped, and the one behind has it
            drop(next.send(Self(Arc::clone(&self.0))));
        }
    }
}

/// A panic while it was locked left it whole: every change is one step.
fn lock(room: &Mutex<Room>) -> MutexGuard<'_, Room> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
#[path = "door/tests.rs"]
mod tests;
