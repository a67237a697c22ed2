//! Durable before acknowledged, and once by key.

use super::kit::{accept, at, history, id, message};
use crate::{
    Event, Journal, JournalError, State,
    journal::Accepted::{Duplicate, New},
};

/// What comes in is there, as it was, and due from its receipt on.
pub async fn a_new_message_is_due_from_its_receipt<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let sent = [message(1, "deal/1"), message(2, "deal/2")];
    assert_eq!(journal.accept(sent.to_vec()).await?, [New, New]);
    drop(journal);

    let journal = open().await?;
    for (arrival, sent) in (1..).zip(sent) {
        let found = journal
            .message(&sent.id)
            .await?
            .ok_or(JournalError::Unknown(sent.id.clone()))?;
        assert_eq!(found.message, sent);
        assert_eq!(found.status.arrival, arrival);
        assert_eq!(found.status.id, sent.id);
        assert_eq!(found.status.system, "crm");
        assert_eq!(found.status.event, "deal.propertyChange");
        assert_eq!(found.status.object, format!("deal/{arrival}"));
        assert_eq!(found.status.key, sent.key);
        assert_eq!(found.status.received_at, sent.received_at);
        assert_eq!(found.status.state, State::Due { at: sent.received_at });
        assert_eq!(found.entries.len(), 1);
        let received = found
            .entries
            .first()
            .map(|entry| (entry.place, entry.at, entry.event.name()));
        assert_eq!(received, Some((arrival, sent.received_at, "received")));
    }
    Ok(())
}

/// A second receipt of an event writes nothing, though it differs: the sender's
/// key decides, and the first one stands.
pub async fn a_second_receipt_writes_nothing<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let first = message(1, "deal/1");
    journal.accept(vec![first.clone()]).await?;
    let before = journal.verify().await?;

    let mut second = first.clone();
    second.received_at = at(60);
    second.body = "{}".into();
    assert_eq!(journal.accept(vec![second]).await?, [Duplicate]);
    assert_eq!(journal.verify().await?, before);
    assert_eq!(
        journal.message(&first.id).await?.map(|found| found.message),
        Some(first)
    );
    Ok(())
}

/// The answers of a batch stand in its order, and its second of an event is one.
pub async fn a_batch_that_names_an_event_twice_takes_it_once<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    journal.accept(vec![message(1, "a")]).await?;

    let batch = [2, 1, 3, 2].map(|n| message(n, "a"));
    assert_eq!(
        journal.accept(batch.to_vec()).await?,
        [New, Duplicate, New, Duplicate]
    );
    assert_eq!(journal.verify().await?.entries, 3);
    Ok(())
}

/// A restart forgets no receipt, nor what has become of it.
pub async fn a_duplicate_is_known_after_a_restart<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 2, |n| format!("deal/{n}")).await?;
    journal.record(&id(1), at(9), vec![Event::Done]).await?;
    drop(journal);

    let journal = open().await?;
    let batch = [1, 2, 3].map(|n| message(n, "a"));
    assert_eq!(journal.accept(batch.to_vec()).await?, [Duplicate, Duplicate, New]);
    assert_eq!(history(&journal, 1).await?, ["received", "done"]);
    Ok(())
}

/// The same event many times at once is new once.
pub async fn receipts_at_once_make_one_message<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = std::sync::Arc::new(open().await?);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let journal = std::sync::Arc::clone(&journal);
        senders.spawn(async move { journal.accept(vec![message(1, "a"), message(2, "b")]).await });
    }
    let mut new = 0;
    for answer in senders.join_all().await {
        new += answer?.iter().filter(|accepted| **accepted == New).count();
    }
    assert_eq!(new, 2);
    assert_eq!(journal.verify().await?.entries, 2);
    Ok(())
}

/// Nothing asked, nothing done.
pub async fn an_empty_batch_is_nothing<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    assert_eq!(journal.accept(vec![]).await?, []);
    assert_eq!(journal.verify().await?.entries, 0);
    Ok(())
}
