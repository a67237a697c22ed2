//! One order per key, free across keys.

use cambist_contract::{message::Message, stage::Stage};

use super::kit::{
    NOBODY, accept, claim, denied, failed, history, id, ignored, message, parked, record, resumed, state,
    status,
};
use crate::{Event, Journal, JournalError, journal::MOST_BEHIND};

/// The next one of a key comes when the one before it is final.
pub async fn one_message_of_a_key_at_a_time<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 4, |n| if n == 3 { "b" } else { "a" }.into()).await?;

    assert_eq!(claim(&journal, 99, 9).await?, [1, 3]);
    record(&journal, 1, 99, [Event::Done]).await?;
    assert_eq!(claim(&journal, 99, 9).await?, [2]);
    record(&journal, 2, 99, [Event::Done]).await?;
    assert_eq!(claim(&journal, 99, 9).await?, [4]);
    Ok(())
}

/// A failing contact parks that contact, not its region.
pub async fn a_parked_message_holds_its_key_and_no_other<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 4, |n| if n % 2 == 1 { "odd" } else { "even" }.into()).await?;
    record(&journal, 1, 9, [parked()]).await?;

    assert_eq!(claim(&journal, 99, 9).await?, [2]);
    record(&journal, 2, 99, [Event::Done]).await?;
    assert_eq!(claim(&journal, 99, 9).await?, [4]);
    record(&journal, 1, 99, [resumed(Stage::Write)]).await?;
    assert_eq!(claim(&journal, 99, 9).await?, [1]);
    Ok(())
}

/// A later one does not overtake one that waits for its next attempt.
pub async fn a_message_to_be_tried_again_holds_its_key<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 2, |_| "a".into()).await?;
    record(&journal, 1, 9, [failed(50)]).await?;

    assert_eq!(claim(&journal, 49, 9).await?, NOBODY);
    assert_eq!(claim(&journal, 50, 9).await?, [1]);
    Ok(())
}

/// Done, ignored and denied are ends.
pub async fn every_end_lets_the_next_one_go<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 4, |_| "a".into()).await?;
    for (n, end) in (1..).zip([Event::Done, ignored(), denied()]) {
        assert_eq!(claim(&journal, 99, 9).await?, [n]);
        record(&journal, n, 99, [end]).await?;
    }
    assert_eq!(claim(&journal, 99, 9).await?, [4]);
    Ok(())
}

/// Replaying an old message puts it before the newer ones of its key, but not
/// beside one that is being worked on.
pub async fn a_resumed_end_goes_before_what_came_later<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 3, |_| "a".into()).await?;
    record(&journal, 1, 9, [Event::Done]).await?;
    assert_eq!(claim(&journal, 99, 9).await?, [2]);
    record(&journal, 1, 99, [resumed(Stage::Fetch)]).await?;
    assert_eq!(claim(&journal, 99, 9).await?, NOBODY);

    record(&journal, 2, 99, [failed(99)]).await?;
    assert_eq!(claim(&journal, 99, 9).await?, [1]);
    record(&journal, 1, 99, [Event::Done]).await?;
    assert_eq!(claim(&journal, 99, 9).await?, [2]);
    // A new arrival does not change who is first.
    journal.accept(vec![message(4, "a")]).await?;
    journal.release(&id(2));
    assert_eq!(claim(&journal, 99, 9).await?, [2]);
    Ok(())
}

/// Order is a matter of what is written, not of what the host remembers.
pub async fn order_survives_a_restart<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    for n in 1..=6 {
        let journal = open().await?;
        journal.accept(vec![message(n, "a")]).await?;
        if n > 3 {
            assert_eq!(claim(&journal, 99, 9).await?, [n - 3]);
            record(&journal, n - 3, 99, [Event::Done]).await?;
            assert_eq!(history(&journal, n - 3).await?, ["received", "done"]);
        }
    }
    Ok(())
}

/// What stands behind which message is told of both, by cause and in all, and of none that moves.
pub async fn what_waits_behind_a_message_that_rests_is_told<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 5, |n| if n < 4 { "a" } else { "b" }.into()).await?;
    let told = async |n| {
        let status = status(&journal, n).await?;
        Ok::<_, JournalError>((status.behind, status.holds))
    };
    // the first moves: it is waited for, and holds nobody up
    assert_eq!((told(1).await?, told(2).await?), ((None, 0), (Some(id(1)), 0)));
    assert_eq!(journal.counts().await?.behind, 0);

    record(&journal, 1, 9, [parked()]).await?;
    record(&journal, 4, 9, [parked()]).await?;
    assert_eq!((told(1).await?, told(3).await?), ((None, 2), (Some(id(1)), 0)));
    assert_eq!(journal.counts().await?.behind, 3);
    let causes = journal.causes().await?;
    let behind: Vec<_> = causes
        .iter()
        .map(|cause| (cause.messages, cause.behind))
        .collect();
    assert_eq!(behind, [(2, 3)]);

    record(&journal, 1, 10, ignored_by_hand()).await?;
    assert_eq!((told(2).await?, told(3).await?), ((None, 0), (Some(id(2)), 0)));
    assert_eq!(journal.counts().await?.behind, 1);
    Ok(())
}

/// An operator ends a message that is parked.
fn ignored_by_hand() -> [Event; 2] {
    [resumed(Stage::Fetch), ignored()]
}

/// A hundred hints at one object wait behind a parked one, and no more: the latest that has not
/// begun makes room. Other events, and what waits for nobody who rests, are not touched.
pub async fn what_waits_behind_a_message_that_rests_is_bounded<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let most = i64::try_from(MOST_BEHIND).unwrap_or(i64::MAX);
    let hint = |n: i64, event: &str| Message {
        object_id: "7".into(),
        event: event.into(),
        ..message(n, "deal/7")
    };
    let hints = |from, until| (from..=until).map(|n| hint(n, "changed")).collect::<Vec<_>>();
    // behind one that moves there may be any number
    journal.accept(hints(1, most + 3)).await?;
    assert_eq!(state(&journal, most + 2).await?, "due");
    record(&journal, 1, 9, [parked()]).await?;

    let verified = journal.verify().await?.entries;
    journal.accept(hints(most + 4, most + 4)).await?;
    assert_eq!(journal.verify().await?.entries, verified + 2);
    assert_eq!(state(&journal, most + 4).await?, "due");
    let ended = status(&journal, most + 3).await?;
    assert_eq!(ended.state.name(), "ignored");
    assert!(ended.why().contains(id(most + 4).as_str()), "{}", ended.why());
    assert_eq!(status(&journal, 1).await?.holds, MOST_BEHIND + 2);

    journal.accept(vec![hint(most + 5, "deleted")]).await?;
    assert_eq!(state(&journal, most + 4).await?, "due");
    journal.accept(hints(most + 6, most + 6)).await?;
    assert_eq!(state(&journal, most + 4).await?, "ignored");
    assert_eq!(status(&journal, 1).await?.holds, MOST_BEHIND + 3);
    // the oldest goes first, as ever
    record(&journal, 1, 10, ignored_by_hand()).await?;
    assert_eq!(claim(&journal, 999, 9).await?, [7]);
    Ok(())
}
