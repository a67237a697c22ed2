//! Orders to replay: kept with what came of them, within bounds, and no part of the evidence.

use cambist_contract::{Decimal, canonical::EntityKind, digest::Digest, stage::Stage};

use super::kit::{accept, account, at, delivered, id, parked, passed, record, routed};
use crate::{
    Event, JournalError, Replays,
    journal::{Filter, Journal, Verified},
    replay::{Differing, KEPT_MESSAGES, KEPT_ORDERS, Order, Progress, Revisions, Total, Wanted},
};

pub(super) fn order(dry: bool, why: &str) -> Order {
    Order {
        wanted: Wanted {
            from: Some(at(3)),
            region: Some("de".into()),
            ..Wanted::default()
        },
        revisions: Revisions::Named(Digest::of(b"map")),
        dry,
        begin: Stage::Read,
        by: "b.keller".into(),
        why: why.into(),
        at: at(60),
    }
}

/// A message that differs by so many cents.
pub(super) fn differing(n: i64, cents: i64) -> Differing {
    Differing {
        message: id(n),
        arrival: n.unsigned_abs(),
        received_at: at(n),
        object: format!("deal/{n}"),
        flow: "deals".into(),
        region: "de".into(),
        begins_at: Some(Stage::Tax),
        ends: None,
        totals: vec![Total {
            of: account("1"),
            currency: "EUR".into(),
            then: Decimal::new(10_000, 2),
            now: Decimal::new(10_000 + cents, 2),
        }],
        fields: Vec::new(),
        more: 0,
    }
}

/// What was asked for, how far it has come and what differs are there after a restart; the
/// oldest order of a kind that is not over is the next one.
pub async fn an_order_goes_on_after_a_restart<J: Replays>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let first = {
        let replays = open().await?;
        assert!(replays.next_replay(true).await?.is_none());
        let first = replays.order(order(true, "first")).await?;
        let second = replays.order(order(true, "second")).await?;
        let real = replays.order(order(false, "third")).await?;
        assert!(first < second && second < real);
        let progress = Progress {
            last: Some(9),
            reached: 4,
            messages: 2,
            under_way: vec![id(4)],
            ..Progress::default()
        };
        // the smaller difference first: the greater one is told first
        let found = vec![differing(1, 5), differing(2, -900)];
        replays.proceed(first, progress, found).await?;
        first
    };
    let replays = open().await?;
    let gone = JournalError::Broken {
        place: 0,
        detail: "the order is gone".into(),
    };
    let found = replays.next_replay(true).await?.ok_or(gone)?;
    assert_eq!((found.number, found.order), (first, order(true, "first")));
    assert_eq!(
        (found.progress.reached, found.progress.under_way.clone()),
        (4, vec![id(4)])
    );
    assert_eq!(
        replays.differing(first, 9).await?,
        [differing(2, -900), differing(1, 5)]
    );
    assert_eq!(replays.differing(first, 1).await?, [differing(2, -900)]);
    let real = replays.next_replay(false).await?;
    assert_eq!(real.map(|it| it.order.why), Some("third".to_owned()));

    let ended = Progress {
        ended_at: Some(at(70)),
        ..found.progress
    };
    replays.proceed(first, ended, Vec::new()).await?;
    let next = replays.next_replay(true).await?;
    assert_eq!(next.map(|it| it.order.why), Some("second".to_owned()));
    let newest = replays.replays(2).await?;
    let why: Vec<&str> = newest.iter().map(|it| it.order.why.as_str()).collect();
    assert_eq!(why, ["third", "second"]);
    Ok(())
}

/// An order that was stopped stays so, whatever its worker still writes; one that is over is
/// not stopped any more.
pub async fn a_stopped_order_is_not_begun_again<J: Replays>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let replays = open().await?;
    let number = replays.order(order(true, "long")).await?;
    replays.stop_replay(number, "ada").await?;
    let progress = Progress {
        messages: 3,
        ..Progress::default()
    };
    replays.proceed(number, progress, Vec::new()).await?;
    replays.stop_replay(number, "zoe").await?;
    let found = replays.replay(number).await?;
    let told = found.map(|it| (it.is_over(), it.stopped_by, it.progress.messages));
    assert_eq!(told, Some((true, Some("ada".to_owned()), 3)));
    assert!(replays.next_replay(true).await?.is_none());
    assert!(replays.replay(number + 1).await?.is_none());
    Ok(())
}

/// Of very many messages those with the most money stay; of very many orders the latest.
pub async fn what_is_kept_of_orders_is_bounded<J: Replays>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let replays = open().await?;
    let number = replays.order(order(true, "many")).await?;
    let most = i64::try_from(KEPT_MESSAGES).unwrap_or(i64::MAX);
    let page = (1..=most + 50).map(|n| differing(n, n)).collect();
    replays.proceed(number, Progress::default(), page).await?;
    let kept = replays.differing(number, usize::MAX >> 1).await?;
    assert_eq!(kept.len() as u64, KEPT_MESSAGES);
    assert_eq!(kept.first(), Some(&differing(most + 50, most + 50)));
    assert_eq!(kept.last(), Some(&differing(51, 51)));

    let ended = Progress {
        ended_at: Some(at(70)),
        ..Progress::default()
    };
    replays.proceed(number, ended.clone(), Vec::new()).await?;
    let mut last = number;
    for _ in 0..=KEPT_ORDERS {
        last = replays.order(order(true, "one more")).await?;
        replays.proceed(last, ended.clone(), Vec::new()).await?;
    }
    replays.order(order(true, "the last")).await?;
    assert!(replays.replay(number).await?.is_none());
    assert!(replays.differing(number, 9).await?.is_empty());
    assert!(replays.replay(last).await?.is_some());
    Ok(())
}

/// They are no entries of the chain.
pub async fn orders_are_no_entries_of_the_chain<J: Journal + Replays>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let number = journal.order(order(true, "dry")).await?;
    journal
        .proceed(number, Progress::default(), vec![differing(1, 1)])
        .await?;
    let Verified { entries, .. } = journal.verify().await?;
    assert_eq!(entries, 0);
    Ok(())
}

/// A span, an object, an entity, a stage and ids choose messages, the oldest first.
pub async fn messages_are_chosen_by_what_is_wanted<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 6, |n| format!("deal/{}", n % 3)).await?;
    record(
        &journal,
        1,
        9,
        [routed("deals", "de"), passed(Stage::Read), parked()],
    )
    .await?;
    record(
        &journal,
        2,
        9,
        [routed("deals", "in"), delivered(&account("7")), Event::Done],
    )
    .await?;
    record(&journal, 3, 9, [routed("hours", "de"), Event::Done]).await?;
    let chosen = async |wanted: Wanted| {
        let found = journal.list(wanted.after(0, 9)).await?;
        Ok::<_, JournalError>(found.iter().map(|it| it.arrival).collect::<Vec<_>>())
    };
    let all = Wanted::default();
    assert_eq!(chosen(all.clone()).await?, [1, 2, 3, 4, 5, 6]);
    let (from, until) = (Some(at(2)), Some(at(5)));
    let span = Wanted {
        from,
        until,
        ..all.clone()
    };
    assert_eq!(chosen(span).await?, [2, 3, 4]);
    let object = Wanted {
        object: Some("deal/4".into()),
        ..all.clone()
    };
    assert_eq!(chosen(object).await?, [4]);
    let entity = Wanted {
        entity: Some(account("7")),
        ..all.clone()
    };
    assert_eq!(chosen(entity.clone()).await?, [2]);
    let other = entity
        .entity
        .map(|entity| cambist_contract::canonical::EntityRef {
            kind: EntityKind::Contact,
            ..entity
        });
    let other = Wanted {
        entity: other,
        ..all.clone()
    };
    assert_eq!(chosen(other).await?, [0_u64; 0]);
    let read = Wanted {
        passed: Some(Stage::Read),
        ..all.clone()
    };
    assert_eq!(chosen(read).await?, [1]);
    let named = Wanted {
        ids: vec![id(5), id(3)],
        ..all.clone()
    };
    assert_eq!(chosen(named.clone()).await?, [3, 5]);
    let german = Wanted {
        region: Some("de".into()),
        ..named
    };
    assert_eq!(chosen(german).await?, [3]);
    // the first of a key that is due: 4 stands behind 1, which is parked
    let ready = Filter {
        under_way: true,
        after: Some(0),
        limit: 9,
        ..Filter::default()
    };
    let ready: Vec<u64> = journal.list(ready).await?.iter().map(|it| it.arrival).collect();
    assert_eq!(ready, [5, 6]);
    Ok(())
}

/// A span tells a moment from its fractions: the second and what is behind it are of the same
/// one, whichever way its text is written.
pub async fn a_span_is_exact_to_the_nanosecond<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let second = jiff::Timestamp::constant(1_790_000_000, 0);
    let nano = |nanos| jiff::Timestamp::constant(1_790_000_000, nanos);
    let mut messages = Vec::new();
    for (n, received_at) in (1..).zip([second, nano(1), nano(500_000_000)]) {
        let mut message = super::kit::message(n, &format!("deal/{n}"));
        message.received_at = received_at;
        messages.push(message);
    }
    journal.accept(messages).await?;
    let chosen = async |from: Option<jiff::Timestamp>, until: Option<jiff::Timestamp>| {
        let span = Wanted {
            from,
            until,
            ..Wanted::default()
        };
        let found = journal.list(span.after(0, 9)).await?;
        Ok::<_, JournalError>(found.iter().map(|it| it.arrival).collect::<Vec<_>>())
    };
    assert_eq!(chosen(Some(second), None).await?, [1, 2, 3]);
    assert_eq!(chosen(Some(nano(1)), None).await?, [2, 3]);
    assert_eq!(chosen(None, Some(nano(1))).await?, [1]);
    assert_eq!(chosen(Some(nano(1)), Some(nano(500_000_000))).await?, [2]);
    Ok(())
}
