//! One order per key, free across keys.

use cambist_contract::stage::Stage;

use super::kit::{
    NOBODY, accept, claim, denied, failed, history, id, ignored, message, parked, record, resumed,
};
use crate::{Event, Journal, JournalError};

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
