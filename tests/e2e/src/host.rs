//! The host as a process of its own: started, halted at a stage, killed, asked.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use cambist_doubles::hubspot;
use serde_json::Value;

use crate::setup::{CLIENT_SECRET, COLLECTOR_KEY, ODOO_TOKEN, Setup};

/// The binary's name; cargo puts it beside the folder of the test binaries.
const BINARY: &str = "cambist-e2e-host";

/// How often something is looked at before a wait is given up: 2 minutes, which
/// only a hanging host uses up. A host on a busy machine compiles plugins first.
pub const LOOKS: u32 = 2_400;
/// The pause between two looks.
pub const PAUSE: Duration = Duration::from_millis(50);

/// A running host.
#[derive(Debug)]
pub struct Host {
    child: Child,
    /// Where senders reach it.
    pub ingress: SocketAddr,
    /// Where operators reach it.
    pub admin: SocketAddr,
}

/// Where the host stops, for good, with the first message that gets there.
#[derive(Clone, Copy, Debug)]
pub struct Halt<'a>(pub &'a str);

impl Host {
    /// Starts `cambist serve` with the config in `folder` and waits until it is
    /// ready. What it logs is in `log-N.jsonl` there, `run` being N.
    ///
    /// # Errors
    ///
    /// It ends before it is ready; the end of its log is in the error.
    pub async fn start(folder: &Path, setup: &Setup, run: u32, halt: Option<Halt<'_>>) -> Result<Self> {
        let log = folder.join(format!("log-{run}.jsonl"));
        let mut command = command(folder, setup)?;
        if let Some(Halt(stage)) = halt {
            command
                .env("CAMBIST_HALT_AFTER", stage)
                .env("CAMBIST_HALT_FILE", folder.join("halted"));
        }
        let child = command
            .envs(setup.environment.iter().cloned())
            .args(["serve", "--config", "cambist.toml"])
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start the host")?;
        let mut host = Self {
            child,
            ingress: SocketAddr::from(([127, 0, 0, 1], 0)),
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        for _ in 0..LOOKS {
            let text = fs::read_to_string(&log)?;
            if let Some((ingress, admin)) = text.lines().find_map(ready) {
                (host.ingress, host.admin) = (ingress, admin);
                return Ok(host);
            }
            if let Some(status) = host.child.try_wait()? {
                bail!("the host ended before it was ready ({status}):\n{text}");
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the host is not ready:\n{}", fs::read_to_string(&log)?)
    }

    /// Whether it has not ended.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it as a power cut would: SIGKILL, nothing is finished.
    ///
    /// # Errors
    ///
    /// It cannot be waited for.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Tells it to stop, as a service manager does, and waits for its end.
    ///
    /// # Errors
    ///
    /// It does not end, or not well.
    pub async fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        ensure!(
            Command::new("kill").args(["-TERM", &id]).status()?.success(),
            "cannot signal {id}"
        );
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the host ended with {status}");
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the host does not stop")
    }

    /// The memory that it has in use, in bytes, as the kernel counts it (`VmRSS`).
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        kib.map(|kib| kib << 10).context("the host has ended")
    }

    /// Waits until the host has halted at its stage.
    ///
    /// # Errors
    ///
    /// It never gets there.
    pub async fn halted(&self, folder: &Path) -> Result<()> {
        let file = folder.join("halted");
        for _ in 0..LOOKS {
            if fs::read_to_string(&file).is_ok_and(|text| !text.is_empty()) {
                fs::remove_file(&file)?;
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the host never came to the stage it was to halt at")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The addresses in the line that a host logs when it is ready.
fn ready(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields")?;
    if fields.get("message")? != "ready" {
        return None;
    }
    let address = |name: &str| fields.get(name)?.as_str()?.parse().ok();
    Some((address("ingress")?, address("admin")?))
}

/// Runs a command for operators in the folder: one that reads the journal or asks
/// the host, and needs no secret of a system for it.
///
/// # Errors
///
/// It cannot be started.
pub fn operate(folder: &Path, setup: &Setup, arguments: &[&str]) -> Result<Output> {
    command(folder, setup)?
        .env_remove("E2E_CLIENT_SECRET")
        .env_remove("E2E_HUBSPOT_TOKEN")
        .env_remove("E2E_ODOO_KEY")
        .args(arguments)
        .output()
        .context("cannot start the binary")
}

/// Runs any other command of the binary in the folder.
///
/// # Errors
///
/// It cannot be started.
pub fn run(folder: &Path, setup: &Setup, arguments: &[&str]) -> Result<Output> {
    command(folder, setup)?
        .args(arguments)
        .output()
        .context("cannot start the binary")
}

/// The binary, with the secrets in its environment and nothing else of ours.
fn command(folder: &Path, setup: &Setup) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command
        .current_dir(folder)
        .env("E2E_CLIENT_SECRET", CLIENT_SECRET)
        .env("E2E_HUBSPOT_TOKEN", hubspot::TOKEN)
        .env("E2E_COLLECTOR_KEY", COLLECTOR_KEY)
        .env("E2E_ODOO_TOKEN", ODOO_TOKEN)
        .env("RUST_LOG", setup.log)
        .env("USER", "e2e")
        .stdin(Stdio::null());
    if let Some(odoo) = &setup.odoo {
        command.env("E2E_ODOO_KEY", odoo.fact("KEY"));
    }
    Ok(command)
}

/// The binary under test.
///
/// # Errors
///
/// Cargo has not built it: the harness was not started by `cargo test`.
pub fn binary() -> Result<PathBuf> {
    let ours = std::env::current_exe()?;
    // beside a benchmark, and beside the folder of a test
    let mut places = ours.ancestors().skip(1).take(2).map(|folder| folder.join(BINARY));
    places.find(|place| place.is_file()).with_context(|| {
        format!(
            "there is no {BINARY} near {}; start these tests with `cargo test --release -p cambist-e2e`",
            ours.display()
        )
    })
}
