//! `cambist parked`: what waits for a person, and what is done about it. A file for each word
//! behind it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

mod edit;
mod list;
mod retry;
mod show;
mod skip;

/// What is to be done.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: list::Options,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Lists why messages wait for a person, the most frequent cause first; with a code, the
    /// messages that wait for it.
    List(list::Options),
    /// Tells of one message why it waits, whom it is about, what it is worth, and what would make
    /// it go on.
    Show(show::Options),
    /// Has messages go on from where they stand, at the running host: some by their ids, or all
    /// that wait for one cause.
    Retry(retry::Options),
    /// Ends a message that is to go nowhere, at the running host. The next one of its key goes on;
    /// who said so and why is in the evidence.
    Skip(skip::Options),
    /// Gives a message another input, at the running host, and has it go on from `read`. What was
    /// fetched is kept beside it in the evidence.
    Edit(edit::Options),
}

/// Does it.
///
/// # Errors
///
/// The journal cannot be read, no host is running, or it refuses.
pub async fn run(options: Options) -> Result<ExitCode> {
    match options.what {
        None => list::run(&options.list).await,
        Some(What::List(options)) => list::run(&options).await,
        Some(What::Show(options)) => show::run(&options).await,
        Some(What::Retry(options)) => retry::run(&options).await,
        Some(What::Skip(options)) => skip::run(&options).await,
        Some(What::Edit(options)) => edit::run(&options).await,
    }
}

/// Money as people read it, and nothing where none is known.
fn money(amount: Option<&cambist_admin::answer::Amount>) -> String {
    amount.map_or(String::new(), |it| format!("{} {}", it.amount, it.currency))
}
