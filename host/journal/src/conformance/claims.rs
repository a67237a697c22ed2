//! Handing out messages: when, to whom, and for how long.

use std::{collections::BTreeSet, sync::Arc};

use cambist_contract::stage::Stage;

use super::kit::{
    NOBODY, TARGET, accept, account, at, called, claim, delivered, denied, failed, held, id, ignored,
    message, numbers, parked, passed, record, routed, status, waiting,
};
use crate::{Event, Journal, JournalError};

/// In the order in which they came to be due, up to the limit.
pub async fn the_longest_due_comes_first<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 5, |n| format!("deal/{n}")).await?;
    record(&journal, 1, 10, [failed(20)]).await?;
    record(&journal, 2, 10, [failed(15)]).await?;

    assert_eq!(claim(&journal, 100, 0).await?, NOBODY);
    assert_eq!(claim(&journal, 100, 2).await?, [3, 4]);
    assert_eq!(claim(&journal, 100, 9).await?, [5, 2, 1]);
    Ok(())
}

/// A region that came first with many does not make another one wait, nor those of whom nobody knows yet whose they are.
pub async fn backlogs_take_turns<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 20, |n| format!("deal/{n}")).await?;
    for n in 1..=12 {
        record(&journal, n, 30, [routed("deals", "de")]).await?;
    }
    for n in 13..=14 {
        record(&journal, n, 30, [routed("deals", "fr")]).await?;
    }

    // one of each, in turns that go on where the last ones ended
    assert_eq!(claim(&journal, 40, 1).await?, [15]);
    assert_eq!(claim(&journal, 40, 3).await?, [1, 13, 16]);
    assert_eq!(claim(&journal, 40, 2).await?, [2, 14]);
    // what one has no use for the others have
    assert_eq!(claim(&journal, 40, 6).await?, [17, 18, 3, 4, 19, 20]);
    assert_eq!(claim(&journal, 40, 99).await?, [5, 6, 7, 8, 9, 10, 11, 12]);
    Ok(())
}

/// A flow takes its messages by these: one that is urgent would else wait behind all that its system sent before.
pub async fn what_is_not_routed_takes_turns_by_event_and_kind<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let messages = (1..=9).map(|n| {
        let mut message = message(n, &format!("object/{n}"));
        match n {
            8 => message.event = "deal.creation".into(),
            9 => message.object_kind = "company".into(),
            _ => {}
        }
        message
    });
    journal.accept(messages.collect()).await?;

    let mut first = claim(&journal, 40, 3).await?;
    first.sort_unstable();
    assert_eq!(first, [1, 8, 9]);
    assert_eq!(claim(&journal, 40, 9).await?, [2, 3, 4, 5, 6, 7]);
    Ok(())
}

/// And handed out when it is shut no more.
pub async fn a_shut_backlog_is_passed_over<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 4, |n| format!("deal/{n}")).await?;
    for (n, region) in [(1, "de"), (2, "de"), (3, "fr")] {
        record(&journal, n, 30, [routed("deals", region)]).await?;
    }
    let german = status(&journal, 1).await?.backlog();
    let unrouted = status(&journal, 4).await?.backlog();
    assert_eq!(
        (german.flow.as_deref(), german.of.as_str()),
        (Some("deals"), "de")
    );
    assert_eq!((unrouted.flow, unrouted.of.as_str()), (None, "crm"));
    assert_eq!(german.event, None);

    let shut = BTreeSet::from([german]);
    let mut rest = numbers(&journal.claim_beside(at(40), 9, &shut).await?);
    rest.sort_unstable();
    assert_eq!(rest, [3, 4]);
    assert_eq!(claim(&journal, 40, 9).await?, [1, 2]);
    Ok(())
}

/// Due at the very moment, and not a nanosecond before.
pub async fn nothing_is_handed_out_before_its_time<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    let early = at(1) - jiff::SignedDuration::from_nanos(1);

    assert_eq!(journal.claim(early, 9).await?.len(), 0);
    assert_eq!(claim(&journal, 1, 9).await?, [1]);
    record(&journal, 1, 1, [failed(30)]).await?;
    assert_eq!(claim(&journal, 29, 9).await?, NOBODY);
    assert_eq!(claim(&journal, 30, 9).await?, [1]);
    Ok(())
}

/// The claimer needs nothing else to go on.
pub async fn a_claim_brings_all_that_happened<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    record(&journal, 1, 2, [routed("crm-to-odoo", "de"), passed(Stage::Read)]).await?;

    let claims = journal.claim(at(3), 1).await?;
    let known = journal.message(&id(1)).await?;
    let pair = claims.first().zip(known.as_ref());
    assert!(pair.is_some_and(|(claim, known)| {
        claim.message == message(1, "deal") && claim.status == known.status && claim.entries == known.entries
    }));
    let names: Vec<_> = claims
        .iter()
        .flat_map(|claim| &claim.entries)
        .map(|entry| entry.event.name())
        .collect();
    assert_eq!(names, ["received", "routed", "passed"]);
    Ok(())
}

/// A second claimer gets the next one.
pub async fn a_claimed_message_is_nobody_elses<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 2, |n| format!("deal/{n}")).await?;

    assert_eq!(claim(&journal, 9, 1).await?, [1]);
    assert_eq!(claim(&journal, 9, 9).await?, [2]);
    assert_eq!(claim(&journal, 9, 9).await?, NOBODY);
    Ok(())
}

/// Given back, it is due as before; giving back what was not claimed is nothing.
pub async fn a_claim_given_back_is_free<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    journal.release(&id(1));
    assert_eq!(claim(&journal, 9, 9).await?, [1]);
    journal.release(&id(7));
    assert_eq!(claim(&journal, 9, 9).await?, NOBODY);

    journal.release(&id(1));
    assert_eq!(claim(&journal, 9, 9).await?, [1]);
    assert_eq!(journal.verify().await?.entries, 1);
    Ok(())
}

/// Put off, it is nobody's until then, and holds its key; nothing has happened to
/// it, and what happens to it afterwards is as if it had not been put off.
pub async fn what_is_put_off_is_not_handed_out_before_its_time<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 3, |n| if n == 2 { "other" } else { "deal" }.into()).await?;
    let before = status(&journal, 1).await?;
    assert_eq!(claim(&journal, 9, 9).await?, [1, 2]);

    journal.put_off(&id(1), at(30)).await?;
    assert_eq!(status(&journal, 1).await?, before);
    assert_eq!(journal.verify().await?.entries, 3);
    assert_eq!(claim(&journal, 29, 9).await?, NOBODY);
    assert_eq!(claim(&journal, 30, 9).await?, [1]);
    // never to an earlier time
    journal.put_off(&id(1), at(40)).await?;
    journal.put_off(&id(1), at(35)).await?;
    assert_eq!(claim(&journal, 39, 9).await?, NOBODY);

    record(&journal, 1, 39, [failed(39)]).await?;
    assert_eq!(claim(&journal, 39, 9).await?, [1]);
    record(&journal, 1, 39, [parked()]).await?;
    journal.put_off(&id(1), at(50)).await?;
    journal.put_off(&id(7), at(50)).await?;
    assert_eq!(status(&journal, 1).await?.state.name(), "parked");
    journal.verify().await?;
    Ok(())
}

/// What is recorded of a message ends its claim, unless it is worked on.
pub async fn work_keeps_a_claim_and_all_else_ends_it<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    assert_eq!(claim(&journal, 9, 9).await?, [1]);
    for work in [
        routed("crm-to-odoo", "de"),
        passed(Stage::Read),
        called(Stage::Judge),
        delivered(&account("1")),
    ] {
        record(&journal, 1, 9, [work]).await?;
        assert_eq!(claim(&journal, 9, 9).await?, NOBODY);
    }

    // Once the claim has ended, and only then, the message can be resumed; so a
    // resume tells which it is.
    let ends = [
        failed(9),
        parked(),
        held("finance"),
        waiting(&account("2")),
        ignored(),
        denied(),
        Event::Done,
    ];
    for (n, end) in (2..).zip(ends) {
        journal.accept(vec![message(n, &format!("deal/{n}"))]).await?;
        // The ones before are due again by now; they are not what this is about.
        assert!(claim(&journal, n, 99).await?.contains(&n));
        assert!(
            record(&journal, n, n, [super::kit::resumed(Stage::Fetch)])
                .await
                .is_err()
        );
        let name = end.name();
        record(&journal, n, n, [end]).await?;
        assert!(
            record(&journal, n, n, [super::kit::resumed(Stage::Fetch)])
                .await
                .is_ok(),
            "{name}"
        );
        assert!(claim(&journal, n, 99).await?.contains(&n), "{name}");
    }
    let link = journal.link(&account("1"), TARGET).await?;
    assert_eq!(link.and_then(|link| link.id).as_deref(), Some("41"));
    Ok(())
}

/// A host that ends leaves no claim behind.
pub async fn a_claim_does_not_outlive_the_host<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 2, |n| format!("deal/{n}")).await?;
    assert_eq!(claim(&journal, 9, 9).await?, [1, 2]);
    record(&journal, 1, 9, [passed(Stage::Read)]).await?;
    drop(journal);

    let journal = open().await?;
    assert_eq!(claim(&journal, 9, 9).await?, [1, 2]);
    Ok(())
}

/// However many claim at once, each message goes to one, and all go.
pub async fn claimers_at_once_never_share_a_message<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = Arc::new(open().await?);
    accept(&*journal, 60, |n| format!("deal/{}", n % 30)).await?;
    let mut claimers = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let journal = Arc::clone(&journal);
        claimers.spawn(async move { journal.claim(at(99), 7).await });
    }
    let mut all = Vec::new();
    for claims in claimers.join_all().await {
        all.extend(numbers(&claims?));
    }
    assert_eq!(all.len(), 30);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), (1..=30).collect());
    Ok(())
}
