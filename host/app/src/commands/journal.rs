//! `cambist journal`: the journal as a file: whether it is whole, copies of it, its size.
//!
//! These commands work on the file and ask no host, but for `erase`. Which of them may run beside
//! one, the journal's own lock decides.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use anyhow::{Context as _, Result, bail};
use cambist_contract::digest::Digest;
use cambist_journal::{
    Journal as _, JournalError,
    journal::Verified,
    store::{Compacted, SqliteJournal},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::operator;
use crate::{cli, config::Config};

mod erase;

/// What can be done with the journal.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Checks that nothing in the journal was changed, taken out, put in or damaged; also
    /// while the host runs.
    ///
    /// Reads the whole file. Exits with 1 and names the first entry that does not fit. Keep
    /// the head that it prints somewhere else: `--expect` holds a later journal to it, and
    /// finds what a chain alone cannot show, that its end was cut off or all of it was made
    /// anew.
    Verify(Verify),
    /// Copies the journal to a new file while the host runs, and verifies the copy.
    ///
    /// The copy is what the journal is when the command begins: one file, which only its
    /// owner reads. It gets its name when it is verified and on disk; a file that is there
    /// is kept. Plugins are not in it: keep `revisions` in the data folder with it.
    Backup(Backup),
    /// Puts a copy in the journal's place; the host must not be running.
    ///
    /// The copy is verified first. The journal that was there is set aside as
    /// `journal.db.replaced`. What was received and delivered after the copy was made is not
    /// in it: senders' own attempts and a replay of their events bring it in again, and what
    /// Odoo has already is found there and not made twice.
    Restore(Restore),
    /// Writes the journal anew without the room that moves inside it have left; the host must
    /// not be running.
    ///
    /// No message and no entry goes: that is what the chain is for. Needs room for a second
    /// file meanwhile. The new one is verified before it takes the old one's place.
    Compact(cli::Printed),
    /// Erases what is there about somebody, at the running host.
    ///
    /// The texts go, the chain holds: `verify` says so before and after. An erased message
    /// cannot be looked into, replayed or edited, and is not taken in again. Copies of the
    /// journal still have it: erase there too, or let them go.
    Erase(erase::Options),
}

/// Which file, and what it is held to.
#[derive(Args, Clone, Debug)]
pub struct Verify {
    #[command(flatten)]
    common: cli::Printed,
    /// The journal's file, or a copy; left out, the journal of the config.
    file: Option<PathBuf>,
    /// An entry's place and digest, as an earlier check printed them: the journal must have
    /// that entry still.
    #[arg(long, value_name = "PLACE:DIGEST")]
    expect: Vec<Expected>,
}

/// Where the copy goes.
#[derive(Args, Clone, Debug)]
pub struct Backup {
    #[command(flatten)]
    common: cli::Printed,
    /// The file to make.
    to: PathBuf,
}

/// Where the copy is.
#[derive(Args, Clone, Debug)]
pub struct Restore {
    #[command(flatten)]
    common: cli::Printed,
    /// The copy, which stays as it is.
    from: PathBuf,
}

/// An entry that was there once.
#[derive(Clone, Copy, Debug)]
struct Expected {
    place: u64,
    digest: Digest,
}

impl FromStr for Expected {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (place, digest) = text
            .split_once(':')
            .context("it is a place, a colon and a digest of 64 hex digits")?;
        Ok(Self {
            place: place.parse().context("the place is a number")?,
            digest: digest.parse().context("the digest has 64 hex digits")?,
        })
    }
}

/// Runs one of them.
///
/// # Errors
///
/// It cannot be done; the journal is as it was.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Verify(options) => verify(options).await,
        Command::Backup(options) => backup(options).await,
        Command::Restore(options) => restore(options).await,
        Command::Compact(options) => compact(options).await,
        Command::Erase(options) => erase::run(options).await,
    }
}

async fn verify(options: Verify) -> Result<ExitCode> {
    let path = match options.file {
        Some(file) => file,
        None => options.common.reach().journal()?,
    };
    if !path.exists() {
        bail!("there is no journal at {}; name its file", path.display());
    }
    let found = look(&path, &options.expect).await?;
    let answer = match &found {
        Ok((format, verified)) => json!({
            "good": true, "format": format, "entries": verified.entries, "head": verified.head,
        }),
        Err((place, why)) => json!({"good": false, "entry": place, "why": why}),
    };
    told(&options.common, answer, || match &found {
        Ok((format, verified)) => {
            let held = match options.expect.len() {
                0 => String::new(),
                n => format!(", and the {n} expected among them"),
            };
            format!(
                "{}: good, format {format}, {} entries{held}\nhead {}:{}",
                path.display(),
                verified.entries,
                verified.entries,
                verified.head
            )
        }
        Err((place, why)) => {
            let place = place.map_or(String::new(), |place| format!(" at entry {place}"));
            format!(
                "{}: NOT good{place}: {why}\nkeep the file as it is; `cambist journal restore` puts a copy in its place",
                path.display()
            )
        }
    })?;
    Ok(if found.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is wrong with a journal: the first entry that does not fit, where it gets that far,
/// and why.
type Flaw = (Option<u64>, String);

/// Checks the file. An error is that it cannot be checked.
async fn look(path: &Path, expected: &[Expected]) -> Result<Result<(u32, Verified), Flaw>> {
    let checked = async {
        let journal = SqliteJournal::open_read_only(path)?;
        let (format, verified) = (journal.format().await?, journal.verify().await?);
        let missing = missing(&journal, expected, &verified).await?;
        Ok(missing.map_or(Ok((format, verified)), Err))
    };
    match checked.await {
        Err(JournalError::Broken { place, detail }) => Ok(Err((Some(place), detail))),
        Err(JournalError::Damaged { detail, .. }) => {
            Ok(Err((None, format!("the file is damaged ({detail})"))))
        }
        other => Ok(other?),
    }
}

/// The first of the expected entries that is not there, and why.
async fn missing(
    journal: &SqliteJournal,
    expected: &[Expected],
    verified: &Verified,
) -> Result<Option<Flaw>, JournalError> {
    let mut expected = expected.to_vec();
    expected.sort_by_key(|expected| expected.place);
    for Expected { place, digest } in expected {
        match journal.digest_at(place).await? {
            Some(found) if found == digest => {}
            Some(_) => {
                return Ok(Some((
                    Some(place),
                    "it is another one than the expected".to_owned(),
                )));
            }
            None => {
                let why = format!("it is expected, and the journal ends at {}", verified.entries);
                return Ok(Some((Some(place), why)));
            }
        }
    }
    Ok(None)
}

async fn backup(options: Backup) -> Result<ExitCode> {
    let reach = options.common.reach();
    let to = options.to;
    if to.is_dir() {
        bail!("{} is a folder; name the file to make in it", to.display());
    }
    let verified = operator::journal(&reach)?
        .back_up(&to)
        .await
        .context("there is no copy")?;
    let answer = json!({"copy": to, "entries": verified.entries, "head": verified.head});
    told(&options.common, answer, || {
        format!(
            "{} is a whole journal of {} entries, head {}:{}",
            to.display(),
            verified.entries,
            verified.entries,
            verified.head
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn restore(options: Restore) -> Result<ExitCode> {
    let config = Config::read(&options.common.at.config)?;
    let (from, path) = (options.from, config.journal());
    if !from.is_file() {
        bail!("there is no copy at {}", from.display());
    }
    std::fs::create_dir_all(&config.host.data)
        .with_context(|| format!("cannot make the folder {}", config.host.data.display()))?;
    let place = path.clone();
    let restored = blocking(move || SqliteJournal::restore(from, place)).await?;
    let verified = restored.verified;
    let answer = json!({
        "journal": path, "entries": verified.entries, "head": verified.head,
        "set-aside": restored.set_aside, "had": restored.had,
    });
    told(&options.common, answer, || {
        let mut lines = format!(
            "{} has {} entries now, head {}:{}",
            path.display(),
            verified.entries,
            verified.entries,
            verified.head
        );
        if let Some(aside) = &restored.set_aside {
            let had = restored
                .had
                .map_or("cannot be read".to_owned(), |had| format!("has {had} entries"));
            lines += &format!("\nthe one before is {}, and {had}", aside.display());
        }
        lines
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn compact(options: cli::Printed) -> Result<ExitCode> {
    let path = Config::read(&options.at.config)?.journal();
    if !path.exists() {
        bail!("there is no journal at {}", path.display());
    }
    let place = path.clone();
    let compacted = blocking(move || SqliteJournal::compact(place)).await?;
    let Compacted {
        before,
        after,
        verified,
    } = compacted;
    let answer = json!({
        "journal": path, "before": before, "after": after, "entries": verified.entries, "head": verified.head,
    });
    told(&options, answer, || {
        let gained = before.saturating_sub(after);
        format!(
            "{}: {gained} bytes gained, {before} before and {after} now; all {} entries are there, head {}:{}",
            path.display(),
            verified.entries,
            verified.entries,
            verified.head
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Work on the file that blocks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.context("it broke off")?;
    Ok(done?)
}

/// Prints the answer, as JSON if that was asked for.
fn told(options: &cli::Printed, answer: Value, words: impl FnOnce() -> String) -> Result<()> {
    if options.json {
        say!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        say!("{}", words());
    }
    Ok(())
}
