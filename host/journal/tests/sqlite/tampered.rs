//! Tampering is found, by the host and by a check that shares no code with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cambist_journal::{Journal as _, JournalError, store::SqliteJournal};
use rusqlite::Connection;

use crate::fill;

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

/// Those of them that touch neither messages nor entries: what is worked out of these is
/// checked by the host alone.
const WORKED_OUT: [&str; 6] = [
    "a state",
    "a status out",
    "a queue's time",
    "a key's head",
    "a pin put in",
    "a count",
];

#[tokio::test]
async fn whatever_is_changed_is_found() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    for (what, place, sql) in TAMPERED {
        let path = tampered(dir.path(), sql).await?;
        let verified = SqliteJournal::open_read_only(&path)?.verify().await;
        assert!(
            matches!(&verified, Err(JournalError::Broken { place: at, .. }) if *at == place),
            "{what}: {verified:?}"
        );
    }
    Ok(())
}

/// A journal with this done to it.
async fn tampered(folder: &Path, sql: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join("tampered.db");
    if path.exists() {
        fs::remove_file(&path)?;
    }
    fill(&path).await?;
    {
        let shell = Connection::open(&path)?;
        shell.execute_batch(
            "PRAGMA foreign_keys = OFF;
             DROP TRIGGER messages_stay; DROP TRIGGER messages_last;
             DROP TRIGGER entries_stay; DROP TRIGGER entries_last; DROP TRIGGER tally_move;",
        )?;
        shell.execute_batch(sql)?;
    }
    Ok(path)
}

/// What `tests/chain/verify.py` says of a journal: its exit code, and its words. None, and
/// said loudly, where there is no Python.
pub(crate) fn outside(path: &Path, heads: &[String]) -> anyhow::Result<Option<(i32, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let asked = Command::new("python3")
        .arg(root.join("tests/chain/verify.py"))
        .arg(path)
        .args(heads)
        .output();
    let output = match asked {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            #[expect(clippy::print_stderr, reason = "what was not tested is said")]
            {
                eprintln!("SKIPPED: no python3; the chain was not checked from outside");
            }
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let told = [output.stdout, output.stderr].concat();
    let code = output.status.code().unwrap_or(-1);
    Ok(Some((code, String::from_utf8(told)?)))
}

#[tokio::test]
async fn a_check_from_outside_agrees_on_what_is_whole_and_what_was_tampered_with() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    fill(&path).await?;
    let journal = SqliteJournal::open(&path)?;
    let head = journal.verify().await?;
    let Some(third) = journal.digest_at(3).await? else {
        anyhow::bail!("there is no third entry");
    };
    // also beside the host
    let kept = [format!("3:{third}"), format!("{}:{}", head.entries, head.head)];
    let Some((code, told)) = outside(&path, &kept)? else {
        return Ok(());
    };
    assert_eq!(code, 0, "{told}");
    assert!(
        told.ends_with(&format!("head {}:{}\n", head.entries, head.head)),
        "{told}"
    );
    for (expected, place) in [(format!("4:{third}"), 4), (format!("99:{third}"), 99)] {
        let Some((code, told)) = outside(&path, &[expected])? else {
            return Ok(());
        };
        assert_eq!(code, 1, "{told}");
        assert!(told.contains(&format!("at entry {place}:")), "{told}");
    }
    drop(journal);

    let mut found = 0;
    for (what, place, sql) in TAMPERED {
        let path = tampered(dir.path(), sql).await?;
        let Some((code, told)) = outside(&path, &[])? else {
            return Ok(());
        };
        let is_its_business = !WORKED_OUT.contains(&what);
        assert_eq!(code, i32::from(is_its_business), "{what}: {told}");
        if is_its_business {
            assert!(told.contains(&format!("at entry {place}:")), "{what}: {told}");
            found += 1;
        }
    }
    assert_eq!(found, TAMPERED.len() - WORKED_OUT.len());
    let (code, _) = outside(&dir.path().join("nothing.db"), &[])?.unwrap_or_default();
    assert_eq!(code, 2, "what is not there is neither good nor bad");
    Ok(())
}

#[test]
fn a_check_from_outside_reads_every_format() -> anyhow::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let dir = tempfile::tempdir()?;
    for format in 1..=6 {
        let copy = dir.path().join(format!("format-{format}.db"));
        fs::copy(data.join(format!("format-{format}.db")), &copy)?;
        let Some((code, told)) = outside(&copy, &[])? else {
            return Ok(());
        };
        assert_eq!(code, 0, "{told}");
        assert!(told.contains(&format!("good, format {format}")), "{told}");
    }
    Ok(())
}
