//! A breaker's whole life, second by second.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn opened(seconds: u64) -> Option<Change> {
    Some(Change::Opened {
        wait: Duration::from_secs(seconds),
    })
}

/// One that has opened at `now`, by five failures.
fn open(now: Instant) -> Breaker {
    let mut breaker = Breaker::new(Terms::default());
    for _ in 0..4 {
        assert_eq!(breaker.told(true, now), None);
    }
    assert_eq!(breaker.told(true, now), opened(10));
    breaker
}

#[test]
fn too_few_or_too_small_a_share_open_nothing() {
    let now = Instant::now();
    let mut breaker = Breaker::new(Terms::default());
    let four_of_ten = [false, false, false, true, false, true, false, true, false, true];
    for failed in four_of_ten.into_iter().chain([false]) {
        assert_eq!(breaker.told(failed, now), None);
        assert_eq!(breaker.ask(now), (May::Go, None));
    }
    assert_eq!(breaker.told(true, now), opened(10), "five of ten are half");
}

#[test]
fn what_is_long_ago_is_forgotten() {
    let now = Instant::now();
    let mut breaker = Breaker::new(Terms::default());
    for _ in 0..4 {
        breaker.told(true, now);
    }
    assert_eq!(breaker.told(true, now + REMEMBERED + SECOND), None);
}

#[test]
fn while_open_nobody_goes_and_then_one_at_a_time() {
    let now = Instant::now();
    let mut breaker = open(now);
    assert_eq!(breaker.ask(now + SECOND), (May::Wait(9 * SECOND), None));
    // a straggler's good end is no try
    assert_eq!(breaker.told(false, now + SECOND), None);
    let then = now + 10 * SECOND;
    assert_eq!(breaker.ask(then), (May::Try, Some(Change::Tries)));
    assert_eq!(breaker.ask(then), (May::Wait(WHILE_TRYING), None));
    assert_eq!(breaker.told(false, then), None);
    breaker.leave();
    assert_eq!(breaker.ask(then), (May::Try, None));
    assert_eq!(breaker.told(false, then), Some(Change::Closed));
    breaker.leave();
    assert_eq!(breaker.ask(then), (May::Go, None));
    // and what was before it opened is forgotten
    assert_eq!(breaker.told(true, then), None);
}

#[test]
fn each_try_that_fails_doubles_the_wait_up_to_the_longest() {
    let mut now = Instant::now();
    let mut breaker = open(now);
    let mut wait = 10;
    for expected in [20, 40, 80, 160, 300, 300] {
        now += Duration::from_secs(wait);
        assert_eq!(breaker.ask(now).0, May::Try);
        assert_eq!(breaker.told(true, now), opened(expected));
        breaker.leave();
        wait = expected;
    }
    // once it was closed it begins anew
    now += Duration::from_secs(wait);
    breaker.ask(now);
    breaker.told(false, now);
    assert_eq!(breaker.told(false, now), Some(Change::Closed));
    for _ in 0..4 {
        breaker.told(true, now);
    }
    assert_eq!(breaker.told(true, now), opened(10));
}

#[test]
fn one_that_tries_and_says_nothing_gives_its_place_back() {
    let now = Instant::now();
    let mut breaker = open(now);
    let then = now + 10 * SECOND;
    breaker.ask(then);
    breaker.leave();
    assert_eq!(breaker.ask(then), (May::Try, None));
}

#[test]
fn switched_off_it_never_opens() {
    let now = Instant::now();
    let mut breaker = Breaker::new(Terms {
        on: false,
        ..Terms::default()
    });
    for _ in 0..100 {
        assert_eq!(breaker.told(true, now), None);
    }
    assert_eq!(breaker.ask(now), (May::Go, None));
}

#[test]
fn terms_that_cannot_come_true_are_told_apart() {
    let terms = Terms::default;
    assert!(terms().make_sense());
    assert!(!Terms { share: 0, ..terms() }.make_sense());
    assert!(
        !Terms {
            share: 101,
            ..terms()
        }
        .make_sense()
    );
    let of_last = NonZeroU32::MIN;
    assert!(!Terms { of_last, ..terms() }.make_sense());
    let wait = Span::seconds(301);
    assert!(!Terms { wait, ..terms() }.make_sense());
}
