//! What is written of plugins: in the one chain, and counted against messages.

use std::collections::BTreeMap;

use cambist_contract::{
    digest::Digest,
    rollout::{Act, Origin, Step},
    share::Share,
    stage::Stage,
};

use super::kit::{accept, at, id, parked, passed, record, resumed, routed};
use crate::{Entry, Event, Journal, JournalError, Ledger, journal::Verified, ledger::PLUGINS};

fn act(step: Step) -> Act {
    Act {
        plugin: "map-crm".into(),
        component: Digest::of(b"component"),
        by: "b.keller".into(),
        step,
    }
}

fn steps() -> [Step; 10] {
    [
        Step::Registered { from: Origin::Folder },
        Step::Passed {
            version: Some("1.2.0".into()),
        },
        Step::Live {
            revisions: [("read region=de".to_owned(), Digest::of(b"map"))].into(),
            held: false,
        },
        Step::Live {
            revisions: [("read region=de".to_owned(), Digest::of(b"old map"))].into(),
            held: true,
        },
        Step::Refused {
            reason: "its case `Größe` fails".into(),
        },
        Step::Shadow {
            revisions: BTreeMap::new(),
        },
        Step::Share {
            share: Share::of(10),
            revisions: [("read region=de".to_owned(), Digest::of(b"new"))].into(),
        },
        Step::Withdrawn {
            reason: "3 of its 3 calls broke".into(),
        },
        Step::Killed {
            reason: "wrong totals".into(),
        },
        Step::Retired,
    ]
}

/// Every step is there as it was written, in the order of writing.
pub async fn steps_are_read_as_they_were_written_after_a_restart<J: Journal + Ledger>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    assert_eq!(journal.acts().await?, []);
    for (second, step) in (0..).zip(steps()) {
        journal.act(at(second), vec![act(step)]).await?;
    }
    drop(journal);
    let told = open().await?.acts().await?;
    let expected: Vec<_> = (0..)
        .zip(steps())
        .map(|(second, step)| (at(second), act(step)))
        .collect();
    let read: Vec<_> = told.iter().map(|acted| (acted.at, acted.act.clone())).collect();
    assert_eq!(read, expected);
    Ok(())
}

/// Steps and what happened to messages stand in one chain, in the order of writing;
/// neither is taken for the other.
pub async fn steps_stand_between_the_entries_of_messages<J: Journal + Ledger>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let journal = open().await?;
    journal.act(at(0), vec![act(Step::Retired)]).await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    let places = journal
        .act(at(2), vec![act(Step::Retired), act(Step::Retired)])
        .await?;
    assert_eq!(places, [3, 4]);
    record(&journal, 1, 3, [parked()]).await?;
    drop(journal);
    let journal = open().await?;
    let message = journal
        .message(&id(1))
        .await?
        .into_iter()
        .flat_map(|found| found.entries);
    let entries: Vec<_> = message
        .map(|entry| {
            (
                entry.place,
                entry.message.as_str().to_owned(),
                entry.at,
                entry.event_digest,
            )
        })
        .collect();
    let acts = journal.acts().await?;
    let acts = acts
        .iter()
        .map(|acted| (acted.place, PLUGINS.to_owned(), acted.at, acted.act_digest));
    let mut all: Vec<_> = entries.into_iter().chain(acts).collect();
    all.sort_by_key(|(place, ..)| *place);
    let mut head = Digest::default();
    for (expected, (place, about, at, digest)) in (1..).zip(&all) {
        assert_eq!(*place, expected);
        let about = cambist_contract::message::MessageId::from_text(about.clone());
        head = Entry::chain(&head, *place, &about, at, digest);
    }
    assert_eq!(journal.verify().await?, Verified { entries: 5, head });
    assert_eq!(
        journal
            .list(crate::journal::Filter {
                limit: 9,
                ..Default::default()
            })
            .await?
            .len(),
        1
    );
    Ok(())
}

/// A message counts for the revisions it was routed to until it ends.
pub async fn a_message_is_pinned_until_it_ends<J: Journal + Ledger>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let revisions = [Digest::of(b"map"), Digest::of(b"another"), Digest::of(b"tax")];
    let journal = open().await?;
    accept(&journal, 3, |n| format!("deal/{n}")).await?;
    assert_eq!(journal.pinned(&revisions).await?, [0, 0, 0]);
    for n in 1..=3 {
        record(&journal, n, 4, [routed("won", "de")]).await?;
    }
    record(&journal, 1, 5, [passed(Stage::Read), parked()]).await?;
    assert_eq!(journal.pinned(&revisions).await?, [3, 0, 3]);
    record(&journal, 2, 6, [Event::Done]).await?;
    drop(journal);
    let journal = open().await?;
    assert_eq!(journal.pinned(&revisions).await?, [2, 0, 2]);
    // routed and ended in one go
    record(&journal, 3, 7, [routed("won", "de"), Event::Done]).await?;
    assert_eq!(journal.pinned(&revisions).await?, [1, 0, 1]);
    journal.verify().await?;
    Ok(())
}

/// A replay on the pinned revisions needs them again; one on the live revisions does
/// not, also before it is routed anew.
pub async fn a_replay_is_pinned_to_what_it_uses<J: Journal + Ledger>(
    open: impl AsyncFn() -> Result<J, JournalError>,
) -> Result<(), JournalError> {
    let revisions = [Digest::of(b"map")];
    let on_pinned = |from| Event::Resumed {
        by: "b.keller".into(),
        from,
        live: false,
        why: None,
        order: None,
    };
    let journal = open().await?;
    accept(&journal, 1, |_| "deal".into()).await?;
    record(&journal, 1, 2, [routed("won", "de"), Event::Done]).await?;
    assert_eq!(journal.pinned(&revisions).await?, [0]);
    record(&journal, 1, 3, [on_pinned(Stage::Read)]).await?;
    assert_eq!(journal.pinned(&revisions).await?, [1]);
    record(&journal, 1, 4, [Event::Done]).await?;
    record(&journal, 1, 5, [resumed(Stage::Fetch)]).await?;
    assert_eq!(journal.pinned(&revisions).await?, [0]);
    record(&journal, 1, 6, [parked()]).await?;
    record(&journal, 1, 7, [on_pinned(Stage::Read)]).await?;
    assert_eq!(
        journal.pinned(&revisions).await?,
        [0],
        "it was told to take the live ones before"
    );
    journal.verify().await?;
    Ok(())
}
