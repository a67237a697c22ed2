//! A line from the side of messages and from the side of a connector, with a time that the test decides.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn line(at_once: u32) -> Line {
    let bounds = Bounds {
        at_once: NonZeroU32::new(at_once).unwrap(),
        rate: None,
        breaker: Terms::default(),
    };
    Line::new("far", bounds)
}

fn limit(line: &Line) -> usize {
    let mut turns = Vec::new();
    while let Some(turn) = now_or_never(line.turn()) {
        turns.push(turn);
    }
    turns.len()
}

/// What a future has at once.
fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn a_system_in_trouble_is_left_alone_and_tried_by_one_at_a_time() {
    let (line, now) = (line(4), Instant::now());
    for _ in 0..5 {
        drop(line.pass(now).unwrap());
        line.told(Sign::Troubled, now, now);
    }
    assert_eq!(line.pass(now).unwrap_err(), 10 * SECOND);
    assert_eq!(limit(&line), 4, "trouble is no sign of too many at once");
    let then = now + 10 * SECOND;
    let tries = line.pass(then).unwrap();
    assert!(line.pass(then).is_err(), "one tries already");
    drop(tries);
    let tries = line.pass(then).unwrap();
    line.told(Sign::Well, then, then);
    line.told(Sign::Well, then, then);
    drop(tries);
    let all = [line.pass(then).unwrap(), line.pass(then).unwrap()];
    assert!(all.iter().all(|pass| pass.tries.is_none()));
}

#[test]
fn refusals_of_records_never_open_it() {
    let (line, now) = (line(1), Instant::now());
    for _ in 0..100 {
        line.told(Sign::Well, now, now);
        line.told(Sign::Strained, now, now);
    }
    assert!(line.pass(now).is_ok());
}

#[test]
fn a_system_that_asks_for_patience_is_asked_by_nobody_meanwhile_and_by_fewer_after() {
    let (line, now) = (line(4), Instant::now());
    line.told(Sign::Busy(Some(7 * SECOND)), now, now);
    assert_eq!(line.pass(now).unwrap_err(), 7 * SECOND);
    assert!(line.pass(now + 7 * SECOND).is_ok());
    assert_eq!(limit(&line), 2);
    // where it names none, and where it asks for a day
    line.told(Sign::Busy(None), now, now + 20 * SECOND);
    assert_eq!(line.pass(now + 20 * SECOND).unwrap_err(), AFTER_BUSY);
    line.told(Sign::Busy(Some(86_400 * SECOND)), now, now + 20 * SECOND);
    assert_eq!(line.pass(now + 20 * SECOND).unwrap_err(), HONOURED);
}

#[test]
fn lost_races_and_time_outs_make_it_fewer_at_once() {
    for sign in [Sign::Strained, Sign::Silent] {
        let (line, now) = (line(4), Instant::now());
        line.told(sign, now, now);
        assert_eq!(limit(&line), 2, "{sign:?}");
    }
}

#[test]
fn a_call_far_slower_than_its_kind_is_a_sign_and_a_slow_kind_is_none() {
    let (line, now) = (line(4), Instant::now());
    for _ in 0..40 {
        line.answered("load", now, 20 * SECOND);
        line.answered("read", now, Duration::from_millis(30));
    }
    line.answered("read", now, Duration::from_millis(900));
    assert_eq!(limit(&line), 4, "below a second nothing is slow");
    line.answered("load", now, 70 * SECOND);
    assert_eq!(limit(&line), 4);
    line.answered("read", now, 2 * SECOND);
    assert_eq!(limit(&line), 2);
    assert!(line.pass(now).is_ok(), "slow is no trouble");
}

#[test]
fn a_kind_that_is_new_or_one_too_many_is_never_slow() {
    let (line, now) = (line(4), Instant::now());
    line.answered("read", now, 100 * SECOND);
    for kind in 0..200 {
        line.answered(&kind.to_string(), now, 100 * SECOND);
    }
    assert_eq!(limit(&line), 4);
    assert_eq!(line.state().usual.len(), KINDS);
}

#[test]
fn what_ended_unasked_says_nothing() {
    let line = line(1);
    for _ in 0..20 {
        let turn = now_or_never(line.turn()).unwrap();
        turn.end::<()>(&Err(ConnectError::NoDatabase {
            system: "far".to_owned(),
        }));
        now_or_never(line.turn()).unwrap().unused();
    }
    assert!(line.pass(Instant::now()).is_ok());
    assert_eq!(limit(&line), 1);
}
