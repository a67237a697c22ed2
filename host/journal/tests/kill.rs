//! What was acknowledged survives `kill -9`, at any moment.
//!
//! The test runs itself again as a child that takes messages in, works on them,
//! and prints what was acknowledged; then it kills the child in the middle. A
//! power cut is harder than a kill: against that stands `synchronous = FULL`,
//! which a test on a running machine cannot show.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use cambist_contract::{
    message::{Message, MessageId},
    stage::Stage,
};
use cambist_journal::{Event, Journal as _, store::SqliteJournal};
use jiff::Timestamp;

/// Tells the child where the journal is, and that it is the child.
const PATH: &str = "CAMBIST_JOURNAL_UNDER_KILL";

/// Lines that the child may print before it is killed, round by round: early,
/// late, and past a checkpoint of SQLite's log.
const LINES: [usize; 5] = [1, 40, 7, 700, 90];

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() -> anyhow::Result<()> {
    if let Some(path) = std::env::var_os(PATH) {
        return work_until_killed(Path::new(&path)).await;
    }
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal.db");
    // What each message was last said to be.
    let mut acknowledged = BTreeMap::new();
    for lines in LINES {
        let mut child = Running(start(&path)?);
        let output = child
            .0
            .stdout
            .take()
            .ok_or_else(|| anyhow::anyhow!("no output"))?;
        let told = BufReader::new(output).lines().map_while(Result::ok);
        let told = told.filter(|line| line.starts_with("ack ")).take(lines);
        for line in told {
            if let [_, state, id] = line.split(' ').collect::<Vec<_>>()[..] {
                acknowledged.insert(id.to_owned(), state.to_owned());
            }
        }
        drop(child);

        // Beside nobody: the look without the lock must bring in the log too.
        SqliteJournal::open_read_only(&path)?.verify().await?;
        let journal = SqliteJournal::open(&path)?;
        journal.verify().await?;
        for (id, state) in &acknowledged {
            let found = journal.message(&MessageId::from_text(id)).await?;
            let found = found.ok_or_else(|| anyhow::anyhow!("{id} was acknowledged and is not there"))?;
            // It may have come further than the child could say.
            assert!(
                found.status.state.name() == state || found.status.state.name() == "done",
                "{id}"
            );
        }
    }
    assert!(acknowledged.len() > 300, "only {} messages", acknowledged.len());
    assert!(acknowledged.values().any(|state| state == "done"));
    Ok(())
}

/// Kills the child when it is dropped, so that a failed test leaves none.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL; it may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(path: &Path) -> anyhow::Result<Child> {
    Ok(Command::new(std::env::current_exe()?)
        .args(["--exact", "what_was_acknowledged_survives_a_kill", "--nocapture"])
        .env(PATH, path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?)
}

async fn work_until_killed(path: &Path) -> anyhow::Result<()> {
    let journal = SqliteJournal::open(path)?;
    let begun = journal.verify().await?.entries;
    for round in 0.. {
        let batch: Vec<_> = (0..4).map(|n| message(&format!("{begun}-{round}-{n}"))).collect();
        let ids: Vec<_> = batch.iter().map(|message| message.id.clone()).collect();
        journal.accept(batch).await?;
        acknowledge("due", &ids)?;

        for claim in journal.claim(now(), 3).await? {
            let id = claim.message.id;
            let output = serde_json::json!({"text": "x".repeat(2_000)}).into();
            let passed = Event::Passed {
                stage: Stage::Read,
                output,
                took_us: 1,
                fuel: None,
                log: vec![],
                links: vec![],
            };
            journal.record(&id, now(), vec![passed]).await?;
            journal.record(&id, now(), vec![Event::Done]).await?;
            acknowledge("done", &[id])?;
        }
    }
    Ok(())
}

fn acknowledge(state: &str, ids: &[MessageId]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for id in ids {
        writeln!(out, "ack {state} {id}")?;
    }
    Ok(out.flush()?)
}

fn message(dedupe: &str) -> Message {
    Message {
        id: MessageId::of("crm", dedupe),
        system: "crm".into(),
        event: "deal.changed".into(),
        object_kind: "deal".into(),
        object_id: dedupe.into(),
        dedupe: dedupe.into(),
        key: dedupe.into(),
        occurred_at: now(),
        received_at: now(),
        headers: BTreeMap::new(),
        body: "{}".into(),
    }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}
