//! What the SQLite store promises beyond the suite: tampering is found, one host
//! at a time, files that are not ours are left alone.

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

/// What somebody with the file and a SQLite shell may try, and the entry at which
/// the check must stop.
const TAMPERED: [(&str, u64, &str); 25] = [
    (
        "an event's text",
        4,
        "UPDATE entries SET event = replace(event, '900', '901') WHERE place = 4",
    ),
    (
        "an event's digest",
        5,
        "UPDATE entries SET event_digest = zeroblob(32) WHERE place = 5",
    ),
    (
        "an entry's digest",
        5,
        "UPDATE entries SET digest = zeroblob(32) WHERE place = 5",
    ),
    (
        "an entry's time",
        4,
        "UPDATE entries SET at = '1970-01-01T00:00:01Z' WHERE place = 4",
    ),
    (
        "no time",
        4,
        "UPDATE entries SET at = 'yesterday' WHERE place = 4",
    ),
    (
        "an entry's message",
        4,
        "UPDATE entries SET arrival = 3 WHERE place = 4",
    ),
    ("the first entry out", 1, "DELETE FROM entries WHERE place = 1"),
    ("an entry out", 4, "DELETE FROM entries WHERE place = 4"),
    ("the last entry out", 6, "DELETE FROM entries WHERE place = 6"),
    ("all entries out", 1, "DELETE FROM entries"),
    (
        "two entries swapped",
        4,
        "UPDATE entries SET place = 99 WHERE place = 4;
         UPDATE entries SET place = 4 WHERE place = 5;
         UPDATE entries SET place = 5 WHERE place = 99;",
    ),
    (
        "an entry put in",
        8,
        "INSERT INTO entries SELECT 8, arrival, at, event_digest, digest, event FROM entries WHERE place = 6",
    ),
    (
        "a message's text",
        2,
        "UPDATE messages SET text = replace(text, '900', '901') WHERE arrival = 2",
    ),
    (
        "a message's digest",
        2,
        "UPDATE messages SET digest = zeroblob(32) WHERE arrival = 2",
    ),
    (
        "a message's id",
        2,
        "UPDATE messages SET id = 'another' WHERE arrival = 2",
    ),
    ("a message out", 2, "DELETE FROM messages WHERE arrival = 2"),
    (
        "a message put in",
        8,
        "INSERT INTO messages SELECT 4, 'another', digest, text FROM messages WHERE arrival = 3",
    ),
    (
        "a state",
        6,
        r#"UPDATE status SET state = 'done', detail = '{"state":"done"}', open = 0 WHERE arrival = 3"#,
    ),
    ("a status out", 6, "DELETE FROM status WHERE arrival = 3"),
    (
        "a queue's time",
        6,
        "UPDATE status SET due_ns = 1 WHERE arrival = 3",
    ),
    ("a key's head", 6, "UPDATE status SET head = 0 WHERE arrival = 3"),
    (
        "an act's text",
        7,
        "UPDATE entries SET event = replace(event, 'retired', 'killed') WHERE place = 7",
    ),
    ("the last act out", 7, "DELETE FROM entries WHERE place = 7"),
    (
        "a pin put in",
        5,
        "INSERT INTO pins (revision, arrival) VALUES (zeroblob(32), 2)",
    ),
    (
        "a count",
        7,
        "UPDATE tally SET messages = 9 WHERE state = 'parked'",
    ),
];

#[tokio::test]
async fn whatever_is_changed_is_found() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let whole = dir.path().join("whole.db");
    fill(&whole).await?;
    for (what, place, sql) in TAMPERED {
        let path = dir.path().join("tampered.db");
        fs::copy(&whole, &path)?;
        let shell = Connection::open(&path)?;
        shell.execute_batch(
            "PRAGMA foreign_keys = OFF;
             DROP TRIGGER messages_stay; DROP TRIGGER messages_last;
             DROP TRIGGER entries_stay; DROP TRIGGER entries_last; DROP TRIGGER tally_move;",
        )?;
        shell.execute_batch(sql)?;
        drop(shell);

        let verified = SqliteJournal::open_read_only(&path)?.verify().await;
        assert!(
            matches!(&verified, Err(JournalError::Broken { place: at, .. }) if *at == place),
            "{what}: {verified:?}"
        );
    }
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
    Connection::open(&path)?.pragma_update(None, "user_version", 6)?;
    let before = fs::read(&path)?;

    for opened in [SqliteJournal::open(&path), SqliteJournal::open_read_only(&path)] {
        assert!(matches!(
            opened,
            Err(JournalError::Newer {
                found: 6,
                known: 5,
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
