//! Numbers that follow what they are told, with a time that the test decides.

use proptest::prelude::*;

use super::*;

fn some(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// Ends so many turns well that began and ended at `now`.
fn well(limit: &mut Limit, turns: u32, now: Instant) {
    for _ in 0..turns {
        limit.told(false, now, now);
    }
}

#[test]
fn it_halves_at_a_sign_of_strain_and_grows_back_one_by_one_when_it_was_calm() {
    let now = Instant::now();
    let mut limit = Limit::new(some(8));
    assert!(limit.told(true, now, now));
    assert_eq!(limit.get(), 4);
    well(&mut limit, 1000, now);
    assert_eq!(limit.get(), 4, "it is not calm yet");
    let calm = now + CALM;
    well(&mut limit, 1, calm);
    assert_eq!(limit.get(), 5);
    well(&mut limit, WELL * 5 - 1, calm);
    assert_eq!(
        limit.get(),
        5,
        "one more takes as many as there may be, eight times"
    );
    well(&mut limit, 1, calm);
    assert_eq!(limit.get(), 6);
    well(&mut limit, 10_000, calm);
    assert_eq!(limit.get(), 8, "never more than the config says");
}

#[test]
fn four_that_began_together_and_were_all_refused_are_one_sign() {
    let now = Instant::now();
    let mut limit = Limit::new(some(8));
    let later = now + Duration::from_millis(1);
    assert!(limit.told(true, now, later));
    for _ in 0..3 {
        assert!(!limit.told(true, now, later));
    }
    assert_eq!(limit.get(), 4);
    assert!(limit.told(true, later, later));
    assert_eq!(limit.get(), 2);
}

proptest! {
    #[test]
    fn whatever_it_is_told_it_stays_between_one_and_the_cap(
        cap in 1_u32..50,
        signs in prop::collection::vec((any::<bool>(), 0_u64..20), 0..300),
    ) {
        let mut limit = Limit::new(some(cap));
        let mut now = Instant::now();
        for (strain, seconds) in signs {
            now += Duration::from_secs(seconds);
            limit.told(strain, now, now);
            prop_assert!((1..=cap).contains(&limit.get()));
        }
    }
}

#[test]
fn calls_stand_at_even_distances_and_farther_apart_after_a_refusal() {
    let now = Instant::now();
    let mut rate = Rate::new(some(10));
    let waits: Vec<u128> = (0..4).map(|_| rate.turn(now).as_millis()).collect();
    assert_eq!(waits, [0, 100, 200, 300]);
    // who comes late waits not, and leaves no burst behind
    let later = now + Duration::from_secs(60);
    assert_eq!(rate.turn(later), Duration::ZERO);
    rate.told(true, later, later);
    let waits: Vec<u128> = (0..3).map(|_| rate.turn(later).as_millis()).collect();
    assert_eq!(waits, [100, 300, 500]);
}

#[tokio::test]
async fn one_more_than_allowed_waits_for_the_first_to_leave() {
    let pace = Pace::new(NonZeroU32::MIN);
    let first = pace.enter(false).await;
    let second = tokio::spawn({
        let pace = pace.clone();
        async move { pace.enter(false).await }
    });
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.is_ok());
}

#[tokio::test]
async fn fewer_turns_hold_for_those_that_are_at_work_too() {
    let now = Instant::now();
    let pace = Pace::new(some(4));
    let mut inside = Vec::new();
    for _ in 0..3 {
        inside.push(pace.enter(false).await);
    }
    let later = now + Duration::from_millis(1);
    assert_eq!(pace.told(true, now, later), Some(2));
    assert_eq!(pace.told(true, now, later), None, "it began before");
    let next = tokio::spawn({
        let pace = pace.clone();
        async move { pace.enter(false).await }
    });
    inside.pop();
    tokio::task::yield_now().await;
    assert!(!next.is_finished(), "two are still inside");
    inside.pop();
    let next = next.await.unwrap();
    let calm = later + CALM;
    let told: Vec<u32> = (0..16).filter_map(|_| pace.told(false, calm, calm)).collect();
    assert_eq!(told, [3]);
    let third = pace.enter(false).await;
    assert!(!pace.state().has_room());
    drop((inside, next, third));
    assert_eq!(pace.state().at_work, 0);
}

#[tokio::test]
async fn what_is_urgent_goes_first_and_who_went_away_keeps_no_turn() {
    let pace = Pace::new(NonZeroU32::MIN);
    let first = pace.enter(false).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for (name, urgent) in [("gone", false), ("usual", false), ("urgent", true)] {
        let (pace, told) = (pace.clone(), Arc::clone(&told));
        waiting.push(tokio::spawn(async move {
            let _permit = pace.enter(urgent).await;
            told.lock().unwrap().push(name);
        }));
        tokio::task::yield_now().await;
    }
    waiting.remove(0).abort();
    tokio::task::yield_now().await;
    drop(first);
    for one in waiting {
        one.await.unwrap();
    }
    assert_eq!(*told.lock().unwrap(), ["urgent", "usual"]);
}
