//! What is erased is in no file any more, nothing else can be blanked, and what is left is
//! held to what was left.

use std::{fs, path::Path};

use cambist_contract::{message::Message, plugin::LogLine, stage::Stage};
use cambist_journal::{
    Erasures as _, Event, Journal as _, JournalError,
    erasure::{Erased, Erasure, Extent, Ground},
    store::SqliteJournal,
};
use jiff::Timestamp;
use rusqlite::Connection;

use crate::{message, tampered::outside};

/// What is in the message and its events, and nowhere else.
const PERSON: &str = "Anna-Kowalska-1977";

fn of_person(n: u32) -> Message {
    Message {
        body: format!(r#"{{"name":"{PERSON}","about":"{}"}}"#, "long ".repeat(4_000)),
        ..message(n)
    }
}

fn made() -> Event {
    let name = serde_json::json!({"name": PERSON, "about": PERSON.repeat(900)});
    Event::Passed {
        stage: Stage::Read,
        output: name.into(),
        took_us: 1,
        fuel: None,
        log: vec![LogLine {
            level: "info".into(),
            text: PERSON.into(),
        }],
        links: vec![],
    }
}

fn erasure(messages: impl IntoIterator<Item = u32>, extent: Extent) -> Erasure {
    Erasure {
        messages: messages.into_iter().map(|n| message(n).id).collect(),
        extent,
        end: true,
        ground: Ground {
            by: "b.keller".into(),
            reason: "she asked for it".into(),
            request: None,
        },
    }
}

/// Thirty messages, every third of them about the person; the person's are parked, and have
/// been handed around a while.
async fn fill(path: &Path) -> anyhow::Result<SqliteJournal> {
    let journal = SqliteJournal::open(path)?;
    for n in 1..=30 {
        let is_hers = n % 3 == 0;
        journal
            .accept(vec![if is_hers { of_person(n) } else { message(n) }])
            .await?;
        let parked = Event::Parked {
            stage: Stage::Write,
            code: "refused".into(),
            reason: if is_hers {
                PERSON.into()
            } else {
                "no country".into()
            },
        };
        let resumed = Event::Resumed {
            by: "b.keller".into(),
            from: Stage::Read,
            live: false,
            why: None,
            order: None,
        };
        let events = vec![made(), parked.clone(), resumed, made(), parked];
        let events = if is_hers { events } else { vec![Event::Done] };
        journal
            .record(&message(n).id, Timestamp::UNIX_EPOCH, events)
            .await?;
    }
    Ok(journal)
}

fn hers() -> impl Iterator<Item = u32> {
    (3..=30).step_by(3)
}

/// How often the person is in any file of the folder.
fn found(folder: &Path) -> anyhow::Result<usize> {
    let mut times = 0;
    for file in fs::read_dir(folder)? {
        let bytes = fs::read(file?.path())?;
        times += bytes
            .windows(PERSON.len())
            .filter(|window| *window == PERSON.as_bytes())
            .count();
    }
    Ok(times)
}

#[tokio::test]
async fn what_is_erased_is_in_no_file_any_more_while_the_host_runs() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let journal = fill(&dir.path().join("journal.db")).await?;
    assert!(found(dir.path())? > 1_000);

    let became = journal
        .erase(Timestamp::UNIX_EPOCH, erasure(hers(), Extent::All))
        .await?;
    assert!(became.iter().all(|became| *became == Erased::Now), "{became:?}");
    assert!(journal.forget().await?);
    assert_eq!(found(dir.path())?, 0);
    let verified = journal.verify().await?;
    drop(journal);
    let Some((code, told)) = outside(&dir.path().join("journal.db"), &[])? else {
        return Ok(());
    };
    assert_eq!(code, 0, "{told}");
    assert!(told.contains(&verified.head.to_string()), "{told}");
    Ok(())
}

#[tokio::test]
async fn who_still_reads_what_was_there_is_waited_for() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let journal = fill(&path).await?;
    let reader = Connection::open(&path)?;
    reader.execute_batch("BEGIN; SELECT count(*) FROM entries;")?;

    journal
        .erase(Timestamp::UNIX_EPOCH, erasure(hers(), Extent::Payloads))
        .await?;
    assert!(!journal.forget().await?);
    reader.execute_batch("COMMIT")?;
    assert!(journal.forget().await?);
    Ok(())
}

#[tokio::test]
async fn a_file_of_before_there_were_erasures_forgets_when_it_is_compacted() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-5.db");
    fs::copy(data, &path)?;
    let journal = SqliteJournal::open(&path)?;
    let all = cambist_journal::journal::Filter {
        limit: 99,
        ..Default::default()
    };
    let messages = journal
        .list(all)
        .await?
        .into_iter()
        .map(|status| status.id)
        .collect();
    let erasure = Erasure {
        messages,
        ..erasure([], Extent::All)
    };
    let became = journal.erase(Timestamp::UNIX_EPOCH, erasure).await?;
    assert_eq!(became, [Erased::Now; 9]);
    let verified = journal.verify().await?;
    drop(journal);

    assert_eq!(SqliteJournal::compact(&path)?.verified, verified);
    for text in ["Größe", "1200.50", "above 50 000"] {
        let bytes = fs::read(&path)?;
        let is_there = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!is_there, "{text}");
    }
    let Some((code, told)) = outside(&path, &[])? else {
        return Ok(());
    };
    assert_eq!(code, 0, "{told}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_blanked_that_no_entry_says_was_erased() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let journal = fill(&path).await?;
    journal
        .erase(Timestamp::UNIX_EPOCH, erasure([3], Extent::All))
        .await?;
    drop(journal);
    let shell = Connection::open(&path)?;
    for refused in [
        "UPDATE messages SET text = '' WHERE arrival = 6",
        "UPDATE entries SET event = '' WHERE arrival = 6",
        "DELETE FROM salts WHERE arrival = 6",
        "UPDATE salts SET salt = zeroblob(32)",
        "DELETE FROM messages WHERE arrival = 3",
        "DELETE FROM entries WHERE arrival = 3",
        "UPDATE messages SET digest = zeroblob(32) WHERE arrival = 3",
        "UPDATE entries SET event_digest = zeroblob(32) WHERE arrival = 3",
        // the entry itself, the last of the message
        r#"UPDATE entries SET event = '{"what":"erased"}' WHERE event LIKE '{"what":"erased",%'"#,
    ] {
        let answer = shell.execute_batch(refused);
        assert!(
            answer
                .as_ref()
                .is_err_and(|error| error.to_string().contains("append-only")),
            "{refused}: {answer:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn whatever_is_put_in_the_place_of_what_was_erased_is_found() -> anyhow::Result<()> {
    // the trigger lets these through: an entry says that the message was erased
    for tampered in [
        r#"UPDATE messages SET text = replace(text, '"body":""', '"body":"x"') WHERE arrival = 3"#,
        "UPDATE entries SET event = replace(event, 'erased', 'a lie') WHERE arrival = 3 AND event LIKE '%parked%'",
        "UPDATE entries SET event = '{\"what\":\"done\"}' WHERE arrival = 3 AND event LIKE '{\"what\":\"passed%'",
    ] {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("journal.db");
        let journal = fill(&path).await?;
        journal
            .erase(Timestamp::UNIX_EPOCH, erasure([3], Extent::Payloads))
            .await?;
        journal
            .erase(Timestamp::UNIX_EPOCH, erasure([3], Extent::All))
            .await?;
        let last = journal.verify().await?.entries;
        drop(journal);
        Connection::open(&path)?.execute_batch(tampered)?;

        let verified = SqliteJournal::open_read_only(&path)?.verify().await;
        assert!(
            matches!(&verified, Err(JournalError::Broken { place, .. }) if *place == last),
            "{tampered}: {verified:?}"
        );
        if let Some((code, told)) = outside(&path, &[])? {
            assert_eq!(code, 1, "{tampered}: {told}");
            assert!(told.contains(&format!("at entry {last}:")), "{told}");
        }
    }
    Ok(())
}
