//! What can be typed.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};

use crate::{commands, config::Reach, say};

/// Carries messages between CRMs and Odoo through sandboxed regional plugins.
///
/// See it work, with nothing but this checkout: `cambist demo`.
///
/// Run it: write a cambist.toml (examples/demo/cambist.toml is a documented one),
/// build the plugins it names with `cambist plugin build`, let `cambist check` look at
/// it, then `cambist serve`. `cambist messages` and `cambist show ID` tell what became
/// of a message.
#[derive(Debug, Parser)]
#[command(name = "cambist", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the main job: won HubSpot deals of several regions become customers,
    /// orders and projects.
    ///
    /// It builds the shipped plugins first, and needs the checkout. HubSpot is a double
    /// that does what HubSpot documents. What the last demo left under .cambist/demo is
    /// thrown away, but for what it compiled.
    Demo(commands::demo::Options),
    /// Receives messages and carries them, until it is told to stop.
    Serve(Config),
    /// Has the running host read its config file again, as it does by itself when the file
    /// changes, and tells what came of it.
    Reload(Printed),
    /// Looks at config and plugins, and names every problem with its place and the
    /// way out. Starts nothing.
    Check(commands::check::Options),
    /// Tells how the running host stands: what is left to do by flow and region and how long it takes, which systems are
    /// asked, what rests and why, how the journal is.
    Status(Printed),
    /// Lists messages and where they stand, the newest first.
    Messages(commands::messages::Options),
    /// Tells what became of one message, stage by stage.
    Show(commands::show::Options),
    /// Sends messages their way again, or computes them again and tells what would come out
    /// otherwise; at the running host.
    Replay(commands::replay::Options),
    /// Tells what was ordered to be replayed and what came of it, or ends an order.
    Replays(commands::replays::Options),
    /// Releases a message that policy holds, at the running host.
    Release(commands::release::Options),
    /// Verifies the journal, copies it while the host runs, puts a copy back, and makes the
    /// file smaller.
    #[command(subcommand)]
    Journal(commands::journal::Command),
    /// Which records stand for what in other systems, and unlinking them.
    #[command(subcommand)]
    Links(commands::links::Command),
    /// Tells what waits for a person, by cause, and has it go on: retried, edited or skipped.
    Parked(commands::parked::Options),
    /// Compares won deals with orders, and what deals were told with bills and payments, and
    /// names what differs. Exits with 0 where nothing does, 1 where something does, 3 where
    /// all that differs is on its way.
    Reconcile(commands::reconcile::Options),
    /// Tells how a record of a target came to be what it is: from which message, by whom,
    /// on which revisions, decided and taxed on which ground.
    Trace(commands::trace::Options),
    /// Builds plugins, signs them, looks at them, fetches and publishes them, and takes the
    /// steps of their lives at the running host.
    #[command(subcommand)]
    Plugin(commands::plugin::Command),
    /// Prints the JSON schema of the config.
    Schema,
}

/// Where the config is.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The config file.
    #[arg(long, short, default_value = "cambist.toml", env = "CAMBIST_CONFIG")]
    pub config: PathBuf,
}

/// Where the config is, and how the answer is printed.
#[derive(Args, Clone, Debug)]
pub struct Printed {
    /// Where the config is.
    #[command(flatten)]
    pub at: Config,
    /// Prints JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

impl Printed {
    /// How the host of the config is reached. What is wrong with the rest of the config is said
    /// beside the answer, and keeps nobody from asking.
    pub(crate) fn reach(&self) -> Reach {
        let (reach, problems) = Reach::read(&self.at.config);
        if let Some(first) = problems.first() {
            say::aside(&format!(
                "warning: the config has problems, which `cambist check` lists, and this goes on all the same: {first}"
            ));
        }
        reach
    }
}

/// Runs what was typed. 0 is done, 1 is not, 2 is wrong use; what else a command exits with, its help says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match start(cli.command) {
        Ok(_) if !say::is_said() => ExitCode::FAILURE,
        Ok(code) => code,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the one place where the binary fails")]
            {
                eprintln!("cambist: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> Result<ExitCode> {
    // The HTTP client leaves the choice of cryptography to the process, and panics
    // without one. Whoever comes second finds it done.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        match command {
            Command::Demo(options) => commands::demo::run(options).await,
            Command::Serve(options) => commands::serve::run(options).await,
            Command::Reload(options) => commands::reload::run(&options).await,
            Command::Check(options) => commands::check::run(&options).await,
            Command::Status(options) => commands::status::run(&options).await,
            Command::Messages(options) => commands::messages::run(&options).await,
            Command::Show(options) => commands::show::run(&options).await,
            Command::Replay(options) => commands::replay::run(&options).await,
            Command::Replays(options) => commands::replays::run(&options).await,
            Command::Release(options) => commands::release::run(&options).await,
            Command::Journal(command) => commands::journal::run(command).await,
            Command::Links(command) => commands::links::run(command).await,
            Command::Parked(options) => commands::parked::run(options).await,
            Command::Reconcile(options) => commands::reconcile::run(&options).await,
            Command::Trace(options) => commands::trace::run(&options).await,
            Command::Plugin(command) => commands::plugin::run(command).await,
            Command::Schema => commands::schema::run(),
        }
    })
}
