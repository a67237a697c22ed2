//! What the SQLite store promises beyond the suite: tampering is found, one host
//! at a time, files that are not ours are left alone.

mod erased;
mod tampered;

use std::{fs, path::Path};

use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    digest::Digest,
    message::{Message, MessageId},
    rollout::{Act, Step},
};
use cambist_journal::{
    Event, Journal as _, JournalError, Ledger as _, State,
    journal::{Accepted, Filter},
    store::SqliteJournal,
};
use jiff::Timestamp;
use rusqlite::Connection;

fn message(n: u32) -> Message {
    Message {
        id: MessageId::of("crm", &n.to_string()),
        system: "crm".into(),
        event: "deal.changed".into(),
        object_kind: "deal".into(),
        object_id: n.to_string(),
        dedupe: n.to_string(),
        key: format!("key-{}", n % 2),
        occurred_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::UNIX_EPOCH,
        headers: Default::default(),
        body: r#"{"amount":"900"}"#.into(),
    }
}

/// A journal of seven entries: three receipts, then one ends, one waits, one parks,
/// and a plugin retires.
async fn fill(path: &Path) -> anyhow::Result<()> {
    let journal = SqliteJournal::open(path)?;
    journal.accept([1, 2, 3].map(message).into()).await?;
    let waiting = Event::Waiting {
        stage: cambist_contract::stage::Stage::Write,
        entity: EntityRef {
            kind: EntityKind::Account,
            system: "crm".into(),
            id: "1".into(),
        },
    };
    let parked = Event::Parked {
        stage: cambist_contract::stage::Stage::Tax,
        code: "refused".into(),
        reason: "no country for 900".into(),
    };
    let events = [Event::Ignored { reason: "900".into() }, waiting, parked];
    for (n, event) in (1..).zip(events) {
        journal
            .record(&message(n).id, Timestamp::UNIX_EPOCH, vec![event])
            .await?;
    }
    let retired = Act {
        plugin: "map-crm".into(),
        component: Digest::of(b"component"),
        by: "host".into(),
        step: Step::Retired,
    };
    journal.act(Timestamp::UNIX_EPOCH, vec![retired]).await?;
    journal.verify().await?;
    Ok(())
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_parked_and_keeps_no_other_from_being_claimed() -> anyhow::Result<()>
{
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let now = Timestamp::UNIX_EPOCH;
    let journal = SqliteJournal::open(&path)?;
    journal.accept([1, 2].map(message).into()).await?;
    drop(journal);
    // what a fault of the disk leaves
    let shell = Connection::open(&path)?;
    shell.execute_batch(
        "DROP TRIGGER entries_stay; UPDATE entries SET event = '{\"what\":\"rec' WHERE place = 1;",
    )?;
    drop(shell);
    let journal = SqliteJournal::open(&path)?;

    let claims = journal.claim(now, 9).await?;
    let claimed: Vec<_> = claims.iter().map(|claim| &claim.message.id).collect();
    assert_eq!(claimed, [&message(2).id]);
    let parked = Filter {
        state: Some("parked".to_owned()),
        limit: 9,
        ..Filter::default()
    };
    let parked = journal.list(parked).await?;
    assert!(
        matches!(parked.as_slice(), [status] if status.id == message(1).id
            && matches!(&status.state, State::Parked { code, reason }
                if code == "journal" && reason.contains("replay"))),
        "{parked:?}"
    );
    // a person may try again, and it is no worse for it
    let resumed = Event::Resumed {
        by: "someone".to_owned(),
        from: cambist_contract::stage::Stage::Fetch,
        live: false,
        why: None,
        order: None,
    };
    journal.record(&message(1).id, now, vec![resumed]).await?;
    assert!(journal.claim(now, 9).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_file_itself_refuses_to_change_what_happened() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    fill(&path).await?;
    let shell = Connection::open(&path)?;
    for table in ["entries", "messages"] {
        assert!(shell.execute(&format!("DELETE FROM {table}"), []).is_err());
        assert!(
            shell
                .execute(&format!("UPDATE {table} SET digest = zeroblob(32)"), [])
                .is_err()
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_second_host_is_refused_until_the_first_is_gone() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let first = SqliteJournal::open(&path)?;
    assert!(matches!(
        SqliteJournal::open(&path),
        Err(JournalError::Locked { .. })
    ));
    // The refusal takes nothing from the first.
    assert_eq!(first.accept(vec![message(1)]).await?, [Accepted::New]);
    drop(first);
    assert_eq!(
        SqliteJournal::open(&path)?.accept(vec![message(1)]).await?,
        [Accepted::Duplicate]
    );
    Ok(())
}

#[tokio::test]
async fn a_look_beside_a_host_sees_what_it_writes_and_writes_nothing() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let host = SqliteJournal::open(&path)?;
    let look = SqliteJournal::open_read_only(&path)?;
    host.accept(vec![message(1), message(2)]).await?;

    let all = Filter {
        limit: 9,
        ..Filter::default()
    };
    assert_eq!(look.list(all).await?.len(), 2);
    assert_eq!(look.verify().await?, host.verify().await?);
    assert!(matches!(
        look.accept(vec![message(3)]).await,
        Err(JournalError::Store { .. })
    ));
    assert!(look.claim(Timestamp::UNIX_EPOCH, 1).await.is_err());
    assert!(
        look.record(&message(1).id, Timestamp::UNIX_EPOCH, vec![Event::Done])
            .await
            .is_err()
    );
    assert_eq!(host.claim(Timestamp::UNIX_EPOCH, 9).await?.len(), 2);
    Ok(())
}

#[test]
fn what_is_not_a_journal_is_left_as_it_is() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let text = dir.path().join("notes.txt");
    fs::write(&text, "remember the milk; it is not a database")?;
    let other = dir.path().join("other.db");
    Connection::open(&other)?.execute_batch("CREATE TABLE people (name TEXT)")?;
    for path in [text, other] {
        let before = fs::read(&path)?;
        assert!(matches!(
            SqliteJournal::open(&path),
            Err(JournalError::Store { .. })
        ));
        assert!(matches!(
            SqliteJournal::open_read_only(&path),
            Err(JournalError::Store { .. })
        ));
        assert_eq!(fs::read(&path)?, before);
    }
    let nothing = dir.path().join("nothing.db");
    assert!(SqliteJournal::open_read_only(&nothing).is_err());
    assert!(!nothing.exists());
    assert!(SqliteJournal::open(dir.path().join("no-such-folder/journal.db")).is_err());
    Ok(())
}

#[tokio::test]
async fn a_journal_of_a_newer_host_is_refused_and_left_as_it_is() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    fill(&path).await?;
    Connection::open(&path)?.pragma_update(None, "user_version", 7)?;
    let before = fs::read(&path)?;

    for opened in [SqliteJournal::open(&path), SqliteJournal::open_read_only(&path)] {
        assert!(matches!(
            opened,
            Err(JournalError::Newer {
                found: 7,
                known: 6,
                ..
            })
        ));
    }
    assert_eq!(fs::read(&path)?, before);
    Ok(())
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_a_journal() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let _journal = SqliteJournal::open(&path)?;
    for name in ["journal.db", "journal.db-wal"] {
        assert_eq!(
            fs::metadata(dir.path().join(name))?.permissions().mode() & 0o077,
            0,
            "{name}"
        );
    }
    Ok(())
}
