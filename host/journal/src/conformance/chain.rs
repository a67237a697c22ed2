//! One chain: each entry carries the digest of the one before it.

use cambist_contract::{digest::Digest, stage::Stage};

use super::kit::{accept, account, delivered, id, message, passed, record, waiting};
use crate::{Entry, Event, Journal, JournalError, journal::Verified};

/// Nothing is a chain too.
pub async fn an_empty_journal_has_zeros_for_a_head<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    let nothing = Verified {
        entries: 0,
        head: Digest::from([0; 32]),
    };
    assert_eq!(journal.verify().await?, nothing);
    drop(journal);
    assert_eq!(open().await?.verify().await?, nothing);
    Ok(())
}

/// Anybody can work the digests out again, from what the journal tells.
pub async fn every_entry_follows_from_the_one_before<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    accept(&journal, 3, |n| format!("deal/{n}")).await?;
    record(&journal, 1, 9, [passed(Stage::Read), waiting(&account("7"))]).await?;
    record(&journal, 2, 10, [delivered(&account("7")), Event::Done]).await?;
    journal
        .accept(vec![message(4, "deal/4"), message(1, "deal/1")])
        .await?;

    let mut entries = Vec::new();
    for n in 1..=4 {
        entries.extend(
            journal
                .message(&id(n))
                .await?
                .into_iter()
                .flat_map(|found| found.entries),
        );
    }
    entries.sort_by_key(|entry| entry.place);
    let mut previous = Digest::default();
    for (place, entry) in (1..).zip(&entries) {
        assert_eq!(entry.place, place);
        let digest = Entry::chain(&previous, place, &entry.message, &entry.at, &entry.event_digest);
        assert_eq!(entry.digest, digest);
        previous = digest;
    }
    let verified = Verified {
        entries: 9,
        head: previous,
    };
    assert_eq!(journal.verify().await?, verified);
    Ok(())
}

/// The chain goes on where it ended.
pub async fn a_restart_changes_nothing<J: Journal>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let mut last = Verified {
        entries: 0,
        head: Digest::default(),
    };
    for n in 1..=4 {
        let journal = open().await?;
        assert_eq!(journal.verify().await?, last);
        journal.accept(vec![message(n, "a")]).await?;
        record(&journal, n, n, [Event::Done]).await?;
        last = journal.verify().await?;
        assert_eq!(last.entries, u64::try_from(2 * n).unwrap_or_default());
    }
    Ok(())
}
