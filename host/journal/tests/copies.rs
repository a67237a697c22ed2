//! Backup, restore, compaction: every name stands for a whole journal at every moment.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cambist_contract::message::{Message, MessageId};
use cambist_journal::{
    Event, Journal as _, JournalError,
    journal::Accepted,
    store::{Restored, SqliteJournal},
};
use jiff::Timestamp;
use rusqlite::Connection;

fn message(n: usize) -> Message {
    Message {
        id: MessageId::of("crm", &n.to_string()),
        system: "crm".into(),
        event: "deal.changed".into(),
        object_kind: "deal".into(),
        object_id: n.to_string(),
        dedupe: n.to_string(),
        key: format!("key-{n}"),
        occurred_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::UNIX_EPOCH,
        headers: Default::default(),
        body: "x".repeat(500),
    }
}

/// Takes messages in and ends every second one.
async fn fill(journal: &SqliteJournal, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    journal.accept(numbers.clone().map(message).collect()).await?;
    for n in numbers.step_by(2) {
        journal
            .record(&message(n).id, Timestamp::UNIX_EPOCH, vec![Event::Done])
            .await?;
    }
    Ok(())
}

/// The names in a folder, but for the host's lock.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name != "journal.db.lock");
    names.sort();
    Ok(names)
}

fn scribble(path: &Path) -> anyhow::Result<()> {
    let shell = Connection::open(path)?;
    shell.execute_batch(
        "DROP TRIGGER entries_stay; UPDATE entries SET event = replace(event, 'done', 'gone') WHERE place = 11;",
    )?;
    Ok(())
}

/// A journal of ten messages and fifteen entries, closed.
async fn closed(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("journal.db");
    fill(&SqliteJournal::open(&path)?, 0..10).await?;
    Ok(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_beside_a_busy_host_is_one_whole_journal_of_one_moment() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let away = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let host = SqliteJournal::open(&path)?;
    fill(&host, 0..10).await?;
    let first = host.verify().await?;
    let look = SqliteJournal::open_read_only(&path)?;

    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let busy = tokio::spawn(async move {
        let mut n = 10;
        while stopped.try_recv().is_err() {
            fill(&host, n..n + 10).await?;
            n += 10;
        }
        anyhow::Ok(host)
    });
    let mut copies = Vec::new();
    for n in 0..5 {
        let to = away.path().join(format!("copy-{n}.db"));
        copies.push((look.back_up(&to).await?, to));
    }
    let _ = stop.send(());
    let host = busy.await??;

    for (told, to) in &copies {
        let copy = SqliteJournal::open_read_only(to)?;
        assert_eq!(copy.verify().await?, *told);
        assert_eq!(copy.digest_at(first.entries).await?, Some(first.head));
        assert_eq!(host.digest_at(told.entries).await?, Some(told.head));
    }
    let wanted: Vec<_> = (0..5).map(|n| format!("copy-{n}.db")).collect();
    assert_eq!(names(away.path())?, wanted, "a copy is one file");
    // and it is a journal to go on with
    let (_, last) = copies.last().ok_or_else(|| anyhow::anyhow!("no copy"))?;
    let goes_on = SqliteJournal::open(last)?;
    assert_eq!(goes_on.accept(vec![message(0)]).await?, [Accepted::Duplicate]);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_reads_a_copy_and_a_file_that_is_there_is_kept() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempfile::tempdir()?;
    let path = closed(dir.path()).await?;
    let journal = SqliteJournal::open_read_only(&path)?;
    let to = dir.path().join("copy.db");
    journal.back_up(&to).await?;
    assert_eq!(fs::metadata(&to)?.permissions().mode() & 0o077, 0);

    fs::write(&to, "something of somebody's")?;
    let again = journal.back_up(&to).await;
    assert!(
        matches!(&again, Err(JournalError::Store { detail, .. }) if detail.contains("is kept")),
        "{again:?}"
    );
    assert_eq!(fs::read_to_string(&to)?, "something of somebody's");
    assert!(
        journal
            .back_up(dir.path().join("no-folder/copy.db"))
            .await
            .is_err()
    );
    Ok(())
}

#[tokio::test]
async fn of_a_journal_that_does_not_verify_there_is_no_copy() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let away = tempfile::tempdir()?;
    let path = closed(dir.path()).await?;
    scribble(&path)?;
    let copied = SqliteJournal::open_read_only(&path)?
        .back_up(away.path().join("copy.db"))
        .await;
    assert!(
        matches!(copied, Err(JournalError::Broken { place: 11, .. })),
        "{copied:?}"
    );
    assert_eq!(names(away.path())?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_restored_journal_is_the_copy_and_the_one_before_is_kept() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let away = tempfile::tempdir()?;
    let path = closed(dir.path()).await?;
    let copy = away.path().join("copy.db");
    let told = SqliteJournal::open_read_only(&path)?.back_up(&copy).await?;
    fill(&SqliteJournal::open(&path)?, 10..20).await?;

    let aside = dir.path().join("journal.db.replaced");
    let restored = SqliteJournal::restore(&copy, &path)?;
    let wanted = Restored {
        verified: told,
        set_aside: Some(aside.clone()),
        had: Some(30),
    };
    assert_eq!(restored, wanted);
    let journal = SqliteJournal::open(&path)?;
    assert_eq!(journal.verify().await?, told);
    assert_eq!(
        journal.accept(vec![message(9), message(10)]).await?,
        [Accepted::Duplicate, Accepted::New]
    );
    drop(journal);
    let before = SqliteJournal::open_read_only(&aside)?.verify().await?;
    assert_eq!(before.entries, 30);

    // what was set aside once is not overwritten by the next
    assert!(SqliteJournal::restore(&copy, &path).is_err());
    assert_eq!(SqliteJournal::open_read_only(&path)?.verify().await?.entries, 16);
    assert_eq!(SqliteJournal::open_read_only(&aside)?.verify().await?, before);
    Ok(())
}

#[tokio::test]
async fn a_damaged_journal_goes_aside_with_its_log_and_none_is_needed() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let away = tempfile::tempdir()?;
    let path = closed(dir.path()).await?;
    let copy = away.path().join("copy.db");
    let told = SqliteJournal::open_read_only(&path)?.back_up(&copy).await?;
    let mut bytes = fs::read(&path)?;
    bytes.iter_mut().take(100).for_each(|byte| *byte = 0x5A);
    fs::write(&path, &bytes)?;
    fs::write(dir.path().join("journal.db-wal"), "what a crash left")?;

    let restored = SqliteJournal::restore(&copy, &path)?;
    assert_eq!((restored.verified, restored.had), (told, None));
    assert_eq!(
        names(dir.path())?,
        ["journal.db", "journal.db.replaced", "journal.db.replaced-wal"]
    );
    // on a new machine
    let new = away.path().join("journal.db");
    let restored = SqliteJournal::restore(&copy, &new)?;
    assert_eq!((restored.verified, restored.set_aside), (told, None));
    assert_eq!(SqliteJournal::open(&new)?.verify().await?, told);
    Ok(())
}

#[tokio::test]
async fn a_copy_that_does_not_verify_replaces_nothing() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let away = tempfile::tempdir()?;
    let path = closed(dir.path()).await?;
    let copy = away.path().join("copy.db");
    let told = SqliteJournal::open_read_only(&path)?.back_up(&copy).await?;
    scribble(&copy)?;
    let restored = SqliteJournal::restore(&copy, &path);
    assert!(
        matches!(restored, Err(JournalError::Broken { place: 11, .. })),
        "{restored:?}"
    );
    let others = names(dir.path())?;
    let others = others
        .iter()
        .any(|name| name.ends_with("replaced") || name.ends_with(".part"));
    assert!(!others, "nothing was set aside, and nothing is left");
    assert_eq!(SqliteJournal::open_read_only(&path)?.verify().await?, told);
    Ok(())
}

#[tokio::test]
async fn compaction_gives_room_back_and_takes_no_entry() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let journal = SqliteJournal::open(&path)?;
    fill(&journal, 0..400).await?;
    let told = journal.verify().await?;
    drop(journal);
    // room that was used once
    let shell = Connection::open(&path)?;
    shell.execute_batch("CREATE TABLE t (x BLOB); INSERT INTO t VALUES (zeroblob(900000)); DROP TABLE t;")?;
    drop(shell);

    let compacted = SqliteJournal::compact(&path)?;
    assert_eq!(compacted.verified, told);
    assert!(compacted.after + 800_000 < compacted.before, "{compacted:?}");
    assert_eq!(fs::metadata(&path)?.len(), compacted.after);
    assert_eq!(names(dir.path())?, ["journal.db"]);
    let journal = SqliteJournal::open(&path)?;
    assert_eq!(journal.verify().await?, told);
    assert_eq!(
        journal.accept(vec![message(0), message(400)]).await?,
        [Accepted::Duplicate, Accepted::New]
    );
    Ok(())
}

#[tokio::test]
async fn beside_a_host_nothing_is_restored_and_nothing_compacted() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let away = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let host = SqliteJournal::open(&path)?;
    fill(&host, 0..10).await?;
    let copy = away.path().join("copy.db");
    host.back_up(&copy).await?;
    assert!(matches!(
        SqliteJournal::restore(&copy, &path),
        Err(JournalError::Locked { .. })
    ));
    assert!(matches!(
        SqliteJournal::compact(&path),
        Err(JournalError::Locked { .. })
    ));
    fill(&host, 10..20).await?;
    assert_eq!(host.verify().await?.entries, 30);
    Ok(())
}
