//! Doors from the side of those who come.

use std::collections::VecDeque;

use tokio::sync::Semaphore;

use super::*;

fn target(system: &str) -> Name {
    (Side::Target, system.to_owned())
}

fn lane(name: &str) -> Lane {
    Lane {
        name: name.to_owned(),
        weight: NonZeroU32::MIN,
        urgent: false,
    }
}

#[tokio::test]
async fn a_full_door_takes_nobody_in_and_no_slot_away() {
    let (doors, slots) = (Doors::new(16), Arc::new(Semaphore::new(1)));
    let door = doors.of(&target("odoo"), None, None);
    let mut inside: Vec<_> = (0..BEHIND).map_while(|_| door.enter()).collect();
    assert_eq!(inside.len(), BEHIND);
    assert!(
        doors.of(&target("odoo"), None, None).enter().is_none(),
        "the same door"
    );
    assert!(
        doors.of(&target("other"), None, None).enter().is_some(),
        "another door"
    );
    let other_side = (Side::Source, "odoo".to_owned());
    assert!(
        doors.of(&other_side, None, None).enter().is_some(),
        "the system's other door"
    );

    let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
    let (told, mut freed) = tokio::sync::mpsc::unbounded_channel();
    let waiting = tokio::spawn(async move {
        let door = doors.of(&target("odoo"), None, None);
        let freed = || told.send(()).unwrap();
        door.wait(Place::slot(slot), &lane("de"), freed).await.is_some()
    });
    freed.recv().await.unwrap();
    assert_eq!(slots.available_permits(), 1, "who waits has no slot");
    inside.pop();
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn who_finds_too_many_of_its_lane_waiting_is_sent_away_without_its_slot() {
    let slots = Arc::new(Semaphore::new(1));
    let door = Door::new(Side::Target, 0);
    let waiting: Vec<_> = (0..BEFORE).map_while(|_| door.line_up(&lane("de"))).collect();
    assert_eq!(waiting.len(), BEFORE);

    let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
    assert!(door.wait(Place::slot(slot), &lane("de"), || ()).await.is_none());
    assert_eq!(slots.available_permits(), 1);
}

#[tokio::test]
async fn a_regions_backlog_makes_room_for_another_regions_first_message() {
    let door = Door::new(Side::Target, 1);
    let inside = door.enter().unwrap();
    let mut waiting: Vec<_> = (0..BEFORE).map_while(|_| door.line_up(&lane("de"))).collect();
    let french = door.line_up(&lane("fr")).unwrap();
    let last = waiting.pop().unwrap();
    assert!(last.await.is_err(), "the last of the backlog is sent away");
    drop(inside);
    // one turn each: at the second at the latest
    let first = waiting.remove(0).await.unwrap();
    drop(first);
    assert!(french.await.is_ok());
}

#[tokio::test]
async fn a_place_goes_past_those_who_have_gone_away() {
    let door = Door::new(Side::Target, 1);
    let inside = door.enter().unwrap();
    let gone: Vec<_> = (0..3).map(|_| door.line_up(&lane("de"))).collect();
    let here = door.line_up(&lane("de")).unwrap();
    drop(gone);
    drop(inside);
    drop(here.await.unwrap());
    assert!(door.enter().is_some(), "and is there again in the end");
    assert!(door.enter().is_some(), "as often as one leaves");
}

#[test]
fn a_flow_never_has_all_slots_if_there_are_some() {
    for (slots, most) in [(1, 1), (3, 3), (4, 3), (16, 12)] {
        let door = Doors::new(slots).of(&(Side::Flow, "deals".to_owned()), None, None);
        assert_eq!(room(&door), most, "of {slots}");
    }
}

#[test]
fn behind_a_systems_door_are_two_for_each_that_it_takes_at_once() {
    let at_once = NonZeroU32::new(3);
    assert_eq!(room(&Doors::new(16).of(&target("odoo"), at_once, None)), 6);
    let together = NonZeroUsize::new(100);
    assert_eq!(
        room(&Doors::new(16).of(&target("odoo"), at_once, together)),
        600,
        "and for each that shares a call"
    );
}

/// How many go in at once.
fn room(door: &Door) -> usize {
    let inside: Vec<_> = std::iter::repeat_with(|| door.enter())
        .map_while(|it| it)
        .collect();
    inside.len()
}

#[test]
fn who_was_sent_away_may_come_again_when_half_of_those_who_wait_have_gone_in() {
    let door = Door::new(Side::Target, 1);
    assert!(door.has_room());
    let mut inside = door.enter();
    assert!(inside.is_some() && door.has_room(), "nobody waits yet");
    let mut waiting: VecDeque<_> = (0..BEFORE).map_while(|_| door.line_up(&lane("de"))).collect();
    for gone in 0..=BEFORE {
        assert_eq!(door.has_room(), gone >= BEFORE / 2, "{gone} have gone in");
        inside = None;
        if let Some(mut next) = waiting.pop_front() {
            inside = next.try_recv().ok().map(|permit| door.inside(permit));
        }
    }
    drop(inside);
}
