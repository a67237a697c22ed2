//! A door before each target: how many deliveries go in at once, and where the
//! others wait.
//!
//! A message gives its slot of the pipeline back at the door, and who waits there
//! holds its name and little else. A target that hangs therefore keeps its own
//! messages, and nobody else's. How many calls a target really gets at once is
//! the connector's business, and less.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Deliveries behind one door at once. Each holds its message in memory; a target
/// takes one or some at a time, so that more would wait all the same.
const BEHIND: usize = 16;

/// Messages that may wait before one door without a slot: some kB each. One more
/// keeps its slot, so that a backlog of any length stays in the journal.
const BEFORE: usize = 10_000;

/// What a message takes up while it is worked on.
#[expect(dead_code, reason = "held, and given back when dropped")]
pub(crate) enum Place {
    /// A slot of the pipeline.
    Slot(OwnedSemaphorePermit),
    /// A place behind the door of its target.
    Behind(OwnedSemaphorePermit),
}

/// The doors of all targets, made as they are needed.
#[derive(Default)]
pub(crate) struct Doors(Mutex<BTreeMap<String, Arc<Door>>>);

/// One target's door.
pub(crate) struct Door {
    behind: Arc<Semaphore>,
    before: Arc<Semaphore>,
}

impl Doors {
    /// The door of a target.
    pub(crate) fn of(&self, target: &str) -> Arc<Door> {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let door = doors.entry(target.to_owned()).or_insert_with(|| {
            Arc::new(Door {
                behind: Arc::new(Semaphore::new(BEHIND)),
                before: Arc::new(Semaphore::new(BEFORE)),
            })
        });
        Arc::clone(door)
    }
}

impl Door {
    /// Goes in, if there is room.
    pub(crate) fn enter(&self) -> Option<Place> {
        let permit = Arc::clone(&self.behind).try_acquire_owned().ok()?;
        Some(Place::Behind(permit))
    }

    /// Goes in when there is room, in the order of coming. Gives `place` back
    /// meanwhile, and calls `freed` then, unless too many wait already.
    pub(crate) async fn wait(&self, place: Place, freed: impl FnOnce()) -> Option<Place> {
        let _waits = match Arc::clone(&self.before).try_acquire_owned() {
            Ok(waits) => {
                drop(place);
                freed();
                (Some(waits), None)
            }
            Err(_) => (None, Some(place)),
        };
        let permit = Arc::clone(&self.behind).acquire_owned().await.ok()?;
        Some(Place::Behind(permit))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_door_takes_nobody_in_and_no_slot_away() {
        let (doors, slots) = (Doors::default(), Arc::new(Semaphore::new(1)));
        let door = doors.of("odoo");
        let mut inside: Vec<_> = (0..BEHIND).map_while(|_| door.enter()).collect();
        assert_eq!(inside.len(), BEHIND);
        assert!(doors.of("odoo").enter().is_none(), "the same door");
        assert!(doors.of("other").enter().is_some(), "another door");

        let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
        let (told, mut freed) = tokio::sync::mpsc::unbounded_channel();
        let waiting = tokio::spawn(async move {
            let door = doors.of("odoo");
            let freed = || told.send(()).unwrap();
            door.wait(Place::Slot(slot), freed).await.is_some()
        });
        freed.recv().await.unwrap();
        assert_eq!(slots.available_permits(), 1, "who waits has no slot");
        inside.pop();
        assert!(waiting.await.unwrap());
    }
}
