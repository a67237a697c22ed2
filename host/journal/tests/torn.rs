//! What a crash or a bad disk leaves of the last write, and of any page.
//!
//! SQLite's log has a checksum on every frame, so a torn end of it is as if it had not been
//! written. The file itself has none: there the chain and SQLite's own check must find it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use cambist_contract::{
    digest::Digest,
    message::{Message, MessageId},
};
use cambist_journal::{
    Event, Journal as _, JournalError,
    journal::{Accepted, Filter, Verified},
    store::SqliteJournal,
};
use jiff::Timestamp;

/// Tells the child where the journal is, and that it is the child.
const PATH: &str = "CAMBIST_JOURNAL_TO_TEAR";

fn message(n: usize) -> Message {
    Message {
        id: MessageId::of("crm", &n.to_string()),
        system: "crm".into(),
        event: "deal.changed".into(),
        object_kind: "deal".into(),
        object_id: n.to_string(),
        dedupe: n.to_string(),
        key: format!("key-{}", n % 3),
        occurred_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::UNIX_EPOCH,
        headers: Default::default(),
        body: format!("{n}").repeat(900),
    }
}

/// One commit, and the head after it.
async fn commit(journal: &SqliteJournal, n: usize) -> anyhow::Result<()> {
    journal.accept(vec![message(n)]).await?;
    if n.is_multiple_of(2) {
        journal
            .record(&message(n).id, Timestamp::UNIX_EPOCH, vec![Event::Done])
            .await?;
    }
    Ok(())
}

/// Writes, says what is durable, and waits to be killed, so that the log stays as it is.
async fn write_and_wait(path: &Path) -> anyhow::Result<()> {
    let journal = SqliteJournal::open(path)?;
    for n in 0..40 {
        commit(&journal, n).await?;
        let Verified { entries, head } = journal.verify().await?;
        writeln!(std::io::stdout(), "ack {entries} {head}")?;
    }
    writeln!(std::io::stdout(), "ack end")?;
    loop {
        std::thread::park();
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL; it may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file and a log as a killed host leaves them, and each head that was durable.
fn killed(path: &Path) -> anyhow::Result<Vec<(u64, Digest)>> {
    let child = Command::new(std::env::current_exe()?)
        .args([
            "--exact",
            "a_torn_end_of_the_log_is_as_if_it_had_not_been_written",
            "--nocapture",
        ])
        .env(PATH, path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut child = Running(child);
    let output = child.0.stdout.take();
    let output = output.ok_or_else(|| anyhow::anyhow!("no output"))?;
    let mut heads = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["ack", "end"] => break,
            ["ack", entries, head] => heads.push((entries.parse()?, head.parse()?)),
            _ => {}
        }
    }
    anyhow::ensure!(heads.len() == 40, "only {} heads", heads.len());
    Ok(heads)
}

fn log_of(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

#[tokio::test]
async fn a_torn_end_of_the_log_is_as_if_it_had_not_been_written() -> anyhow::Result<()> {
    if let Some(path) = std::env::var_os(PATH) {
        return write_and_wait(Path::new(&path)).await;
    }
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let heads = killed(&path)?;
    let (file, log) = (fs::read(&path)?, fs::read(log_of(&path))?);
    let (whole, _) = *heads.last().ok_or_else(|| anyhow::anyhow!("no head"))?;

    // Half a commit more than was acknowledged: the first bytes of one, and garbage.
    let mut torn = Vec::new();
    for more in [1, 24, 1_000, 4_120, 9_000] {
        let garbage: Vec<u8> = log.iter().rev().take(more).copied().collect();
        torn.push(([log.as_slice(), &garbage].concat(), true));
    }
    // A disk that lied: the last commits that it said it had are cut off or scribbled over.
    for less in [1, 100, 4_119, 4_121, 20_000] {
        let cut = log.len().saturating_sub(less);
        torn.push((log.iter().take(cut).copied().collect(), false));
        let mut scribbled = log.clone();
        scribbled.iter_mut().skip(cut).for_each(|byte| *byte ^= 0x5A);
        torn.push((scribbled, false));
    }
    for (case, (log, keeps_all)) in torn.into_iter().enumerate() {
        fs::write(&path, &file)?;
        fs::write(log_of(&path), log)?;
        let journal = SqliteJournal::open(&path)?;
        let Verified { entries, head } = journal.verify().await?;
        assert!(
            heads.contains(&(entries, head)),
            "case {case}: it ends between two commits"
        );
        if keeps_all {
            assert_eq!(entries, whole, "case {case}: all that was acknowledged is there");
        } else {
            assert!(entries < whole, "case {case}: nothing was torn");
            // what the chain alone cannot show, a head that was kept elsewhere does
            assert_eq!(journal.digest_at(whole).await?, None);
        }
        // and it goes on from there
        commit(&journal, 100).await?;
        journal.verify().await?;
        drop(journal);
    }
    Ok(())
}

/// All that is told of the messages in it.
async fn tell(journal: &SqliteJournal) -> Result<(Verified, Vec<String>), JournalError> {
    let verified = journal.verify().await?;
    let all = Filter {
        limit: 99,
        ..Filter::default()
    };
    let mut told = Vec::new();
    for status in journal.list(all).await? {
        if let Some(claim) = journal.message(&status.id).await? {
            told.push(format!("{status:?} {:?} {:?}", claim.message, claim.entries));
        }
    }
    Ok((verified, told))
}

#[tokio::test]
async fn a_torn_page_is_found_or_was_empty() -> anyhow::Result<()> {
    /// What SQLite writes at once.
    const PAGE: usize = 4096;

    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let journal = SqliteJournal::open(&path)?;
    for n in 0..30 {
        commit(&journal, n).await?;
    }
    let wanted = tell(&journal).await?;
    drop(journal);
    let whole = fs::read(&path)?;

    let torn = dir.path().join("torn.db");
    let (mut found, mut names_entry) = (0, 0);
    for page in 0..whole.len() / PAGE {
        for half in [0, PAGE / 2] {
            let mut bytes = whole.clone();
            let from = page * PAGE + half;
            bytes
                .iter_mut()
                .skip(from)
                .take(PAGE / 2)
                .for_each(|byte| *byte = 0x5A);
            fs::write(&torn, bytes)?;
            let opened = SqliteJournal::open_read_only(&torn);
            let told = match opened {
                Ok(journal) => tell(&journal).await,
                Err(error) => Err(error),
            };
            match told {
                // Where no record was, nothing is lost.
                Ok(told) => assert_eq!(told, wanted, "page {page} at {half} is torn, and nobody said so"),
                Err(error) => {
                    found += 1;
                    names_entry += usize::from(matches!(error, JournalError::Broken { .. }));
                }
            }
        }
    }
    assert!(found > 40, "only {found} were found");
    assert!(names_entry > 20, "only {names_entry} name the entry");

    // and of a file that lost its end
    for bytes in [whole.len() - 1, whole.len() - PAGE, whole.len() / 2, PAGE, 100] {
        fs::write(&torn, whole.get(..bytes).unwrap_or_default())?;
        let told = match SqliteJournal::open_read_only(&torn) {
            Ok(journal) => journal.verify().await,
            Err(error) => Err(error),
        };
        assert!(told.is_err(), "{bytes} bytes are left, and nobody said so");
    }
    Ok(())
}

#[tokio::test]
async fn a_host_that_meets_damage_takes_nothing_more_in() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    let journal = SqliteJournal::open(&path)?;
    for n in 0..30 {
        commit(&journal, n).await?;
    }
    drop(journal);
    // the leaf of the table that has an old message; opening reads the newest
    let text = br#""dedupe":"1""#;
    let mut bytes = fs::read(&path)?;
    let mut torn = 0;
    for page in bytes.chunks_mut(4096) {
        if page.first() == Some(&13) && page.windows(text.len()).any(|window| window == text) {
            page.iter_mut().for_each(|byte| *byte = 0x5A);
            torn += 1;
        }
    }
    assert!(torn > 0);
    fs::write(&path, bytes)?;

    let journal = SqliteJournal::open(&path)?;
    assert_eq!(
        journal.accept(vec![message(100)]).await?,
        [Accepted::New],
        "nobody has met it yet"
    );
    journal.ready().await?;
    let is_damage = |error: &JournalError| matches!(error, JournalError::Damaged { .. });
    let seen = journal.message(&message(1).id).await.map(drop);
    assert!(seen.as_ref().is_err_and(is_damage), "{seen:?}");
    for refused in [
        journal.accept(vec![message(200)]).await.map(drop),
        journal.claim(Timestamp::UNIX_EPOCH, 1).await.map(drop),
        journal.ready().await,
    ] {
        assert!(refused.as_ref().is_err_and(is_damage), "{refused:?}");
    }
    // what is whole can still be read, for whoever has to find out
    assert!(journal.message(&message(29).id).await?.is_some());
    let verified = journal.verify().await;
    assert!(
        matches!(verified, Err(JournalError::Broken { .. })),
        "{verified:?}"
    );
    Ok(())
}
