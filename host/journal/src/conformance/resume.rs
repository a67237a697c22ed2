//! Beginning again: after a release, and when a person asks for it.

use cambist_contract::stage::Stage;

use super::kit::{
    NOBODY, accept, account, at, claim, denied, failed, held, id, ignored, message, parked, passed, record,
    released, resumed, state, status, waiting,
};
use crate::{Event, Journal, JournalError, State};

/// Held by finance is released by finance.
pub async fn a_release_needs_the_role_that_holds<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    assert!(record(&journal, 1, 5, [released("finance")]).await.is_err());
    record(&journal, 1, 9, [held("finance")]).await?;
    let reason = "the deal is above 50 000 EUR".to_owned();
    let role = "finance".to_owned();
    assert_eq!(status(&journal, 1).await?.state, State::Held { role, reason });

    assert!(record(&journal, 1, 10, [released("sales")]).await.is_err());
    assert_eq!(claim(&journal, 99, 9).await?, NOBODY);
    record(&journal, 1, 50, [released("finance")]).await?;
    assert_eq!(status(&journal, 1).await?.state, State::Due { at: at(50) });
    assert_eq!(claim(&journal, 49, 9).await?, NOBODY);
    assert_eq!(claim(&journal, 50, 9).await?, [1]);
    Ok(())
}

/// Parked, held, waiting, any end, or due without a claim.
pub async fn every_resting_state_can_be_resumed<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let rests = [
        failed(70),
        parked(),
        held("finance"),
        waiting(&account("2")),
        ignored(),
        denied(),
        Event::Done,
    ];
    for (n, event) in (1..).zip(rests) {
        journal.accept(vec![message(n, &format!("deal/{n}"))]).await?;
        record(&journal, n, 9, [event]).await?;
        record(&journal, n, 50, [resumed(Stage::Fetch)]).await?;
        assert_eq!(status(&journal, n).await?.state, State::Due { at: at(50) });
    }
    drop(journal);

    let journal = open().await?;
    assert_eq!(claim(&journal, 50, 9).await?, [1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

/// A resume in the middle of the work would change the ground under it.
pub async fn what_is_being_worked_on_is_not_resumed<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    assert_eq!(claim(&journal, 9, 9).await?, [1]);
    let refused = record(&journal, 1, 10, [resumed(Stage::Fetch)]).await;
    assert!(matches!(
        refused,
        Err(JournalError::OutOfTurn { event: "resumed", .. })
    ));

    journal.release(&id(1));
    record(&journal, 1, 10, [resumed(Stage::Fetch)]).await?;
    assert_eq!(state(&journal, 1).await?, "due");
    Ok(())
}

/// What is behind the stage no longer counts; what was never passed does not
/// come to count.
pub async fn a_resume_goes_back_and_forgets_the_attempts<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    record(&journal, 1, 9, [passed(Stage::Tax), failed(20), parked()]).await?;

    for (from, left) in [
        (Stage::Deliver, Some(Stage::Tax)),
        (Stage::Judge, Some(Stage::Own)),
        (Stage::Write, Some(Stage::Own)),
        (Stage::Fetch, None),
    ] {
        record(&journal, 1, 10, [resumed(from)]).await?;
        let now = status(&journal, 1).await?;
        assert_eq!((now.passed, now.attempts), (left, 0), "from {from}");
    }
    Ok(())
}
