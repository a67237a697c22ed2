//! How many messages a second the journal makes durable on this machine, next to
//! what the disk alone can do, and what a claim costs behind a long backlog.
//!
//! ```text
//! cargo run --release -p cambist-journal --example accepts_per_second [FOLDER]
//! ```
//!
//! `FOLDER` must be on the disk that is asked about; a temporary folder may be in
//! memory, where a sync costs nothing. It is made if it is not there.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use cambist_contract::message::{Message, MessageId};
use cambist_journal::{Event, Journal as _, store::SqliteJournal};
use jiff::Timestamp;

const FOR: Duration = Duration::from_secs(3);
const BACKLOG: u64 = 100_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("target"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let dir = tempfile::tempdir_in(folder)?;
    let mut out = std::io::stdout();
    let syncs = syncs_per_second(dir.path())?;
    writeln!(out, "one write of 32 KiB and fdatasync, in a loop: {syncs:.0}/s")?;
    for callers in [1, 16, 64] {
        let rate = accepts_per_second(&dir.path().join(format!("{callers}.db")), callers).await?;
        writeln!(
            out,
            "{callers:>3} callers, one message each time: {rate:.0} accepts/s"
        )?;
    }
    for keys in [4, BACKLOG] {
        let took = claim_behind_backlog(&dir.path().join(format!("backlog-{keys}.db")), keys).await?;
        writeln!(
            out,
            "claim of 4 behind {BACKLOG} messages of {keys} keys: {} us",
            took.as_micros()
        )?;
    }
    Ok(())
}

/// About what one commit of one message writes.
fn syncs_per_second(dir: &Path) -> anyhow::Result<f64> {
    let mut file = std::fs::File::create(dir.join("sync"))?;
    let block = vec![7; 32 << 10];
    let (started, mut count) = (Instant::now(), 0.0);
    while started.elapsed() < FOR {
        file.write_all(&block)?;
        file.sync_data()?;
        count += 1.0;
    }
    Ok(count / started.elapsed().as_secs_f64())
}

async fn accepts_per_second(path: &Path, callers: u64) -> anyhow::Result<f64> {
    let journal = Arc::new(SqliteJournal::open(path)?);
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move {
            let mut count = 0.0;
            while started.elapsed() < FOR {
                let dedupe = format!("{caller}-{count}");
                journal.accept(vec![message(&dedupe, &dedupe)]).await?;
                count += 1.0;
            }
            anyhow::Ok(count)
        });
    }
    let mut total = 0.0;
    for count in tasks.join_all().await {
        total += count?;
    }
    Ok(total / started.elapsed().as_secs_f64())
}

/// The median of some claims, each of which is worked off.
async fn claim_behind_backlog(path: &Path, keys: u64) -> anyhow::Result<Duration> {
    let journal = SqliteJournal::open(path)?;
    let all: Vec<_> = (0..BACKLOG)
        .map(|n| message(&n.to_string(), &(n % keys).to_string()))
        .collect();
    for batch in all.chunks(1_000) {
        journal.accept(batch.to_vec()).await?;
    }
    let mut times = Vec::new();
    for _ in 0..101 {
        let started = Instant::now();
        let claims = journal.claim(Timestamp::UNIX_EPOCH, 4).await?;
        times.push(started.elapsed());
        for claim in claims {
            journal
                .record(&claim.message.id, Timestamp::UNIX_EPOCH, vec![Event::Done])
                .await?;
        }
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

/// A webhook of HubSpot is some 300 bytes once it is split from its batch.
fn message(dedupe: &str, key: &str) -> Message {
    Message {
        id: MessageId::of("crm", dedupe),
        system: "crm".into(),
        event: "deal.propertyChange".into(),
        object_kind: "deal".into(),
        object_id: key.into(),
        dedupe: dedupe.into(),
        key: key.into(),
        occurred_at: Timestamp::UNIX_EPOCH,
        received_at: Timestamp::UNIX_EPOCH,
        headers: Default::default(),
        body: format!(r#"{{"eventId":1,"filler":"{}"}}"#, "x".repeat(270)),
    }
}
