//! Waiting for an entity: whoever waits is woken, in whichever order it happens.

use cambist_contract::stage::Stage;

use super::kit::{
    NOBODY, accept, account, claim, delivered, history, parked, passed, record, resumed, state, status,
    waiting,
};
use crate::{Event, Journal, JournalError};

/// The delivery alone may still be taken back by a retry; being done is not.
pub async fn a_waiting_message_is_resumed_when_the_entity_is_done<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 3, |n| format!("deal/{n}")).await?;
    record(&journal, 1, 9, [passed(Stage::Tax), waiting(&account("7"))]).await?;
    record(&journal, 2, 9, [waiting(&account("7"))]).await?;
    record(&journal, 3, 10, [delivered(&account("7"))]).await?;
    assert_eq!(
        [state(&journal, 1).await?, state(&journal, 2).await?],
        ["waiting", "waiting"]
    );
    drop(journal);

    let journal = open().await?;
    record(&journal, 3, 20, [Event::Done]).await?;
    assert_eq!(history(&journal, 2).await?, ["received", "waiting", "resumed"]);
    assert_eq!(status(&journal, 1).await?.passed, Some(Stage::Tax));
    assert_eq!(claim(&journal, 19, 9).await?, NOBODY);
    let claims = journal.claim(super::kit::at(20), 9).await?;
    assert_eq!(super::kit::numbers(&claims), [1, 2]);
    for claim in claims {
        let by = "arrival".into();
        let woken = Event::Resumed {
            by,
            from: Stage::Write,
            live: false,
            why: None,
            order: None,
        };
        assert_eq!(claim.entries.last().map(|entry| &entry.event), Some(&woken));
    }
    journal.verify().await?;
    Ok(())
}

/// Kind, system and id must be the same, and the message must be done.
pub async fn another_entity_wakes_nobody<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 4, |n| format!("deal/{n}")).await?;
    record(&journal, 1, 9, [waiting(&account("7"))]).await?;
    let mut other = account("7");
    other.system = "crm-2".into();
    record(&journal, 2, 10, [delivered(&account("8")), Event::Done]).await?;
    record(&journal, 3, 10, [delivered(&other), Event::Done]).await?;
    record(&journal, 4, 10, [delivered(&account("7")), parked()]).await?;
    assert_eq!(state(&journal, 1).await?, "waiting");

    // Parked with its delivery kept; when it is done after all, that counts.
    record(&journal, 4, 11, [resumed(Stage::Deliver), Event::Done]).await?;
    assert_eq!(state(&journal, 1).await?, "due");
    Ok(())
}

/// The worker looked, did not find it, and meanwhile it was delivered.
pub async fn an_entity_that_came_since_the_claim_is_not_waited_for<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 2, |n| format!("deal/{n}")).await?;
    assert_eq!(claim(&journal, 9, 9).await?, [1, 2]);
    record(&journal, 2, 10, [delivered(&account("7"))]).await?;
    // Later than the delivery, but decided on what was known before it.
    record(&journal, 1, 11, [passed(Stage::Tax)]).await?;
    record(&journal, 1, 12, [waiting(&account("7"))]).await?;

    assert_eq!(
        history(&journal, 1).await?,
        ["received", "passed", "waiting", "resumed"]
    );
    assert_eq!(claim(&journal, 12, 9).await?, [1]);
    // It has seen it now: the same again waits.
    record(&journal, 1, 13, [waiting(&account("7"))]).await?;
    assert_eq!(state(&journal, 1).await?, "waiting");
    journal.verify().await?;
    Ok(())
}

/// The same, where only the end of the delivery's message came in between.
pub async fn an_entity_that_was_done_since_the_claim_is_not_waited_for<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 2, |n| format!("deal/{n}")).await?;
    record(&journal, 2, 3, [delivered(&account("7"))]).await?;
    assert_eq!(claim(&journal, 9, 1).await?, [1]);
    record(&journal, 2, 10, [Event::Done]).await?;
    record(&journal, 1, 11, [waiting(&account("7"))]).await?;
    assert_eq!(state(&journal, 1).await?, "due");
    Ok(())
}

/// The worker knew that it is there, and waits all the same: for the next time.
pub async fn an_entity_from_before_the_claim_is_waited_for_again<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 3, |n| format!("deal/{n}")).await?;
    record(&journal, 2, 5, [delivered(&account("7")), Event::Done]).await?;
    assert_eq!(claim(&journal, 9, 1).await?, [1]);
    record(&journal, 1, 10, [waiting(&account("7"))]).await?;
    assert_eq!(state(&journal, 1).await?, "waiting");

    record(&journal, 3, 11, [delivered(&account("7")), Event::Done]).await?;
    assert_eq!(state(&journal, 1).await?, "due");
    Ok(())
}

/// A message that delivered the entity itself and then waits for it would go
/// round for ever.
pub async fn a_message_does_not_wake_itself<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    assert_eq!(claim(&journal, 9, 9).await?, [1]);
    record(
        &journal,
        1,
        10,
        [delivered(&account("7")), waiting(&account("7"))],
    )
    .await?;
    assert_eq!(state(&journal, 1).await?, "waiting");

    // Nor when one list takes it out of its wait and to its end.
    record(&journal, 1, 11, [resumed(Stage::Fetch), Event::Done]).await?;
    assert_eq!(
        history(&journal, 1).await?,
        ["received", "delivered", "waiting", "resumed", "done"]
    );
    journal.verify().await?;
    Ok(())
}
