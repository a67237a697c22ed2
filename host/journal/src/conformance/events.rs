//! What is recorded: as it was, whole or not at all, and in its turn.

use cambist_contract::stage::Stage;

use super::kit::{
    accept, account, at, called, delivered, denied, failed, held, history, id, ignored, message, parked,
    passed, record, released, resumed, routed, state, status, waiting,
};
use crate::{Event, Journal, JournalError, State};

/// Every kind of event comes back as it went in, in its order.
pub async fn what_was_recorded_is_read_as_it_was_after_a_restart<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let events = vec![
        routed("crm-to-odoo", "de"),
        passed(Stage::Read),
        called(Stage::Tax),
        failed(20),
        held("finance"),
        released("finance"),
        waiting(&account("2")),
        resumed(Stage::Write),
        delivered(&account("1")),
        parked(),
        resumed(Stage::Deliver),
        ignored(),
        resumed(Stage::Fetch),
        denied(),
        resumed(Stage::Read),
        Event::Done,
    ];
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    journal.record(&id(1), at(9), events.clone()).await?;
    let before = journal.message(&id(1)).await?;
    drop(journal);

    let journal = open().await?;
    let after = journal.message(&id(1)).await?;
    let parts = |found: &Option<crate::journal::Claim>| {
        found
            .clone()
            .map(|found| (found.message, found.status, found.entries))
    };
    assert_eq!(parts(&after), parts(&before));
    let entries = after.map(|found| found.entries).unwrap_or_default();
    assert!(
        entries
            .iter()
            .skip(1)
            .all(|entry| entry.at == at(9) && entry.message == id(1))
    );
    assert_eq!(
        entries
            .into_iter()
            .skip(1)
            .map(|entry| entry.event)
            .collect::<Vec<_>>(),
        events
    );
    journal.verify().await?;
    Ok(())
}

/// Flow, region, stage, attempts and times follow the events.
pub async fn a_status_is_what_the_events_come_to<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    record(
        &journal,
        1,
        5,
        [routed("crm-to-odoo", "de"), passed(Stage::Fetch), failed(8)],
    )
    .await?;
    record(&journal, 1, 9, [failed(20)]).await?;

    let now = status(&journal, 1).await?;
    assert_eq!(now.flow.as_deref(), Some("crm-to-odoo"));
    assert_eq!(now.region.as_deref(), Some("de"));
    assert_eq!((now.passed, now.attempts), (Some(Stage::Fetch), 2));
    assert_eq!((now.updated_at, now.state), (at(9), State::Due { at: at(20) }));

    record(&journal, 1, 21, [passed(Stage::Read)]).await?;
    let now = status(&journal, 1).await?;
    assert_eq!((now.passed, now.attempts), (Some(Stage::Read), 0));
    record(&journal, 1, 22, [denied()]).await?;
    let reason = "the country is embargoed; and the bank is".to_owned();
    assert_eq!(status(&journal, 1).await?.state, State::Denied { reason });
    Ok(())
}

/// One event out of turn, and nothing of the list is written.
pub async fn a_list_of_events_is_written_whole_or_not_at_all<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    let before = (journal.verify().await?, status(&journal, 1).await?);

    let list = [delivered(&account("1")), Event::Done, passed(Stage::Read)];
    assert!(matches!(
        record(&journal, 1, 9, list).await,
        Err(JournalError::OutOfTurn { .. })
    ));
    assert_eq!((journal.verify().await?, status(&journal, 1).await?), before);
    assert_eq!(journal.link(&account("1"), super::kit::TARGET).await?, None);

    record(&journal, 1, 9, []).await?;
    assert_eq!((journal.verify().await?, status(&journal, 1).await?), before);
    Ok(())
}

/// Each state takes its own events; the error names state and event.
pub async fn an_event_out_of_turn_is_refused<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let states = [
        failed(9),
        parked(),
        held("finance"),
        waiting(&account("2")),
        ignored(),
        denied(),
        Event::Done,
    ];
    for (n, rests) in (1..).zip(states) {
        journal.accept(vec![message(n, &format!("deal/{n}"))]).await?;
        record(&journal, n, 9, [rests]).await?;
        let before = journal.verify().await?;
        let name = state(&journal, n).await?;

        let mut wrong = vec![Event::Received { message: before.head }, released("sales")];
        if name != "due" {
            wrong.extend([
                routed("f", "r"),
                passed(Stage::Read),
                failed(10),
                parked(),
                held("sales"),
                Event::Done,
            ]);
        }
        for event in wrong {
            let event_name = event.name();
            let refused = record(&journal, n, 10, [event]).await;
            let fits = matches!(
                &refused,
                Err(JournalError::OutOfTurn { id: of, state, event })
                    if *of == id(n) && *state == name && *event == event_name
            );
            assert!(fits, "{name} took {event_name}: {refused:?}");
        }
        assert_eq!(journal.verify().await?, before);
    }
    Ok(())
}

/// What was never received has no events.
pub async fn an_unknown_message_is_told<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    assert!(journal.message(&id(1)).await?.is_none());
    let refused = record(&journal, 1, 9, [Event::Done]).await;
    assert!(matches!(refused, Err(JournalError::Unknown(unknown)) if unknown == id(1)));

    accept(&journal, 1, |_| "deal".into()).await?;
    assert_eq!(history(&journal, 1).await?, ["received"]);
    Ok(())
}
